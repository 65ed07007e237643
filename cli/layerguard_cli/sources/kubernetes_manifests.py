"""Kubernetes manifests: YAML or JSON, as people write them, as ``helm template`` and kubectl do.

Source: Kubernetes documentation, "Objects In Kubernetes" and "API Concepts" (lists of objects).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from layerguard.discovery.catalog.kubernetes import type_of
from layerguard.discovery.tree import Tree, member, reach

from layerguard_cli.sources.declared import DeclaredResource
from layerguard_cli.sources.form import Declared

_LIST = "List"


def is_manifest(document: Any) -> bool:
    """Tell whether a document is an object of Kubernetes."""
    return isinstance(member(document, "apiVersion"), str) and isinstance(
        member(document, "kind"), str
    )


def manifest(document: Any) -> Declared:
    """Return the resource of the Kubernetes provider that the manifest would be; of a list each."""
    return Declared(_resources(document, "", "", depth=0))


def _resources(manifest: Tree, version: str, kind: str, depth: int) -> Iterator[DeclaredResource]:
    """Yield a manifest, or a list's items, which may leave out version and kind."""
    version, kind = _text(manifest, "apiVersion") or version, _text(manifest, "kind") or kind
    items = member(manifest, "items")
    if kind.endswith(_LIST) and isinstance(items, list) and depth < 2:
        for item in items:
            yield from _resources(item, version, kind.removesuffix(_LIST), depth + 1)
        return
    names = (_text(manifest, "metadata", key) for key in ("namespace", "name"))
    title = "/".join(filter(None, (kind, *names)))
    members = manifest.items() if isinstance(manifest, dict) else ()
    # The status is what a cluster reports, not what is deployed.
    declared = {key: each for key, each in members if key != "status"}
    yield DeclaredResource(type_of(version, kind), declared, title)


def _text(manifest: Tree, *keys: str) -> str:
    value = reach(manifest, *keys)
    return value if isinstance(value, str) else ""
