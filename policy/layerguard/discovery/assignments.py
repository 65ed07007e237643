"""Parameters: names and values in a list, or in an object whose names have dots in them."""

from __future__ import annotations

from collections.abc import Iterator

from layerguard.discovery.helm_values import Joined, joined
from layerguard.discovery.path import Keys
from layerguard.discovery.tree import Tree

_LONGEST_NAME = 512


def assigned(value: Tree) -> Iterator[tuple[Keys, Joined]]:
    """Yield the references in a list of names and values, or in an object with dotted names.

    A name such as ``image.repository`` is a path into a chart's values. Each reference comes with
    the keys that lead to the value of its name.
    """
    values: dict[str, Tree] = {}
    keys_of: dict[str, Keys] = {}
    for name, keys, each in _assignments(value):
        place = values
        *parents, last = name.split(".")
        for parent in parents:
            inner = place.setdefault(parent, {})
            place = inner if isinstance(inner, dict) else {}
        place.setdefault(last, each)
        keys_of.setdefault(name, keys)
    ahead: list[tuple[str, str, dict[str, Tree]]] = [("", "", values)]
    while ahead:
        prefix, parent, inner_values = ahead.pop()
        for found in joined(inner_values, values, parent):
            if prefix + found.name in keys_of:
                yield keys_of[prefix + found.name], found
        ahead += (
            (f"{prefix}{name}.", name, each)
            for name, each in inner_values.items()
            if isinstance(each, dict)
        )


def _assignments(value: Tree) -> Iterator[tuple[str, Keys, Tree]]:
    members: Iterator[tuple[Tree, Keys, Tree]]
    if isinstance(value, dict):
        members = ((name, (name,), each) for name, each in value.items())
    elif isinstance(value, list):
        members = (
            (each.get("name"), (position, "value"), each.get("value"))
            for position, each in enumerate(value)
            if isinstance(each, dict)
        )
    else:
        return
    for name, keys, each in members:
        is_plain = not isinstance(each, (dict, list)) and each is not None
        if isinstance(name, str) and is_plain and len(name) <= _LONGEST_NAME:
            yield name, keys, each
