"""What a rule is, and the two that need nothing from the resource."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from layerguard.discovery.path import Leaf
from layerguard.platform import Platform

PlatformRule: TypeAlias = Callable[[Leaf], "Platform | None"]

LINUX_AMD64 = Platform("linux", "amd64")
LINUX_ARM64 = Platform("linux", "arm64")


@dataclass(frozen=True, slots=True)
class Presumed:
    """A rule that is not documented: an image without the platform is only a warning."""

    rule: PlatformRule

    def __call__(self, leaf: Leaf) -> Platform | None:
        """Return what the rule returns."""
        return self.rule(leaf)


def words(rule: PlatformRule) -> str:
    """Return ``rule`` in words, for documentation."""
    if isinstance(rule, Presumed):
        return f"{words(rule.rule)} Not documented: a mismatch is only a warning."
    return " ".join((rule.__doc__ or "").split())


def undecided(_leaf: Leaf) -> Platform | None:
    """Nothing in the resource decides where the image will run."""
    return None


def linux_amd64(_leaf: Leaf) -> Platform | None:
    """The runtime has no other machines."""
    return LINUX_AMD64
