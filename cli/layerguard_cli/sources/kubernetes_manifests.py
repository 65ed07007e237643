"""Kubernetes manifests: YAML or JSON, as people write them, as ``helm template`` and kubectl do.

Source: Kubernetes documentation, "Objects In Kubernetes" and "API Concepts" (lists of objects).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from layerguard.discovery import ImageUse
from layerguard.discovery.documents.structured import read_yaml
from layerguard.discovery.documents.unreadable import DocumentUnreadable
from layerguard.discovery.resources import DiscoveredResources, EngineProvider
from layerguard.discovery.tree import Mark, Tree, member, reach

from layerguard_cli.sources.source import NotASource, Source, SourceKind, SourceUnreadable

# A line that begins with this marker begins a document, even inside of a block of text.
# Source: YAML 1.2, section 9.1.2, "Document Markers".
_MARKER = re.compile(r"^---(?=\s|$)", re.MULTILINE)
_LIST = "List"


@dataclass(frozen=True, slots=True)
class _Resource:
    """A manifest as the resource of the Kubernetes provider that it would be; it has no URN."""

    resource_type: str
    props: Mapping[str, object]
    urn: str = ""
    provider: EngineProvider | None = None


def is_manifest(document: Any) -> bool:
    """Tell whether a document is an object of Kubernetes."""
    return isinstance(member(document, "apiVersion"), str) and isinstance(
        member(document, "kind"), str
    )


def read_yaml_manifests(name: str, text: str) -> Source:
    """Return the image uses of each manifest; one that does not parse hides none of the others.

    Raises SourceUnreadable if no document parses, NotASource if none is a manifest.
    """
    parts = list(filter(_has_content, _MARKER.split(text)))
    documents = [_read(part) for part in parts]
    broken = [
        f"Document {number} is not YAML."
        for number, document in enumerate(documents, 1)
        if document is Mark.UNREADABLE
    ]
    if not any(map(is_manifest, documents)):
        if broken:
            raise SourceUnreadable("It is not YAML.")
        raise NotASource("It has no Kubernetes manifest.")
    read = (document for document in documents if document is not Mark.UNREADABLE)
    return read_manifests(name, read, broken)


def read_manifests(name: str, documents: Iterable[Any], problems: Iterable[str]) -> Source:
    """Return the image uses of the manifests among ``documents``."""
    documents = [each for each in documents if each is not None]
    others = sum(1 for each in documents if not is_manifest(each))
    skipped = [f"{others} of its documents are no Kubernetes manifests."] if others else []
    uses = tuple(
        use for each in documents if is_manifest(each) for use in _uses(each, "", "", depth=0)
    )
    return Source(name, SourceKind.KUBERNETES, uses, (*problems, *skipped))


def _uses(manifest: Tree, version: str, kind: str, depth: int) -> Iterator[ImageUse]:
    """Yield the uses of a manifest, or of a list's items, which may leave out version and kind."""
    version, kind = _text(manifest, "apiVersion") or version, _text(manifest, "kind") or kind
    items = member(manifest, "items")
    if kind.endswith(_LIST) and isinstance(items, list) and depth < 2:
        for item in items:
            yield from _uses(item, version, kind.removesuffix(_LIST), depth + 1)
        return
    group = version if "/" in version else f"core/{version}"
    names = (_text(manifest, "metadata", key) for key in ("namespace", "name"))
    title = "/".join(filter(None, (kind, *names)))
    members = manifest.items() if isinstance(manifest, dict) else ()
    # The status is what a cluster reports, not what is deployed.
    declared = {key: each for key, each in members if key != "status"}
    resource = _Resource(f"kubernetes:{group}:{kind}", declared)
    for use in DiscoveredResources((), {}).discover(resource).uses:
        yield replace(use, path=f"{title}.{use.path}")


def _text(manifest: Tree, *keys: str) -> str:
    value = reach(manifest, *keys)
    return value if isinstance(value, str) else ""


def _read(text: str) -> Tree:
    try:
        return read_yaml(text)
    except DocumentUnreadable:
        return Mark.UNREADABLE


def _has_content(part: str) -> bool:
    """Tell whether there is more in ``part`` than blank lines, comments and directives."""
    return any(line.lstrip()[:1] not in ("", "#", "%") for line in part.splitlines())
