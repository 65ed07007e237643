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
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple, TypeAlias, TypeVar

from layerguard.discovery.documents import READERS
from layerguard.discovery.documents.unreadable import DocumentUnreadable
from layerguard.discovery.terraform_names import TerraformObject
from layerguard.discovery.tree import (
    Ancestors,
    Block,
    Mark,
    SecretText,
    Tree,
    member,
    plain,
    unknown_among,
)
from layerguard.mistaken_text import is_printed_value

_STEP = re.compile(
    r"""\[\] | \[\w+=[^\]]+\] | \{\*\} | :[a-z-]+ """
    r"""| \["(?P<quoted>[^"]+)"\] | \.?(?P<key>[^.\[\]{}:]+)""",
    re.VERBOSE,
)
_CHOICE = re.compile(r"\[(?P<member>\w+)=(?P<value>.+)\]")
_PLAIN_KEY = re.compile(r"[\w$*-]+", re.ASCII)
_Result = TypeVar("_Result")

Keys: TypeAlias = "tuple[str | int, ...]"
"""The names of members and the numbers of elements on the way to a value."""


def written(keys: Keys) -> str:
    """Return ``keys`` as a property path, such as ``containerDefinitions[0].image``."""
    path = "".join(map(_written, keys))
    return path.removeprefix(".")


def _written(key: str | int) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    return f".{key}" if _PLAIN_KEY.fullmatch(key) else f'["{key}"]'


class Place(NamedTuple):
    """A value that a path leads to. ``ancestors`` are the objects on the way, the root first."""

    keys: Keys
    value: Tree
    ancestors: Ancestors


@dataclass(frozen=True, slots=True)
class Leaf:
    """A place where an image may stand: a string, or a mark where the way ended before its time.

    ``results`` are what ``once`` has computed for the leaves of the same resource.
    """

    keys: Keys
    value: str | Mark
    ancestors: Ancestors
    results: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def path(self) -> str:
        """The property path, with indexes."""
        return written(self.keys)

    @property
    def container(self) -> str | None:
        """The name beside the value, where it belongs to one element of a list of containers."""
        match self.keys:
            case (*_, int(), str()) if self.ancestors:
                name = member(self.ancestors[-1], "name")
                return name if type(name) is str else None  # and no secret
        return None

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

    def once(self, rule: Callable[..., _Result], *values: Tree) -> _Result:
        """Return ``rule(*values)``, computed once for all leaves that have the same ``values``.

        What a thousand containers share, such as a list of instance types, is read only once.
        """
        key = (rule, *map(id, values))
        if key not in self.results:
            # The values are kept, because the identity of one that is gone may be given again.
            self.results[key] = (rule(*values), values)
        result: _Result = self.results[key][0]
        return result


def find(tree: Tree, path: str) -> Iterator[Leaf]:
    """Yield each place in ``tree`` that ``path`` leads to and where a string or a mark stands.

    An unknown value ends only the ways that lead through it.
    """
    results: dict[Any, Any] = {}
    for keys, value, ancestors in reach_all(tree, path):
        if isinstance(value, (str, Mark)):
            yield Leaf(keys, value, ancestors, results)


def reach_all(tree: Tree, path: str, where: Keys = ()) -> list[Place]:
    """Return each place that ``path`` leads to in ``tree``, which itself stands at ``where``."""
    places = [Place(where, tree, ())]
    for step in steps(path):
        places = [following for place in places for following in _follow(place, step)]
    return places


@cache
def steps(path: str) -> tuple[str, ...]:
    """Return the steps of ``path``: keys without their quotes, the other steps as written."""
    found = tuple(step["quoted"] or step["key"] or step[0] for step in _STEP.finditer(path))
    unknown = [step for step in found if step[0] == ":" and step[1:] not in READERS]
    if _STEP.sub("", path) or unknown:
        raise ValueError(f"'{path}' is not a property path.")
    return found


def _follow(place: Place, step: str) -> Iterator[Place]:
    """Yield the places one ``step`` further; a mark ends the way, and stays where it is."""
    keys, value, ancestors = place
    if isinstance(value, Mark) and value is not Mark.OPAQUE:
        yield place
    elif step[0] == ":":
        yield Place(keys, _document(value, step[1:], ancestors), ancestors)
    elif step[0] == "[":
        if isinstance(value, TerraformObject) and _is_chosen(value, step):
            yield place  # a bridge made it of a list with one object
        for position, element in enumerate(value if isinstance(value, list) else ()):
            if _is_chosen(element, step):
                yield Place((*keys, position), element, ancestors)
    elif isinstance(value, Block):
        yield from _follow(Place((*keys, 0), value[0], ancestors), step)
    elif isinstance(value, dict):
        for key in value if step == "{*}" else (step,):
            name = value.name_of(key) if isinstance(value, TerraformObject) else key
            yield Place((*keys, name), member(value, key), (*ancestors, value))


def _is_chosen(element: Tree, step: str) -> bool:
    """Tell whether ``step`` leads to ``element``; one that is unknown may be the one."""
    choice = _CHOICE.fullmatch(step)
    return (
        choice is None
        or unknown_among(element) is not None
        or member(element, choice["member"]) == choice["value"]
    )


def _document(value: Tree, reader: str, ancestors: Ancestors) -> Tree:
    """Return the document in ``value``; what is no string is one already, or none."""
    if not isinstance(value, str):
        return value
    if is_printed_value(value):
        return Mark.UNREADABLE
    try:
        document = READERS[reader](str(value), ancestors)
    except DocumentUnreadable:
        return Mark.UNREADABLE
    return plain(document, is_secret=True) if isinstance(value, SecretText) else document
