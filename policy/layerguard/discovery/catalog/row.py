"""What a row of the catalog says."""

from __future__ import annotations

from dataclasses import dataclass

from layerguard.discovery.platforms import PlatformRule


@dataclass(frozen=True, slots=True)
class Row:
    """An image stands in ``path`` of resources of ``resource_type``; ``platform`` is its rule."""

    resource_type: str
    path: str
    platform: PlatformRule
