"""Which platform a manifest is for where no index says it: its config is asked for."""

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

    None where no platform is wanted, or one of the manifests is known to serve it.
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


def said_platforms(
    texts: Mapping[Digest, str | RegistryError],
) -> dict[Digest, Platform | None]:
    """Return the platform that each config says, by its digest.

    Whatever stands in the way of a config changes nothing: its platform stays unknown.
    """
    return {digest: _said(digest, text) for digest, text in texts.items()}


def with_platforms(
    manifests: Iterable[Resolved], said: Mapping[Digest, Platform | None]
) -> list[Resolved]:
    """Return ``manifests``, each with the platform that its config says where nothing else does."""
    return [
        replace(each, platform=each.platform or said.get(each.manifest.config.digest))
        for each in manifests
    ]


def is_served(wanted: Platform, platform: Platform) -> bool:
    """Tell whether an image for ``platform``, as its config says it, may run on ``wanted``.

    Many builders leave the variant out of a config, so one that is not said is not compared.
    """
    return platform.serves(wanted if platform.variant else replace(wanted, variant=None))


def _said(digest: Digest, text: str | RegistryError) -> Platform | None:
    try:
        return parse_config(text, digest) if isinstance(text, str) else None
    except LayerguardError:
        return None
