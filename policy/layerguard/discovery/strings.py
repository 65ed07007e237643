"""Images among the strings of any tree, wherever they stand, and in the documents in them."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from typing import NamedTuple

from layerguard.discovery.assignments import assigned
from layerguard.discovery.documents.embedded import holds_document, read_embedded
from layerguard.discovery.helm_values import NAMES, WITHOUT_VERSION, Joined, joined
from layerguard.discovery.image_use import Naming
from layerguard.discovery.member_names import (
    ASSIGNMENTS,
    NEVER_READ,
    is_handed_on,
    is_open,
    is_prose,
    naming_of,
    plain_name,
)
from layerguard.discovery.path import Keys, Place
from layerguard.discovery.reference_text import has_expression, is_image, is_whole_reference
from layerguard.discovery.steps import Step
from layerguard.discovery.tree import Mark, SecretText, Tree, plain

# Steps of the ways to all places together, some ten for each: the paths of many that are deeply
# nested would grow with their square.
_MOST_STEPS = 1_000_000
# Characters of all documents in strings together, and of documents in documents.
_MOST_CHARACTERS = 1_000_000
_MOST_DOCUMENTS = 3
_SHORTEST = 24  # a host with an account, a region and a domain is longer


class Found(NamedTuple):
    """A place that names an image, and in what sense.

    ``why_unknown`` says why the text there is only a part of the reference; else it is "".
    """

    place: Place
    naming: Naming
    why_unknown: str = ""


def images_in(
    tree: Tree,
    where: Keys = (),
    containers: Container[str] = (),
    is_read: Callable[[Keys], bool] = lambda _keys: False,
) -> Iterator[Found]:
    """Yield each place of an image in private ECR among the strings of ``tree``.

    That is each whole reference with a tag or a digest; one without where the names of the members
    say that it is an image; and what is split over several members, put together. The same is
    found in documents in strings, unless ``is_read`` says that they were read. An image without a
    tag is certain only in the members that are ``containers``. The walk has a stack of its own, so
    no depth ends it. ``where`` is the place of ``tree``, where a mark stands for those that are too
    many; a mark stands for a document that does not parse, too.
    """
    return _Walk(where, containers, is_read).images_in(tree)


class _Walk:
    def __init__(
        self, where: Keys, containers: Container[str], is_read: Callable[[Keys], bool]
    ) -> None:
        self._where = where
        self._containers = containers
        self._is_read = is_read
        self._steps_left = _MOST_STEPS
        self._characters_left = _MOST_CHARACTERS

    def images_in(self, tree: Tree) -> Iterator[Found]:
        ahead = [Step(tree, "", None, tree)]
        while ahead:
            if self._steps_left < 0:
                yield Found(Place(self._where, Mark.UNREADABLE, ()), Naming.FOUND)
                return
            step = ahead.pop()
            value = step.value
            if isinstance(value, str):
                found = self._image(step, value)
                if found:
                    yield found
                elif holds_document(value) and (document := self._document(step, value)):
                    ahead.append(document)
            elif step.key in NEVER_READ:
                continue
            elif isinstance(value, dict):
                if step.key in ASSIGNMENTS or not NAMES.isdisjoint(value):
                    yield from self._joined(step, value)
                # Reversed, because the last one pushed comes first.
                ahead += (
                    step.below(each, key)
                    for key, each in reversed(value.items())
                    if _is_worth_a_step(each)
                )
            elif isinstance(value, list):
                if step.key in ASSIGNMENTS:
                    yield from self._assigned(step)
                ahead += (
                    step.below(value[index], index)
                    for index in reversed(range(len(value)))
                    if _is_worth_a_step(value[index])
                )
            elif value is Mark.UNREADABLE and step.documents:
                yield Found(self._place(step), Naming.CARRIED)

    def _image(self, step: Step, text: str) -> Found | None:
        written, text = text, step.without_name(text)
        is_whole = is_whole_reference(text)
        if not is_whole and not (step.is_image and is_image(text)):
            return None
        place = self._place(step._replace(value=text))
        names = self._names(place)
        naming = naming_of(names, Naming.FOUND)
        if not is_whole:
            if is_handed_on(names) or step.is_only_listed:
                return None
            naming = naming if step.is_of_container(self._containers) else Naming.CARRIED
        is_part = text != written or is_open(names)
        is_unknown = is_part and not is_whole and not has_expression(text)
        why_unknown = WITHOUT_VERSION if is_unknown else ""
        naming = Naming.CARRIED if is_part or step.documents else naming
        return Found(place, naming, why_unknown)

    def _joined(self, step: Step, values: dict[str, Tree]) -> Iterator[Found]:
        parent = step.key if isinstance(step.key, str) else ""
        for each in joined(values, step.whole, parent):
            yield self._split(step.below(each.reference, each.name), each)
        if step.key in ASSIGNMENTS:
            yield from self._assigned(step)

    def _assigned(self, step: Step) -> Iterator[Found]:
        for keys, each in assigned(step.value):
            inner = step
            for key in keys[:-1]:
                assert isinstance(inner.value, list)
                assert isinstance(key, int)
                inner = inner.below(inner.value[key], key)
            yield self._split(inner.below(each.reference, keys[-1]), each)

    def _split(self, step: Step, each: Joined) -> Found:
        place = self._place(step)
        naming = naming_of(self._names(place), each.naming)
        return Found(place, Naming.CARRIED if step.documents else naming, each.why_unknown)

    def _document(self, step: Step, text: str) -> Step | None:
        """Return the step to the document that ``text`` is, in the place of the text."""
        place = self._place(step)
        if self._is_read(place.keys) or is_prose(self._names(place)):
            return None
        self._characters_left -= len(text)
        document: Tree = Mark.UNREADABLE
        if self._characters_left >= 0 and step.documents < _MOST_DOCUMENTS:
            document = read_embedded(str(text))
        if isinstance(text, SecretText):
            document = plain(document, is_secret=True)
        return step.inside(document)

    def _names(self, place: Place) -> list[str]:
        names = (plain_name(key) for key in place.keys[len(self._where) :])
        return [each for each in names if each]

    def _place(self, step: Step) -> Place:
        value, keys, ancestors = step.value, [], []
        while step.parent is not None:
            keys.append(step.key)
            step = step.parent
            if isinstance(step.value, dict):
                ancestors.append(step.value)
        self._steps_left -= len(keys)
        return Place((*self._where, *reversed(keys)), value, tuple(reversed(ancestors)))


def _is_worth_a_step(value: Tree) -> bool:
    """Tell whether there may be an image in ``value``: this spares most values the walk."""
    return len(value) >= _SHORTEST if isinstance(value, str) else isinstance(value, (dict, list))
