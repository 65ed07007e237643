"""Whole references among the strings of any tree, wherever they stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from layerguard.discovery.helm_values import joined
from layerguard.discovery.path import Leaf, below
from layerguard.discovery.tree import Mark, Tree
from layerguard.errors import ReferenceInvalid
from layerguard.reference import ImageReference

# Members that carry text on to something else. Source: the names of such members in the inputs of
# the AWS, Kubernetes and Docker providers.
_CARRIERS = frozenset(
    {
        "annotations",
        "args",
        "command",
        "comment",
        "defaulttags",
        "description",
        "entrypoint",
        "env",
        "environment",
        "environmentvariables",
        "envs",
        "labels",
        "notes",
        "tags",
        "tagsall",
    }
)


class _Place(NamedTuple):
    """A value on the walk, and the way to it, from the end."""

    value: Tree
    key: str | int
    parent: _Place | None


class FoundReference(NamedTuple):
    """A reference, and whether it stands in text that is only handed on."""

    leaf: Leaf
    carried: bool


def references_in(tree: Tree, where: str = "") -> Iterator[FoundReference]:
    """Yield each whole private ECR reference with a tag or a digest among the strings of ``tree``.

    References that are split over ``registry``, ``repository``, ``tag`` and ``digest`` are put
    together. The walk has a stack of its own, so no depth ends it. ``where`` is the path of
    ``tree``.
    """
    places = [_Place(tree, "", None)]
    while places:
        place = places.pop()
        value = place.value
        if isinstance(value, str):
            if is_whole_reference(value):
                yield _found(place, value, where)
        elif isinstance(value, dict):
            for key, text in joined(value, tree):
                yield _found(_Place(None, key, place), text, where)
            # Reversed, because the last one pushed comes first.
            places += (_Place(each, key, place) for key, each in reversed(value.items()))
        elif isinstance(value, list):
            places += (
                _Place(value[position], position, place) for position in reversed(range(len(value)))
            )


def is_whole_reference(text: str) -> bool:
    """Tell whether the whole of ``text`` is a private ECR reference with a tag or a digest."""
    if ".dkr" not in text[:64].lower():
        return False  # every host has it: this spares the other strings the parsing
    try:
        reference = ImageReference.parse(text)
    except ReferenceInvalid:
        return False
    return reference is not None and bool(reference.tag or reference.digest)


def _found(place: _Place, text: str | Mark, where: str) -> FoundReference:
    way: list[_Place] = []
    step: _Place | None = place
    while step is not None and step.parent is not None:
        way.append(step)
        step = step.parent
    way.reverse()
    path = where
    for each in way:
        path = below(path, each.key)
    objects = (each.parent.value for each in way if each.parent)
    ancestors = tuple(value for value in objects if isinstance(value, dict))
    keys = (each.key.lower() for each in way if isinstance(each.key, str))
    return FoundReference(Leaf(path, text, ancestors), not _CARRIERS.isdisjoint(keys))
