"""The platform of a manifest that no index names: it stands in the image's config."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from layerguard.checking.resolution import Resolved
from layerguard.errors import LayerguardError
from layerguard.manifest import parse_config
from layerguard.platform import Platform
from layerguard.reference import Digest
from layerguard.registry import RegistryError


def needed_configs(manifests: Sequence[Resolved], wanted: Platform | None) -> list[Digest]:
    """Return the configs that must be read to know the platforms of ``manifests``.

    Empty where no platform is wanted, or one of the manifests is known to serve it.
    """
    if wanted is None or any(
        each.platform and is_served(wanted, each.platform) for each in manifests
    ):
        return []
    return sorted(
        {
            each.manifest.config.digest
            for each in manifests
            if each.platform is None and each.manifest.config.is_image_config
        }
    )


def platforms_in(texts: Mapping[Digest, str | RegistryError]) -> dict[Digest, Platform | None]:
    """Return the platform in each config, by its digest; None where it cannot be read."""
    return {digest: _platform_in(digest, text) for digest, text in texts.items()}


def with_platforms(
    manifests: Iterable[Resolved], platforms: Mapping[Digest, Platform | None]
) -> list[Resolved]:
    """Return ``manifests``, each with its config's platform where nothing else names one."""
    return [
        replace(each, platform=each.platform or platforms.get(each.manifest.config.digest))
        for each in manifests
    ]


def is_served(wanted: Platform, platform: Platform) -> bool:
    """Return whether an image whose config names ``platform`` may run on ``wanted``.

    Many builders leave the variant out of a config, so one that is absent is not compared.
    """
    return platform.serves(wanted if platform.variant else replace(wanted, variant=None))


def _platform_in(digest: Digest, text: str | RegistryError) -> Platform | None:
    try:
        return parse_config(text, digest) if isinstance(text, str) else None
    except LayerguardError:
        return None
