"""A CDK cloud assembly: ``cdk.out``, its manifest, its templates and its asset images.

Source: the CDK's package ``cloud-assembly-schema``, "manifest.json" and "assets.json". The images
among the assets are pushed by the deployment itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from layerguard.discovery.documents.structured import read_yaml
from layerguard.discovery.documents.unreadable import DocumentUnreadable
from layerguard.discovery.provisions import Provides, Provision
from layerguard.discovery.tree import Tree, member, reach
from layerguard.enforcement import Mode, Run

from layerguard_cli.sources.cloudformation_templates import STACK, stack_of
from layerguard_cli.sources.declared import DeclaredResource, uses_of
from layerguard_cli.sources.form import Context
from layerguard_cli.sources.resources import RecordedProvider
from layerguard_cli.sources.source import Source, SourceKind

_ENVIRONMENT = re.compile(r"aws://(?P<account>[0-9]{12}|[^/]*)/(?P<region>[^/]*)")
_STACK, _ASSETS = "aws:cloudformation:stack", "cdk:asset-manifest"
_TEMPLATE = ".template.json"


@dataclass(frozen=True, slots=True)
class _Template:
    """A template of a stack: its file, and the provider that makes it."""

    stack: str
    file: str
    provider: RecordedProvider


def is_assembly(document: Any) -> bool:
    """Tell whether a document is the manifest of a cloud assembly."""
    artifacts = member(document, "artifacts")
    return isinstance(member(document, "version"), str) and isinstance(artifacts, dict)


def is_asset_manifest(document: Any) -> bool:
    """Tell whether a document lists the assets of a stack, which its assembly's manifest names."""
    parts = (member(document, "files"), member(document, "dockerImages"))
    has_version = isinstance(member(document, "version"), str)
    return has_version and all(isinstance(each, dict) for each in parts)


def read_assembly(documents: Sequence[Any], context: Context) -> Source:
    """Return the image uses of the stacks, each in its own account and region."""
    (manifest, *_) = documents
    artifacts = {name: each for name, each in manifest["artifacts"].items() if _is_object(each)}
    assets = dict(_asset_manifests(artifacts, context))
    covers, problems, resources = set(assets), [], []
    for template in _templates(artifacts, assets):
        body = _document(template.file, context)
        if body is None:
            problems.append(f"The template {template.file} cannot be read.")
            continue
        covers.add(template.file)
        resources.append(
            DeclaredResource(
                STACK, stack_of(body), template.stack, "templateBody", template.provider
            )
        )
    provisions = tuple(each for name, value in assets.items() for each in _pushed(name, value))
    return Source(
        context.name,
        SourceKind.CDK_ASSEMBLY,
        tuple(uses_of(resources, context.environment)),
        tuple(problems),
        Run(Mode.PREVIEW, provisions),
        covers=frozenset(covers),
    )


def read_assets(_documents: Sequence[Any], context: Context) -> Source:
    """Return a source without an image use: what a deployment pushes is pulled by its templates."""
    return Source(context.name, SourceKind.CDK_ASSEMBLY, ())


def _asset_manifests(
    artifacts: Mapping[str, Any], context: Context
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for artifact in artifacts.values():
        file = reach(artifact, "properties", "file")
        if artifact.get("type") == _ASSETS and isinstance(file, str):
            value = _document(file, context)
            if isinstance(value, dict):
                yield file, value


def _templates(
    artifacts: Mapping[str, Any], assets: Mapping[str, Mapping[str, Any]]
) -> Iterator[_Template]:
    """Yield the templates of stacks, and those of the stacks nested in them."""
    seen: set[str] = set()
    for name, artifact in artifacts.items():
        file = reach(artifact, "properties", "templateFile")
        if artifact.get("type") != _STACK or not isinstance(file, str):
            continue
        title = reach(artifact, "properties", "stackName")
        stack = title if isinstance(title, str) else name
        provider = _provider(artifact.get("environment"))
        yield _Template(stack, file, provider)
        seen.add(file)
        for nested in _nested(assets.get(f"{name}.assets.json", {})):
            if nested not in seen:
                seen.add(nested)
                yield _Template(f"{stack}/{nested.removesuffix(_TEMPLATE)}", nested, provider)


def _nested(assets: Mapping[str, Any]) -> Iterator[str]:
    files = assets.get("files")
    for each in files.values() if isinstance(files, dict) else ():
        path = reach(each, "source", "path")
        if isinstance(path, str) and path.endswith(_TEMPLATE):
            yield path


def _provider(environment: Any) -> RecordedProvider:
    """Return the provider of the account and the region, as far as the stack has its own."""
    match = _ENVIRONMENT.fullmatch(environment) if isinstance(environment, str) else None
    props: dict[str, object] = {}
    if match and match["account"].isdecimal():
        props["allowedAccountIds"] = [match["account"]]
    if match and match["region"] and not match["region"].startswith("unknown"):
        props["region"] = match["region"]
    return RecordedProvider("pulumi:providers:aws", props)


def _pushed(file: str, assets: Mapping[str, Any]) -> Iterator[Provision]:
    images = assets.get("dockerImages")
    for name, image in images.items() if isinstance(images, dict) else ():
        destinations = member(image, "destinations")
        for each in destinations.values() if isinstance(destinations, dict) else ():
            repository, tag = member(each, "repositoryName"), member(each, "imageTag")
            region = member(each, "region")
            if isinstance(repository, str) and isinstance(tag, str):
                where = region if isinstance(region, str) and "$" not in region else None
                yield Provision(f"{name} of {file}", Provides.IMAGE, None, where, repository, tag)


def _document(file: str, context: Context) -> Tree:
    """Return the document in a file of the assembly; None where it cannot be read."""
    data = context.beside(file)
    try:
        text = None if data is None else data.decode("utf-8-sig")
        if text is None:
            return None
        return json.loads(text) if file.endswith(".json") else read_yaml(text)
    except (ValueError, RecursionError, DocumentUnreadable):
        return None


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)
