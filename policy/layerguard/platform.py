"""Platforms: the operating system and architecture that an image runs on.

Names are normalised, and an entry of an index is chosen, as containerd does.
Source: containerd's platforms package, v1.0.0-rc.5 ("Normalize", "Only" and the Windows matcher).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from layerguard.errors import PlatformInvalid

_OPERATING_SYSTEMS = {"": "linux", "macos": "darwin"}
# Other names of an architecture, with the variant that each of them implies.
_ARCHITECTURES = {
    "aarch64": ("arm64", None),
    "armel": ("arm", "v6"),
    "armhf": ("arm", "v7"),
    "i386": ("386", ""),
    "x86-64": ("amd64", None),
    "x86_64": ("amd64", None),
}
# Other names of a variant; the empty one is the architecture's default.
_VARIANTS = {
    "amd64": {"v1": ""},
    "arm": {"": "v7", "5": "v5", "6": "v6", "7": "v7", "8": "v8"},
    "arm64": {"8": "", "v8": "", "v8.0": "", "9": "v9", "9.0": "v9", "v9.0": "v9"},
}
_ARM64_MINORS = {8: 9, 9: 7}
_FIRST_STABLE_WINDOWS = 20348
_WINDOWS_LTSC = (20348, 26100)


@dataclass(frozen=True, slots=True)
class Platform:
    """An operating system and an architecture, in Go's names, whatever names they are given.

    An empty operating system is Linux; an architecture that is empty is none that an image is
    chosen for. The default variant of an architecture is None.
    Source: OCI image index specification, "platform".
    """

    os: str
    architecture: str
    variant: str | None = None
    os_version: str | None = None
    os_features: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Normalise the names."""
        system, variant = self.os.lower(), (self.variant or "").lower()
        name = self.architecture.lower()
        architecture, implied = _ARCHITECTURES.get(name, (name, None))
        variant = variant if implied is None else implied
        variant = _VARIANTS.get(architecture, {}).get(variant, variant)
        object.__setattr__(self, "os", _OPERATING_SYSTEMS.get(system, system))
        object.__setattr__(self, "architecture", architecture)
        object.__setattr__(self, "variant", variant or None)
        object.__setattr__(self, "os_version", self.os_version or None)

    @classmethod
    def parse(cls, text: str) -> Platform:
        """Return the platform of ``os/architecture[/variant]``; raise PlatformInvalid otherwise."""
        system, *rest = text.split("/")
        if len(rest) not in (1, 2) or not system or not all(rest):
            raise PlatformInvalid(f"'{text}' is not a platform such as linux/arm64.")
        return cls(system, rest[0], rest[1] if rest[1:] else None)

    @classmethod
    def of_index_entry(cls, document: Mapping[str, Any] | None) -> Platform | None:
        """Return the ``platform`` of an entry in an image index, None where it has none.

        Raises TypeError where a member is of another type than Go's decoder takes.
        """
        if document is None:
            return None
        names = ("os", "architecture", "variant", "os.version")
        system, architecture, variant, version = (document.get(name) or "" for name in names)
        features = tuple(document.get("os.features") or ())
        for value in (system, architecture, variant, version, *features):
            if not isinstance(value, str):
                raise TypeError(f"the platform's {value!r} is not a text")
        return cls(system, architecture, variant, version, features)

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
                    os,
                    architecture,
                    variant if isinstance(variant, str) else None,
                    version if isinstance(version, str) else None,
                )
        return None

    @property
    def is_unknown(self) -> bool:
        """Whether it is the ``unknown/unknown`` that buildx writes on attestations."""
        return "unknown" in (self.os, self.architecture)

    @property
    def is_runnable(self) -> bool:
        """Whether any machine has it: it has an architecture that is known."""
        return bool(self.architecture) and not self.is_unknown

    def rank(self, offered: Platform) -> int | None:
        """Return how well ``offered`` serves this platform: 0 is exact, None is not at all.

        What is greater is an older variant, or 32-bit code that the processor runs too.
        """
        if offered.os != self.os or not self._has_features(offered):
            return None
        if not self._has_version(offered):
            return None
        names = (offered.architecture, offered.variant)
        compatible = enumerate(_compatible(self.architecture, self.variant))
        return next((rank for rank, each in compatible if each == names), None)

    def runs(self, offered: Platform) -> bool:
        """Tell whether code for ``offered`` runs here, whatever its variant."""
        compatible = _compatible(self.architecture, self.variant)
        return (
            offered.os == self.os
            and self._has_version(offered)
            and offered.architecture in (self.architecture, *map(itemgetter(0), compatible))
        )

    def choices(self, offered: Sequence[Platform | None]) -> list[int]:
        """Return the positions of what serves this platform, the one that is taken first.

        Of equals the first one is taken. An entry without a platform serves every one, after those
        that have one. A Windows host takes the newest build that it runs.
        """
        ranks: dict[int, int] = {}
        for position, each in enumerate(offered):
            rank = self.rank(each) if each else len(offered) + 100
            if rank is not None:
                ranks[position] = rank
        positions = list(ranks)
        if self.os_version:
            positions.sort(key=lambda position: _version_of(offered[position]), reverse=True)
        return sorted(positions, key=ranks.__getitem__)

    def _has_features(self, offered: Platform) -> bool:
        """Tell whether this has what ``offered`` needs; "win32k" is not compared."""
        needed = set(offered.os_features) - ({"win32k"} if self.os == "windows" else set())
        return needed <= set(self.os_features)

    def _has_version(self, offered: Platform) -> bool:
        """Tell whether a host of this Windows build runs containers of that of ``offered``.

        From Windows Server 2022 on, a host runs containers of the long-term release before it too.
        """
        if self.os != "windows" or not self.os_version or not offered.os_version:
            return True
        host, container = _windows_build(self.os_version), _windows_build(offered.os_version)
        if host is None:
            return True
        if container is None or host[:2] != container[:2]:
            return False
        if host[2] < _FIRST_STABLE_WINDOWS:
            return host[2] == container[2]
        before = [build for build in _WINDOWS_LTSC if build < host[2]]
        oldest = before[-1] if before else _FIRST_STABLE_WINDOWS
        return oldest <= container[2] <= host[2]

    def __str__(self) -> str:
        variant = f"/{self.variant}" if self.variant else ""
        version = f" ({self.os_version})" if self.os_version else ""
        return f"{self.os}/{self.architecture}{variant}{version}"


