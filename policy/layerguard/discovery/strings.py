"""Whole references among the strings of any tree, wherever they stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from layerguard.discovery.helm_values import joined
from layerguard.discovery.path import Keys, Place
from layerguard.discovery.tree import Mark, Tree
from layerguard.reference import ImageReference

# Members whose text is only handed on. Source: the names of such members in the inputs of the AWS,
# Kubernetes and Docker providers.
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


# Steps of the ways to all references together, some ten for each: the paths of many that are deeply
# nested would grow with their square.
_MOST_STEPS = 1_000_000


class _Step(NamedTuple):
    """A value on the walk, and the way to it, from the end."""

    value: Tree
    key: str | int
    parent: _Step | None


def references_in(tree: Tree, where: Keys = ()) -> Iterator[Place]:
    """Yield each whole private ECR reference with a tag or a digest among the strings of ``tree``.

    References that are split over ``registry``, ``repository``, ``tag`` and ``digest`` are put
    together; one with an unknown part is a mark. The walk has a stack of its own, so no depth ends
    it. ``where`` is the place of ``tree``, where a mark stands for those that are too many.
    """
    steps_left = _MOST_STEPS
    for place in _references_in(tree, where):
        steps_left -= len(place.keys)
        if steps_left < 0:
            yield Place(where, Mark.UNREADABLE, ())
            return
        yield place


def _references_in(tree: Tree, where: Keys) -> Iterator[Place]:
    ahead = [_Step(tree, "", None)]
    while ahead:
        step = ahead.pop()
        value = step.value
        if isinstance(value, str):
            if is_whole_reference(value):
                yield _place(step, where)
        elif isinstance(value, dict):
            for key, reference in joined(value, tree):
                yield _place(_Step(reference, key, step), where)
            # Reversed, because the last one pushed comes first.
            ahead += (_Step(each, key, step) for key, each in reversed(value.items()))
        elif isinstance(value, list):
            ahead += (_Step(value[index], index, step) for index in reversed(range(len(value))))


def is_whole_reference(text: str) -> bool:
    """Tell whether the whole of ``text`` is a private ECR reference with a tag or a digest."""
    if ".dkr" not in text[:64].lower():
        return False  # every host has it: this spares the other strings the parsing
    reference = ImageReference.find(text)
    return reference is not None and bool(reference.tag or reference.digest)


def is_carried(keys: Keys) -> bool:
    """Tell whether what stands at ``keys`` is text that is only handed on."""
    return not _CARRIERS.isdisjoint(key.lower() for key in keys if isinstance(key, str))


def _place(step: _Step, where: Keys) -> Place:
    value, keys, ancestors = step.value, [], []
    while step.parent is not None:
        keys.append(step.key)
        step = step.parent
        if isinstance(step.value, dict):
            ancestors.append(step.value)
    return Place((*where, *reversed(keys)), value, tuple(reversed(ancestors)))
