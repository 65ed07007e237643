"""Property paths: where in a resource's inputs a row looks.

| step | leads to |
|---|---|
| ``a.b`` | a member of a member |
| ``["a.b"]`` | a member whose name has other characters than a property's |
| ``[]`` | each element of a list |
| ``[name=x]`` | each element of a list whose member ``name`` is ``x`` |
| ``{*}`` | each value of a map |
| ``:json`` | the document in a string, by the reader of that name |
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from layerguard.discovery.documents import READERS
from layerguard.discovery.documents.unreadable import DocumentUnreadable
from layerguard.discovery.tree import Ancestors, Mark, Tree, member

_STEP = re.compile(
    r"""\[\] | \[\w+=[^\]]+\] | \{\*\} | :[a-z-]+ """
    r"""| \["(?P<quoted>[^"]+)"\] | \.?(?P<key>[^.\[\]{}:]+)""",
    re.VERBOSE,
)
_CHOICE = re.compile(r"\[(?P<member>\w+)=(?P<value>.+)\]")
_PLAIN_KEY = re.compile(r"[\w$*-]+", re.ASCII)
_ELEMENT_MEMBER = re.compile(r"\]\.[^.\[\]]+")


@dataclass(frozen=True, slots=True)
class Leaf:
    """What a path leads to: a string, or a mark where the way ended before its time.

    ``path`` has the indexes filled in. ``ancestors`` are the objects on the way, the root first.
    """

    path: str
    value: str | Mark
    ancestors: Ancestors

    @property
    def container(self) -> str | None:
        """The name beside the value, where it belongs to one element of a list of containers."""
        last_step = self.path[self.path.rfind("]") :]
        name = member(self.ancestors[-1], "name") if self.ancestors else None
        return name if _ELEMENT_MEMBER.fullmatch(last_step) and isinstance(name, str) else None

    @property
    def root(self) -> Tree:
        """The whole of the resource's inputs."""
        return self.ancestors[0] if self.ancestors else None

    def beside(self, key: str) -> Tree:
        """Return the member ``key`` of the object that the value stands in."""
        return member(self.ancestors[-1], key) if self.ancestors else None

    def nearest(self, key: str) -> Tree:
        """Return the member ``key`` of the innermost object on the way that has one."""
        found = (member(ancestor, key) for ancestor in reversed(self.ancestors))
        return next((value for value in found if value is not None), None)


def find(tree: Tree, path: str, where: str = "") -> Iterator[Leaf]:
    """Yield each place in ``tree`` that ``path`` leads to and where a string or a mark stands.

    An unknown value ends only the ways that lead through it. ``where`` is the path of ``tree``.
    """
    for place, value, ancestors in reach_all(tree, path, where):
        if isinstance(value, (str, Mark)):
            yield Leaf(place, value, ancestors)


def reach_all(tree: Tree, path: str, where: str = "") -> Iterator[tuple[str, Tree, Ancestors]]:
    """Yield the path, the value and the objects on the way of each place ``path`` leads to."""
    yield from _walk(tree, steps(path), where, ())


def below(where: str, key: str | int) -> str:
    """Return the path of the member or element ``key`` of what stands at ``where``."""
    if isinstance(key, int):
        return f"{where}[{key}]"
    if not _PLAIN_KEY.fullmatch(key):
        return f'{where}["{key}"]'
    return f"{where}.{key}" if where else key


@cache
def steps(path: str) -> tuple[str, ...]:
    """Return the steps of ``path``: keys without their quotes, the other steps as written."""
    found = tuple(step["quoted"] or step["key"] or step[0] for step in _STEP.finditer(path))
    unknown = [step for step in found if step[0] == ":" and step[1:] not in READERS]
    if _STEP.sub("", path) or unknown:
        raise ValueError(f"'{path}' is not a property path.")
    return found


def _walk(
    value: Tree, ahead: tuple[str, ...], where: str, ancestors: Ancestors
) -> Iterator[tuple[str, Tree, Ancestors]]:
    if not ahead or (isinstance(value, Mark) and value is not Mark.OPAQUE):
        yield where, value, ancestors
        return
    step, rest = ahead[0], ahead[1:]
    if step[0] == ":":
        yield from _walk(_document(value, step[1:], ancestors), rest, where, ancestors)
    elif step[0] == "[":
        if isinstance(value, list):
            for position, element in enumerate(value):
                if _chosen(step, element):
                    yield from _walk(element, rest, below(where, position), ancestors)
    elif isinstance(value, dict):
        for key in value if step == "{*}" else (step,):
            yield from _walk(member(value, key), rest, below(where, key), (*ancestors, value))


def _chosen(step: str, element: Tree) -> bool:
    """Tell whether ``step`` leads to ``element``; one that is unknown may be the one."""
    choice = _CHOICE.fullmatch(step)
    return (
        choice is None
        or element is Mark.UNKNOWN
        or member(element, choice["member"]) == choice["value"]
    )


def _document(value: Tree, reader: str, ancestors: Ancestors) -> Tree:
    """Return the document in ``value``; what is no string is one already, or none."""
    if not isinstance(value, str):
        return value
    try:
        return READERS[reader](value, ancestors)
    except DocumentUnreadable:
        return Mark.UNREADABLE
