"""Resource inputs as plain values: dicts, lists, scalars, and a mark where a value is unknown."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import Enum
from typing import Any, TypeAlias


class Mark(Enum):
    """What stands in a tree where there is no plain value."""

    UNKNOWN = "an output of a resource that does not exist yet"
    OPAQUE = "an asset, an archive, an expression or another object that names no image"
    UNREADABLE = "a document that does not parse"
    UNRESOLVED = "an expression that only the service evaluates"


Tree: TypeAlias = "dict[str, Tree] | list[Tree] | str | int | float | bool | Mark | None"

Ancestors: TypeAlias = "tuple[Tree, ...]"
"""The objects on the way from the whole of a resource's inputs to a value, the whole first."""


class FoldedObject(dict[str, Tree]):
    """A document's object: its keys match in any case, as Go's decoder in the AWS provider does."""


def plain(value: object, sentinels: Collection[str]) -> Tree:
    """Return ``value``, as a policy gets it, without the SDK's proxies, however deep it is.

    The SDK's proxies raise when an unknown value is read, which would hide its neighbours. They
    hand out the container that they wrap under the key ``__target``; in it an unknown value is
    one of the strings in ``sentinels``. A string asset is its text. This is the one place that
    knows.
    """
    result: list[Tree] = [None]
    # A stack of its own instead of recursion: no depth of inputs ends the walk.
    open_places: list[tuple[object, Any, Any]] = [(value, result, 0)]
    while open_places:
        value, container, key = open_places.pop()
        if isinstance(value, str):
            container[key] = Mark.UNKNOWN if value in sentinels else value
            continue
        if value is None or isinstance(value, (bool, int, float, Mark)):
            container[key] = value
            continue
        value = _unwrapped(value)
        if isinstance(value, Mapping):
            object_: dict[str, Tree] = dict.fromkeys(map(str, value))
            container[key] = object_
            open_places += ((each, object_, str(name)) for name, each in value.items())
        elif isinstance(value, (list, tuple)):
            list_: list[Tree] = [None] * len(value)
            container[key] = list_
            open_places += ((each, list_, position) for position, each in enumerate(value))
        elif isinstance(value, str):
            open_places.append((value, container, key))
        else:
            container[key] = Mark.OPAQUE
    return result[0]


def _unwrapped(value: object) -> object:
    """Return what the SDK's proxies, secrets and string assets hold."""
    kind = type(value)
    if kind.__module__.startswith("pulumi_policy"):
        secret = kind.__name__ == "Secret"
        return value.value if secret else value["__target"]  # type: ignore[attr-defined, index]
    if kind.__module__.startswith("pulumi.") and kind.__name__ == "StringAsset":
        return value.text  # type: ignore[attr-defined]
    return value


def member(value: Tree, key: str) -> Tree:
    """Return the member of ``value`` under ``key``; None where there is none."""
    if not isinstance(value, dict):
        return None
    if key in value or not isinstance(value, FoldedObject):
        return value.get(key)
    return next((each for name, each in value.items() if name.lower() == key.lower()), None)


def reach(value: Tree, *keys: str) -> Tree:
    """Return the member of the member of ``value``; a mark on the way is the result."""
    for key in keys:
        if isinstance(value, Mark):
            break
        value = member(value, key)
    return value
