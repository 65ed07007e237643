"""Whole references among the strings of any tree, wherever they stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from layerguard.discovery.helm_values import joined
from layerguard.discovery.image_use import Naming
from layerguard.discovery.path import Keys, Place
from layerguard.discovery.tree import Tree
from layerguard.errors import ReferenceInvalid
from layerguard.reference import ImageReference

# Members whose text is only handed on: free text, variables, and the destination of a build.
# Source: the names of such members in the inputs of the AWS, Kubernetes, Docker, GitHub and GitLab
# providers; of destinations in Shipwright, Tekton, kpack, kaniko and OpenShift's builds.
_CARRIERS = frozenset(
    {
        "additionaltags",
        "annotations",
        "args",
        "command",
        "comment",
        "defaulttags",
        "description",
        "destination",
        "destinations",
        "entrypoint",
        "env",
        "environment",
        "environmentoverride",
        "environmentvariables",
        "envs",
        "labels",
        "notes",
        "output",
        "outputs",
        "params",
        "runtimeenvironmentvariables",
        "tags",
        "tagsall",
        "to",
        "variables",
    }
)
# The same of a member itself, and not of what stands below it: charts use these names otherwise.
_VALUES = frozenset(("default", "defaultvalue", "plaintextvalue", "tag", "value"))
_CACHES = frozenset(("cache", "cachefrom", "cachefroms", "cacheto", "caches"))


class _Step(NamedTuple):
    """A value on the walk, and the way to it, from the end."""

    value: Tree
    key: str | int
    parent: _Step | None


def references_in(tree: Tree, where: Keys = ()) -> Iterator[Place]:
    """Yield each whole private ECR reference with a tag or a digest among the strings of ``tree``.

    References that are split over ``registry``, ``repository``, ``tag`` and ``digest`` are put
    together; one with an unknown part is a mark. The walk has a stack of its own, so no depth ends
    it. ``where`` is the place of ``tree``.
    """
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
    try:
        reference = ImageReference.parse(text)
    except ReferenceInvalid:
        return False
    return reference is not None and bool(reference.tag or reference.digest)


def naming_of(keys: Keys, otherwise: Naming) -> Naming:
    """Return in what sense the names of the members in ``keys`` name an image."""
    names = [key.lower() for key in keys if isinstance(key, str)]
    if not _CARRIERS.isdisjoint(names) or not _VALUES.isdisjoint(names[-1:]):
        return Naming.CARRIED
    return otherwise if _CACHES.isdisjoint(names) else Naming.OPTIONAL


def _place(step: _Step, where: Keys) -> Place:
    value, keys, ancestors = step.value, [], []
    while step.parent is not None:
        keys.append(step.key)
        step = step.parent
        if isinstance(step.value, dict):
            ancestors.append(step.value)
    return Place((*where, *reversed(keys)), value, tuple(reversed(ancestors)))
