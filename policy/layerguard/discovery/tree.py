"""Resource inputs as plain values: dicts, lists, scalars, and a mark where a value is unknown."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import Enum
from typing import TypeAlias


class Mark(Enum):
    """What stands in a tree where there is no plain value."""

    UNKNOWN = "an output of a resource that does not exist yet"
    OPAQUE = "an asset, an archive or another object that names no image"
    UNREADABLE = "a document that does not parse"


Tree: TypeAlias = "dict[str, Tree] | list[Tree] | str | int | float | bool | Mark | None"


class FoldedObject(dict[str, Tree]):
    """A JSON object whose keys match in any case, as Go's decoder in the AWS provider does."""


def plain(value: object, sentinels: Collection[str]) -> Tree:
    """Return ``value``, as a policy gets it, without the SDK's proxies.

    The SDK's proxies raise when an unknown value is read, which would hide its neighbours. They
    hand out the container that they wrap under the key ``__target``; in it an unknown value is
    one of the strings in ``sentinels``. This is the one place that knows.
    """
    if isinstance(value, str):
        return Mark.UNKNOWN if value in sentinels else value
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if type(value).__module__.startswith("pulumi_policy"):
        value = value["__target"]  # type: ignore[index]
    if isinstance(value, Mapping):
        return {str(key): plain(each, sentinels) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each, sentinels) for each in value]
    return Mark.OPAQUE


def member(value: Tree, key: str) -> Tree:
    """Return the member of ``value`` under ``key``; None where there is none."""
    if not isinstance(value, dict):
        return None
    if key in value or not isinstance(value, FoldedObject):
        return value.get(key)
    return next((each for name, each in value.items() if name.lower() == key.lower()), None)
