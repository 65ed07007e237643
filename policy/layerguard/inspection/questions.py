"""What one identity asks a registry: each question once, whoever needs the answer."""

from __future__ import annotations

from collections.abc import Collection

from layerguard.errors import RegistryError
from layerguard.inspection.once import Once
from layerguard.reference import Digest, ImageId, Repository
from layerguard.registry import ImageAnswer, LayerAnswer, Registry

_EVERY_REPOSITORY = "ROOT"


class Questions:
    """The questions about images, layers and configs, and about pull-through caches.

    ``cache_prefixes`` are prefixes of pull-through caches that are known without asking.
    """

    def __init__(self, registry: Registry, cache_prefixes: Collection[str] = ()) -> None:
        self._registry = registry
        self._cache_prefixes = tuple(cache_prefixes)
        self.images: Once[ImageId, ImageAnswer | RegistryError] = Once(registry.images)
        self.layers: Once[Digest, LayerAnswer | RegistryError] = Once(registry.layers)
        self.configs: Once[Digest, str | RegistryError] = Once(registry.configs)

    def afresh(self) -> Questions:
        """Return the same questions without any answer."""
        return Questions(self._registry, self._cache_prefixes)

    def is_cache(self, repository: Repository) -> bool:
        """Tell whether a repository is filled by pulls through it; asks where it is not known.

        Source: ECR user guide, "Sync an upstream registry with an Amazon ECR private registry".
        """
        return self._is_below(self._cache_prefixes, repository.name) or self._is_below(
            self._registry.cache_prefixes(repository), repository.name
        )

    def forget(self, repository: Repository) -> None:
        """Drop the answers about ``repository``."""
        for asked in (self.images, self.layers, self.configs):
            asked.forget(repository)

    def _is_below(self, prefixes: Collection[str], name: str) -> bool:
        return any(
            prefix == _EVERY_REPOSITORY or name.startswith(f"{prefix.rstrip('/')}/")
            for prefix in prefixes
        )
