"""Documents in strings: a reader for each kind, by the name that a property path calls it.

A reader gets the text and the objects on the way to it. It returns the document as a tree, None
where the text is of another kind, and raises DocumentUnreadable where it does not parse.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from layerguard.discovery.documents.dockerfile import dockerfile_images
from layerguard.discovery.documents.quoted import quoted_references
from layerguard.discovery.documents.spark import spark_properties
from layerguard.discovery.documents.structured import read_json, read_yaml, read_yaml_stream
from layerguard.discovery.documents.user_data import read_user_data
from layerguard.discovery.tree import Ancestors, Mark, Tree, member, reach, unknown_among

Reader: TypeAlias = Callable[[str, Ancestors], Tree]


def _dockerfile(text: str, ancestors: Ancestors) -> Tree:
    """The images of a Dockerfile, without those that the build names contexts for."""
    build = ancestors[0]
    arguments, target = member(build, "buildArgs"), member(build, "target")
    parts = (target, arguments if "ARG" in text.upper() else None)
    marks = [each for each in parts if isinstance(each, Mark)]
    if marks:
        return unknown_among(*marks) or marks[0]
    images = dockerfile_images(
        text,
        arguments if isinstance(arguments, dict) else {},
        target if isinstance(target, str) and target else None,
    )
    contexts = reach(build, "context", "named")
    named = contexts if isinstance(contexts, dict) else {}
    return [each for each in images if member(each, "image") not in named]


def _nomad(text: str, _ancestors: Ancestors) -> Tree:
    """A Nomad job is HCL, of which only quoted references are read, or JSON."""
    if text.lstrip().startswith("{"):
        return read_json(text)
    return quoted_references(text)


def _after(prefix: str) -> Reader:
    """Return a reader of the text behind ``prefix``, such as a kind in front of an image."""
    return lambda text, _ancestors: text[len(prefix) :] if text.startswith(prefix) else None


def _named_context(text: str, _ancestors: Ancestors) -> Tree:
    """``NAME=docker-image://REFERENCE``, as ``docker buildx build --build-context`` takes it."""
    return _after("docker-image://")(text.partition("=")[2], ())


def _cache(text: str, _ancestors: Ancestors) -> Tree:
    """``type=registry,ref=REFERENCE``, or a reference alone, as ``--cache-from`` takes it."""
    options = dict(option.partition("=")[::2] for option in text.split(","))
    return text if "=" not in text else options.get("ref")


def _exporter(text: str, _ancestors: Ancestors) -> Tree:
    """``type=registry,name=REFERENCE``, as ``--output`` takes it."""
    options = dict(option.partition("=")[::2] for option in text.split(","))
    return options.get("name")


def _json_or_text(text: str, _ancestors: Ancestors) -> Tree:
    """A document; plain text, or the address of a document, is none."""
    return read_json(text) if text.lstrip()[:1] in ("{", "[") else None


READERS: Mapping[str, Reader] = MappingProxyType(
    {
        "cache": _cache,
        "context": _named_context,
        "docker-uri": _after("docker:"),
        "dockerfile": _dockerfile,
        "exporter": _exporter,
        "json": lambda text, _ancestors: read_json(text),
        "json-or-text": _json_or_text,
        "nomad": _nomad,
        "spark": lambda text, _ancestors: dict(spark_properties(text)),
        "user-data": lambda text, _ancestors: read_user_data(text),
        "yaml": lambda text, _ancestors: read_yaml(text),
        "yaml-stream": lambda text, _ancestors: read_yaml_stream(text),
    }
)
