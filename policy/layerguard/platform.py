"""Platforms: the operating system and architecture that an image runs on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from layerguard.errors import PlatformInvalid

# Other names of an architecture that runtimes take for Go's. Source: containerd's platforms
# package, "Normalize".
_ARCHITECTURES = {
    "aarch64": "arm64",
    "armel": "arm",
    "armhf": "arm",
    "i386": "386",
    "x86-64": "amd64",
    "x86_64": "amd64",
}


@dataclass(frozen=True, slots=True)
class Platform:
    """An operating system and an architecture, in Go's names.

    Source: OCI image index specification, "platform".
    """

    os: str
    architecture: str
    variant: str | None = None
    os_version: str | None = None

    @classmethod
    def parse(cls, text: str) -> Platform:
        """Return the platform of ``os/architecture[/variant]``; raise PlatformInvalid otherwise."""
        parts = text.split("/")
        if len(parts) not in (2, 3) or not all(parts):
            raise PlatformInvalid(f"'{text}' is not a platform such as linux/arm64.")
        return cls(*parts)

    @classmethod
    def of_index_entry(cls, document: dict[str, Any] | None) -> Platform | None:
        """Return the ``platform`` of an entry in an image index, None where it has none."""
        if not document:
            return None
        return cls(
            str(document.get("os", "")),
            str(document.get("architecture", "")),
            document.get("variant") or None,
            document.get("os.version") or None,
        )

    @classmethod
    def of_config(cls, document: Any) -> Platform | None:
        """Return the platform in an image config, None where it is absent or malformed.

        Source: OCI image specification, "Image Configuration".
        """
        match document:
            # BuildKit writes unknown/unknown into what is no image, such as an attestation.
            case {"os": "unknown"} | {"architecture": "unknown"}:
                return None
            case {"os": str(os), "architecture": str(architecture)} if os and architecture:
                variant, version = document.get("variant"), document.get("os.version")
                return cls(
                    os.lower(),
                    _ARCHITECTURES.get(architecture.lower(), architecture.lower()),
                    variant if variant and isinstance(variant, str) else None,
                    version if version and isinstance(version, str) else None,
                )
        return None

    @property
    def is_unknown(self) -> bool:
        """Whether it is the ``unknown/unknown`` that buildx writes on attestations."""
        return "unknown" in (self.os, self.architecture)

    def serves(self, wanted: Platform) -> bool:
        """Tell whether a runtime that wants ``wanted`` may choose a manifest of this platform.

        arm64 without a variant is arm64/v8. A variant or version that ``wanted`` leaves open is
        the runtime's choice among the manifests, so each of them serves.
        """
        return (
            (self.os, self.architecture) == (wanted.os, wanted.architecture)
            and (wanted.variant is None or self._variant == wanted._variant)
            and (wanted.os_version is None or self._is_build_of(wanted.os_version))
        )

    def _is_build_of(self, version: str) -> bool:
        """Tell whether this is a revision of ``version``; 10.0.17763 has many of them."""
        return self.os_version is None or f"{self.os_version}.".startswith(f"{version}.")

    @property
    def _variant(self) -> str | None:
        return self.variant or ("v8" if self.architecture == "arm64" else None)

    def __str__(self) -> str:
        variant = f"/{self.variant}" if self.variant else ""
        version = f" ({self.os_version})" if self.os_version else ""
        return f"{self.os}/{self.architecture}{variant}{version}"
