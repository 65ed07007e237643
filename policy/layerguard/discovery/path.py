"""Property paths: where in a resource's inputs a row looks.

``a.b`` is a member of a member, ``[]`` each element of a list, ``{*}`` each value of a map, and
``:json`` the document in a string: ``containerDefinitions:json[].image``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from layerguard.discovery.tree import FoldedObject, Mark, Tree, member

_STEP = re.compile(r"\[\]|\{\*\}|:json|\.?(?P<key>[^.\[\]{}:]+)")
_ELEMENT_MEMBER = re.compile(r"\]\.[^.\[\]]+")


@dataclass(frozen=True, slots=True)
class Leaf:
    """What a path leads to: a string, or a mark where the way ended before its time.

    ``path`` has the indexes filled in. ``ancestors`` are the objects on the way, the root first.
    """

    path: str
    value: str | Mark
    ancestors: tuple[Tree, ...]

    @property
    def container(self) -> str | None:
        """The name beside the value, where it belongs to one element of a list of containers."""
        last_step = self.path[self.path.rfind("]") :]
        name = member(self.ancestors[-1], "name") if self.ancestors else None
        return name if _ELEMENT_MEMBER.fullmatch(last_step) and isinstance(name, str) else None

    def nearest(self, key: str) -> Tree:
        """Return the member ``key`` of the innermost object on the way that has one."""
        found = (member(ancestor, key) for ancestor in reversed(self.ancestors))
        return next((value for value in found if value is not None), None)


def find(tree: Tree, path: str) -> Iterator[Leaf]:
    """Yield each place in ``tree`` that ``path`` leads to and where a string or a mark stands.

    An unknown value ends only the ways that lead through it.
    """
    yield from _walk(tree, _steps(path), "", ())


@cache
def _steps(path: str) -> tuple[str, ...]:
    if _STEP.sub("", path):
        raise ValueError(f"'{path}' is not a property path.")
    return tuple(step["key"] or step[0] for step in _STEP.finditer(path))


def _walk(
    value: Tree, steps: tuple[str, ...], where: str, ancestors: tuple[Tree, ...]
) -> Iterator[Leaf]:
    if value is Mark.UNKNOWN:
        yield Leaf(where, Mark.UNKNOWN, ancestors)
        return
    if not steps:
        if isinstance(value, str):
            yield Leaf(where, value, ancestors)
        return
    step, rest = steps[0], steps[1:]
    if step == ":json":
        yield from _walk_document(value, rest, where, ancestors)
    elif step == "[]":
        if isinstance(value, list):
            for position, element in enumerate(value):
                yield from _walk(element, rest, f"{where}[{position}]", ancestors)
    elif isinstance(value, dict):
        for key in value if step == "{*}" else (step,):
            name = f"{where}.{key}" if where else key
            yield from _walk(member(value, key), rest, name, (*ancestors, value))


def _walk_document(
    value: Tree, rest: tuple[str, ...], where: str, ancestors: tuple[Tree, ...]
) -> Iterator[Leaf]:
    if not isinstance(value, str):
        yield from _walk(value, rest, where, ancestors)
        return
    try:
        document = json.loads(value, object_pairs_hook=FoldedObject)
    except (ValueError, RecursionError):
        yield Leaf(where, Mark.UNREADABLE, ancestors)
        return
    yield from _walk(document, rest, where, ancestors)
