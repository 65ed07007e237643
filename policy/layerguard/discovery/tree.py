"""Resource inputs as plain values: dicts, lists, scalars, and a mark where a value is unknown."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import Enum
from typing import Any, TypeAlias

HIDDEN = "[secret]"
"""The text in place of a secret that is not shown. Source: the engine's ``pkg/backend/display``."""


class Mark(Enum):
    """What stands in a tree where there is no plain value."""

    UNKNOWN = "an output of a resource that does not exist yet"
    HIDDEN = "a secret that is not shown"
    OPAQUE = "an asset, an archive, an expression or another object that names no image"
    UNREADABLE = "a document that does not parse"
    UNRESOLVED = "an expression that only the service evaluates"


class SecretText(str):
    """A string that Pulumi keeps as a secret. It equals the same text that is no secret."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return a text without the secret: exceptions show what they are about in this form."""
        return "SecretText(***)"


Tree: TypeAlias = "dict[str, Tree] | list[Tree] | str | int | float | bool | Mark | None"

Ancestors: TypeAlias = "tuple[Tree, ...]"
"""The objects on the way from the whole of a resource's inputs to a value, the whole first."""


class FoldedObject(dict[str, Tree]):
    """A document's object, read as Go's decoder in the AWS provider does.

    A name matches in any case, and of members whose names differ in case only the later one counts.
    Source: the documentation of Go's encoding/json, ``Unmarshal``.
    """

    __slots__ = ("_names",)
    _names: dict[str, str]

    @classmethod
    def of(cls, members: Iterable[tuple[str, Tree]]) -> FoldedObject:
        """Return the object with ``members`` in their order, a repeated name at its last place."""
        result = cls()
        for name, value in members:
            result.pop(name, None)
            result[name] = value
        return result

    def asked(self, key: str) -> Tree:
        """Return the last member whose name is ``key`` in any case; None where there is none."""
        try:
            names = self._names
        except AttributeError:
            names = self._names = {_folded(name): name for name in self}
        return self.get(names.get(_folded(key), key))


class Block(list[Tree]):
    """A list of one object, as Terraform keeps a block that can stand in its place only once."""

    __slots__ = ()


def _folded(name: str) -> str:
    # Go folds the long s, which Python keeps, as it folds a Kelvin sign.
    return name.lower().replace("\u017f", "s")


def plain(value: object, sentinels: Collection[str] = (), *, is_secret: bool = False) -> Tree:
    """Return ``value``, as a policy gets it, without the SDK's proxies, however deep it is.

    The SDK's proxies raise when an unknown value is read, which would hide its neighbours. They
    hand out the container that they wrap under the key ``__target``; in it an unknown value is
    one of the strings in ``sentinels``. A string asset is its text. Each string in a secret, or in
    all of an ``is_secret`` value, is SecretText; ``HIDDEN`` is Mark.HIDDEN. This is the one place
    that knows the SDK's types.
    """
    result: list[Tree] = [None]
    # A stack of its own instead of recursion: no depth of inputs ends the walk.
    ahead: list[tuple[object, Any, Any, bool]] = [(value, result, 0, is_secret)]
    while ahead:
        value, container, key, secret = ahead.pop()
        while type(value).__module__.startswith("pulumi"):
            value, is_wrapped = _unwrapped(value)
            secret = secret or is_wrapped
        if isinstance(value, _SCALARS):
            container[key] = _scalar(value, sentinels, secret)
            continue
        copy, members = _copied(value)
        container[key] = copy
        for name, each in members:
            if isinstance(each, _SCALARS):
                copy[name] = _scalar(each, sentinels, secret)
            else:
                copy[name] = None
                ahead.append((each, copy, name, secret))
    return result[0]


def _copied(value: object) -> tuple[Any, Iterable[tuple[Any, object]]]:
    """Return a container to fill, and its members; what is no container is opaque."""
    if isinstance(value, Mapping):
        copy = FoldedObject() if type(value) is FoldedObject else {}
        return copy, ((str(name), each) for name, each in value.items())
    if isinstance(value, (list, tuple)):
        return [None] * len(value), enumerate(value)
    return Mark.OPAQUE, ()


_SCALARS = (str, int, float, type(None), Mark)


def _scalar(
    value: str | int | float | Mark | None, sentinels: Collection[str], is_secret: bool
) -> Tree:
    if not isinstance(value, str):
        return value
    if value in sentinels:
        return Mark.UNKNOWN
    if value == HIDDEN:
        return Mark.HIDDEN
    return SecretText(value) if is_secret else value


def _unwrapped(value: object) -> tuple[object, bool]:
    """Return what a proxy, a secret or a string asset of the SDK holds, and if it is a secret."""
    kind = type(value)
    if kind.__name__ == "StringAsset":
        return value.text, False  # type: ignore[attr-defined]
    if not kind.__module__.startswith("pulumi_policy"):
        return Mark.OPAQUE, False
    if kind.__name__ == "Secret":
        return value.value, True  # type: ignore[attr-defined]
    return value["__target"], False  # type: ignore[index]


def text_of(text: str, *parts: Tree) -> str:
    """Return ``text``, which is made of ``parts``: a secret where one of them is one."""
    return SecretText(text) if any(isinstance(each, SecretText) for each in parts) else text


def unknown_among(*values: Tree) -> Mark | None:
    """Return the mark of a value that is not known, None where all are; an output goes first.

    It becomes known in the update, and a secret that is not shown does not.
    """
    return next((mark for mark in (Mark.UNKNOWN, Mark.HIDDEN) if mark in values), None)


def member(value: Tree, key: str) -> Tree:
    """Return the member of ``value``, or of the object in a block; None where there is none."""
    if isinstance(value, Block):
        value = value[0]
    if not isinstance(value, dict):
        return None
    return value.asked(key) if isinstance(value, FoldedObject) else value.get(key)


def reach(value: Tree, *keys: str) -> Tree:
    """Return the member of the member of ``value``; a mark on the way is the result."""
    for key in keys:
        if isinstance(value, Mark):
            break
        value = member(value, key)
    return value
