"""What a file that is no source seems to be, for the sentence about it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from layerguard.discovery.tree import member

from layerguard_cli.sources.content import Content
from layerguard_cli.sources.documents import documents_in
from layerguard_cli.sources.source import SourceUnreadable


@dataclass(frozen=True, slots=True)
class _Seeming:
    """What a file with such a path seems to be; the pattern is for the path in lower case."""

    what: str
    path: str


# fmt: off
_BY_PATH = (
    _Seeming("a GitHub Actions workflow",       r"(.*/)?\.github/.*\.ya?ml"),
    _Seeming("a GitLab CI pipeline",            r"(.*/)?[^/]*\.gitlab-ci\.ya?ml"),
    _Seeming("a CircleCI configuration",        r"(.*/)?\.circleci/.*"),
    _Seeming("a Dockerfile",                    r"(.*/)?([^/]*\.)?(docker|container)file(\.[^/]*)?"),
    _Seeming("a Jenkins pipeline",              r"(.*/)?jenkinsfile[^/]*|.*\.groovy"),
    _Seeming("a Makefile",                      r"(.*/)?makefile|.*\.mk"),
    _Seeming("a template of a Helm chart",      r"(.*/)?templates/.*\.(ya?ml|tpl|txt)"),
    _Seeming("a template",                      r".*\.(j2|jinja2?|tpl|tmpl|gotmpl|erb|mustache|hbs)"),
    _Seeming("a Terraform configuration",       r".*\.(tf|tofu|hcl|tfvars)"),
    _Seeming("a file of environment variables", r"(.*/)?(\.env[^/]*|[^/]*\.env)"),
    _Seeming("a CSV table",                     r".*\.(csv|tsv)"),
    _Seeming("documentation",                   r".*\.(md|rst|adoc|mdx)"),
    _Seeming("a shell script",                  r".*\.(sh|bash|zsh|ps1)"),
    _Seeming("a Jsonnet file",                  r".*\.(jsonnet|libsonnet)"),
    _Seeming("source code",                     r".*\.(py|ts|tsx|js|mjs|jsx|go|java|kt|cs|rb|rs|php|scala|c|h|cpp|cue|dhall|bicep)"),
    _Seeming("a log",                           r".*\.log"),
)
# fmt: on
_COMPILED = tuple((each.what, re.compile(each.path)) for each in _BY_PATH)
_LONGEST_PATH = 255


def _has(*names: str) -> Callable[[Any], bool]:
    return lambda document: all(name in document for name in names)


def _has_scripts(document: Any) -> bool:
    return any(isinstance(member(each, "script"), list) for each in document.values())


# YAML 1.1 reads the key "on" as a boolean.
# fmt: off
_BY_DOCUMENT = (
    ("a GitHub Actions workflow",      lambda each: isinstance(each.get("jobs"), dict) and ("on" in each or "True" in each)),
    ("a GitHub action",                _has("runs", "name")),
    ("a CircleCI configuration",       lambda each: isinstance(each.get("jobs"), dict) and str(each.get("version")).startswith("2")),
    ("a Bitbucket pipeline",           lambda each: any(member(each.get("pipelines"), name) for name in ("branches", "custom", "default"))),
    ("a GitLab CI pipeline",           lambda each: isinstance(each.get("stages"), list) or _has_scripts(each)),
    ("a buildspec of CodeBuild",       _has("version", "phases")),
    ("an Azure pipeline",              lambda each: "pool" in each and ("steps" in each or "jobs" in each or "stages" in each)),
    ("a Cloud Build configuration",    lambda each: isinstance(each.get("steps"), list)),
    ("a pipeline",                     lambda each: each.get("kind") == "pipeline"),
    ("a Serverless Framework service", _has("service", "provider", "functions")),
    ("an API description",             lambda each: isinstance(each.get("openapi") or each.get("swagger"), str)),
    ("a JSON schema",                  lambda each: "$schema" in each and ("properties" in each or "$defs" in each)),
    ("a package's description",        _has("name", "version", "dependencies")),
)
# fmt: on


def is_of_another_tool(document: Any) -> bool:
    """Tell whether a document is known to be of a tool whose files are no source."""
    return isinstance(document, dict) and any(fits(document) for _, fits in _BY_DOCUMENT)


def _documents(content: Content) -> list[dict[str, Any]]:
    try:
        found = documents_in(content.text).found
    except SourceUnreadable:
        return []
    return [each.value for each in found if isinstance(each.value, dict)]


def seeming_of(path: str, content: Content) -> str:
    """Return what a file seems to be: by its path, its documents, or its first bytes."""
    lower = PurePath(path).as_posix().lower()[-_LONGEST_PATH:]
    if by_path := next((what for what, each in _COMPILED if each.fullmatch(lower)), None):
        return by_path
    for document in _documents(content):
        found = (what for what, fits in _BY_DOCUMENT if fits(document))
        return next(found, "a document of an unknown kind")
    shown = content.shown
    if shown.startswith("#!"):
        return "a script"
    if "{{" in shown or "{%" in shown:
        return "a template"
    if b"\0" in content.data[:4096]:
        return "a binary file"
    return "text"
