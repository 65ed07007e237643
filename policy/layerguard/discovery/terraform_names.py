"""Properties in Terraform's spelling, asked for by the names that Pulumi's own providers give them.

Terraform's names are in snake_case, a name of a list of blocks is singular, and a block that can
stand there once is a list with one object. A bridge makes camelCase of the names, a plural of a
list's, and the object of such a list; which of these it did differs from bridge to bridge, so that
each is understood. What nobody set may be there as an empty string or list.
Source: the Pulumi Terraform bridge, ``pkg/tfbridge/names.go``, and Terraform's "State" format.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from layerguard.discovery.tree import Block, FoldedObject, Tree

_CAPITAL = re.compile("(?<=[a-z0-9])[A-Z]", re.ASCII)
# A plural's end and the singular's; of the words that the catalog has none is formed otherwise.
_PLURALS = (("ies", "y"), ("ses", "s"), ("s", ""))


class TerraformObject(FoldedObject):
    """An object whose members are asked for by Pulumi's names, and kept under their own."""

    __slots__ = ()

    def name_of(self, key: str) -> str:
        """Return the name under which the member ``key`` is kept; ``key`` where there is none."""
        return next((name for name in _names(key) if name in self), key)

    def asked(self, key: str) -> Tree:
        """Return the member that Pulumi calls ``key``; None where it is not set."""
        value = self.get(self.name_of(key))
        is_unset = _is_of_property(key) and (value == "" or value == [])
        return None if is_unset else value


def snake_case(name: str) -> str:
    """Return ``name`` as Terraform writes it."""
    return _CAPITAL.sub(lambda letter: f"_{letter[0]}", name).lower()


def in_terraforms_spelling(inputs: Tree) -> Tree:
    """Return ``inputs`` with members that are found by Pulumi's names, however deep they are."""
    result: list[Tree] = [inputs]
    ahead: list[tuple[Tree, Any, Any]] = [(inputs, result, 0)]
    while ahead:
        value, container, key = ahead.pop()
        if isinstance(value, dict):
            object_ = container[key] = TerraformObject(value)
            ahead += ((each, object_, name) for name, each in value.items())
        elif isinstance(value, list):
            is_block = len(value) == 1 and isinstance(value[0], dict)
            list_ = container[key] = Block(value) if is_block else list(value)
            ahead += ((each, list_, position) for position, each in enumerate(value))
    return result[0]


@lru_cache(maxsize=4096)
def _names(key: str) -> tuple[str, ...]:
    """Return the names that a member may have which Pulumi calls ``key``, its own first."""
    if not _is_of_property(key):
        return (key,)
    singular = (key[: -len(end)] + other for end, other in _PLURALS if key.endswith(end))
    names = (key, *singular)
    return tuple(dict.fromkeys((*names, *map(snake_case, names))))


def _is_of_property(name: str) -> bool:
    """Tell whether ``name`` is a property's; with another first letter it is a key of a map."""
    return name[:1].islower()
