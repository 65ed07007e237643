"""Values of inputs that name a platform, an architecture or a type of machine."""

from __future__ import annotations

import re

from layerguard.discovery.platforms.rule import LINUX_AMD64, LINUX_ARM64
from layerguard.discovery.tree import Mark, Tree
from layerguard.errors import PlatformInvalid
from layerguard.platform import Platform

ARCHITECTURES = {
    "x86_64": "amd64",
    "amd64": "amd64",
    "x86-64": "amd64",
    "arm64": "arm64",
    "aarch64": "arm64",
}
# Graviton families have a "g" behind the generation: m7g, c6gn, g5g; g4dn and g5 do not.
_GRAVITON = re.compile(r"(?:a1|[a-z]+[0-9]+g[a-z]*)", re.ASCII)
_INSTANCE_FAMILY = re.compile(r"(?:ml\.)?(?P<family>[a-z]+[0-9]+[a-z0-9-]*)(?:\..+)?", re.ASCII)


def linux(architecture: Tree) -> Platform | None:
    """Return Linux on an architecture by any of its names; None for another word."""
    known = ARCHITECTURES.get(architecture.lower()) if isinstance(architecture, str) else None
    return Platform("linux", known) if known else None


def parsed(text: Tree) -> Platform | None:
    """Return the platform that a text such as linux/arm64 names; None for another value."""
    try:
        return Platform.parse(text) if isinstance(text, str) else None
    except PlatformInvalid:
        return None


def of_instances(*kinds: Tree) -> Platform | None:
    """Return Linux on the one architecture that all instance types have; None without one.

    Each of ``kinds`` is an instance type, a list of them, or None, which is left out.
    """
    types = [each for kind in kinds for each in (kind if isinstance(kind, list) else [kind])]
    found = {_of_instance(each) for each in types if each is not None}
    return found.pop() if len(found) == 1 else None


def _of_instance(kind: Tree) -> Platform | None:
    match = _INSTANCE_FAMILY.fullmatch(kind) if isinstance(kind, str) else None
    if match is None:
        return None
    return LINUX_ARM64 if _GRAVITON.fullmatch(match["family"]) else LINUX_AMD64


def elements(value: Tree) -> list[Tree]:
    """Return the elements of a list; a mark or an object instead of one is its only element."""
    if isinstance(value, list):
        return value
    return [value] if isinstance(value, (Mark, dict)) else []


def strings(value: Tree) -> set[str]:
    """Return the strings among the elements of a list, in upper case."""
    return {element.upper() for element in elements(value) if isinstance(element, str)}
