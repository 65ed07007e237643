"""Resources as a file declares them, and the image uses among them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from layerguard.discovery import ImageUse
from layerguard.discovery.resources import DiscoveredResources, EngineProvider


@dataclass(frozen=True, slots=True)
class DeclaredResource:
    """A resource of a type of the catalog, which a file declares; no engine has a URN of it.

    ``title`` stands in front of the paths of its images. ``inside`` is the property whose value is
    the file's own content: its name is not in the file, and so not in the paths.
    """

    resource_type: str
    props: Any
    title: str = ""
    inside: str = ""
    provider: EngineProvider | None = None
    urn: str = ""


def uses_of(
    resources: Iterable[DeclaredResource], environment: Mapping[str, str]
) -> Iterator[ImageUse]:
    """Yield the image uses of ``resources``, as discovery finds them in those of a stack."""
    for resource in resources:
        found = DiscoveredResources((), environment).discover(resource)
        yield from (placed(use, resource) for use in found.uses)


def placed(use: ImageUse, resource: DeclaredResource) -> ImageUse:
    """Return ``use`` at the path that it has in the file."""
    path = use.path
    if resource.inside and path.startswith(resource.inside):
        path = path[len(resource.inside) :].removeprefix(".")
    separator = "." if resource.title and path and path[0] != "[" else ""
    return replace(use, urn="", path=f"{resource.title}{separator}{path}")
