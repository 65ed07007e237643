"""Whole references among the strings of any tree, wherever they stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from layerguard.discovery.helm_values import joined
from layerguard.discovery.image_use import Naming
from layerguard.discovery.path import Keys, Place
from layerguard.discovery.tree import Mark, Tree
from layerguard.errors import ReferenceInvalid
from layerguard.reference import ImageReference, names_ecr

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
# Source: the documentation of skopeo, docker buildx and Nomad.
_SCHEMES = ("docker://", "docker-image://", "https://")


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
    """Tell whether ``text`` is, or is meant as, a private ECR reference with a tag or a digest."""
    if ".dkr" not in text[:64].lower():
        return False  # every host has it: this spares the other strings the parsing
    bare = without_scheme(text)
    try:
        reference = ImageReference.parse(bare)
    except ReferenceInvalid:
        _, _, rest = bare.partition("/")
        is_word = not any(map(str.isspace, bare))
        return is_word and (":" in rest or "@" in rest) and names_ecr(bare)
    return reference is not None and bool(reference.tag or reference.digest)


def without_scheme(text: str) -> str:
    """Return ``text`` without the scheme that a tool may take in front of a reference."""
    scheme = next((each for each in _SCHEMES if text.startswith(each)), "")
    return text.removeprefix(scheme)


def has_expression(text: str) -> bool:
    """Tell whether there is an expression in ``text`` that an engine may fill in before a pull.

    Sources: Argo Workflows and Tekton documentation, "Variables"; Step Functions developer guide,
    "Intrinsic functions".
    """
    return "$" in text or "{{" in text


def may_be_valid(text: str) -> bool:
    """Tell whether ``text`` is a reference, or may become one when its expressions are known."""
    if has_expression(text):
        return True
    try:
        ImageReference.parse(without_scheme(text))
    except ReferenceInvalid as error:
        return not error.is_certain
    return True


def naming_of(keys: Keys, otherwise: Naming) -> Naming:
    """Return in what sense the names of the members in ``keys`` name an image."""
    names = [key.replace("_", "").lower() for key in keys if isinstance(key, str)]
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
