"""kustomization.yaml, with or without a kind, and components.

Source: Kubernetes SIG CLI documentation, "The Kustomization File" and "images".
"""

from __future__ import annotations

from typing import Any

from layerguard.discovery.tree import member

from layerguard_cli.sources.content import mentions_ecr
from layerguard_cli.sources.declared import DeclaredResource
from layerguard_cli.sources.form import Declared

_GROUP = "kustomize.config.k8s.io"
_KINDS = ("Kustomization", "Component")
_LISTS = (
    "bases",
    "components",
    "configMapGenerator",
    "crds",
    "generators",
    "helmCharts",
    "images",
    "patches",
    "patchesJson6902",
    "patchesStrategicMerge",
    "replacements",
    "replicas",
    "resources",
    "secretGenerator",
    "transformers",
)
_OTHERS = (
    "apiVersion",
    "buildMetadata",
    "commonAnnotations",
    "commonLabels",
    "generatorOptions",
    "helmGlobals",
    "kind",
    "labels",
    "metadata",
    "namePrefix",
    "nameSuffix",
    "namespace",
    "openapi",
    "sortOptions",
    "vars",
)


def is_kustomization(document: Any) -> bool:
    """Tell whether a document is a kustomization or a component; a kind is not required."""
    if not isinstance(document, dict):
        return False
    version, kind = document.get("apiVersion"), document.get("kind")
    if version is not None:
        return str(version).startswith(f"{_GROUP}/") and kind in _KINDS
    has_list = any(isinstance(document.get(each), list) for each in _LISTS)
    return kind in (None, *_KINDS) and has_list and document.keys() <= {*_LISTS, *_OTHERS}


def kustomization(document: Any) -> Declared:
    """Return the images that are set, and the rest of the document as the resource that it is.

    What an image without a new tag or digest is pulled by stands in the manifests.
    """
    images: list[str | None] = []
    problems = []
    entries = document.get("images")
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        name = member(entry, "newName") or member(entry, "name")
        tag, digest = member(entry, "newTag"), member(entry, "digest")
        is_known = isinstance(name, str) and (tag is not None or digest is not None)
        images.append(f"{name}{_after(':', tag)}{_after('@', digest)}" if is_known else None)
        if not is_known and isinstance(name, str) and mentions_ecr(name.encode("utf-8", "replace")):
            problems.append(
                f"images[{number}] has no new tag: the manifests of its resources have the tag of "
                f"{name}. Audit what kustomize build prints."
            )
    kind = f"kubernetes:{_GROUP}/v1beta1:{document.get('kind') or 'Kustomization'}"
    rest = {key: value for key, value in document.items() if key != "images"}
    resources = [
        DeclaredResource("layerguard:file:Kustomization", {"images": images}),
        DeclaredResource(kind, rest),
    ]
    return Declared(resources, tuple(problems))


def _after(separator: str, value: Any) -> str:
    return "" if value is None else f"{separator}{value}"