def _compatible(architecture: str, variant: str | None) -> Iterator[tuple[str, str | None]]:
    """Yield the architectures and variants that a processor runs, the best first."""
    if architecture == "arm64":
        yield from _of_arm64(variant or "v8")
        return
    yield architecture, variant
    version = _number(variant)
    if architecture == "amd64":
        for older in range((version or 1) - 1, 0, -1):
            yield "amd64", f"v{older}" if older > 1 else None
        yield "386", None
    elif architecture == "arm" and version is not None:
        for older in range(version - 1, 4, -1):
            yield "arm", f"v{older}"


def _of_arm64(variant: str) -> Iterator[tuple[str, str | None]]:
    major_text, _, minor_text = variant.partition(".")
    major, minor = _number(major_text), int(minor_text or 0) if minor_text.isdecimal() else 0
    if major not in _ARM64_MINORS or minor > _ARM64_MINORS[major]:
        return
    # ARM v9.x has what v8.(x + 5) has.
    newest = [(9, minor), (8, min(minor + 5, 9))] if major == 9 else [(8, minor)]
    for number, last in newest:
        for each in range(last, -1, -1):
            name = f"v{number}.{each}" if each else f"v{number}"
            yield "arm64", None if name == "v8" else name
    yield from _compatible("arm", "v8")


def _number(variant: str | None) -> int | None:
    digits = (variant or "").removeprefix("v")
    return int(digits) if digits.isdecimal() and len(digits) < 3 else None


def _version_of(platform: Platform | None) -> str:
    return platform.os_version or "" if platform else ""


def _windows_build(version: str) -> tuple[int, int, int] | None:
    """Return major, minor and build of a Windows version; None for another text."""
    parts = version.split(".")[:3]
    if len(parts) < 3 or not all(part.isdecimal() and len(part) < 6 for part in parts):
        return None
    major, minor, build = map(int, parts)
    return major, minor, build
