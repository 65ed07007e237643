"""What only an image's config says: what it is, its platform, and its count of layers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from layerguard.checking.resolution import Resolved
from layerguard.errors import LayerguardError
from layerguard.manifest import ImageConfig, parse_config
from layerguard.platform import Platform
from layerguard.reference import Digest
from layerguard.registry import RegistryError


def needed_configs(manifests: Sequence[Resolved], wanted: Platform | None) -> list[Digest]:
    """Return the configs to read of ``manifests``, which may run on ``wanted``.

    Where no platform is wanted, every manifest of an index may run, and only those configs are read
    that show whether a manifest is one of an image.
    """
    unread = (each.manifest for each in manifests if each.manifest.config.content is None)
    return sorted(
        {
            each.config.digest
            for each in unread
            if (each.artifact and each.artifact.refutable)
            or (each.config.is_image_config and (wanted or not each.layers))
        }
    )


def held_configs(manifests: Iterable[Resolved]) -> dict[Digest, ImageConfig | None]:
    """Return the configs that the manifests themselves hold, by their digests."""
    configs = (each.manifest.config for each in manifests)
    texts = {each.digest: str(each.content, "utf-8", "replace") for each in configs if each.content}
    return configs_in(texts)


def configs_in(texts: Mapping[Digest, str | RegistryError]) -> dict[Digest, ImageConfig | None]:
    """Return each config by its digest; None where it cannot be read."""
    return {digest: _config_in(digest, text) for digest, text in texts.items()}


def with_platforms(
    manifests: Iterable[Resolved], configs: Mapping[Digest, ImageConfig | None]
) -> list[Resolved]:
    """Return ``manifests``, each with its config's platform where nothing else names one."""
    return [replace(each, platform=each.platform or _platform(each, configs)) for each in manifests]


def _platform(resolved: Resolved, configs: Mapping[Digest, ImageConfig | None]) -> Platform | None:
    config = configs.get(resolved.manifest.config.digest)
    return config.platform if config else None


def _config_in(digest: Digest, text: str | RegistryError) -> ImageConfig | None:
    try:
        return parse_config(text, digest) if isinstance(text, str) else None
    except LayerguardError:
        return None
