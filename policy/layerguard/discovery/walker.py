"""The one walker: applies the catalog's rows to a resource's inputs, then reads every string."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from layerguard.discovery import cloudformation, pull_rules
from layerguard.discovery.bugs import ALL_INPUTS, Bugs
from layerguard.discovery.catalog import Role, Row, kubernetes, rows_of
from layerguard.discovery.image_use import ImageUse, Naming, verdict_of
from layerguard.discovery.member_names import CONTAINERS
from layerguard.discovery.path import Keys, Leaf, Place, reach_all
from layerguard.discovery.placement import NOWHERE, Placement
from layerguard.discovery.platforms.pods import pod
from layerguard.discovery.platforms.rule import Presumed, undecided
from layerguard.discovery.reference_text import (
    has_expression,
    holds_host,
    may_be_valid,
    without_scheme,
)
from layerguard.discovery.strings import Found, images_in
from layerguard.discovery.tree import HIDDEN, Mark, SecretText, Tree, member
from layerguard.errors import ReferenceInvalid, assert_never
from layerguard.reference import ImageReference, names_ecr
from layerguard.verdict import Code, Verdict

# Their stacks are made in other accounts and regions than the stack set itself.
_ELSEWHERE = ("aws:cloudformation/stackSet:StackSet", "aws-native:cloudformation:StackSet")

_READ_WHOLE = (Role.CARRIER, Role.DOCUMENT)

_CODES = {
    Mark.UNKNOWN: Code.UNKNOWN_IN_PREVIEW,
    Mark.HIDDEN: Code.SECRET_NOT_SHOWN,
    Mark.UNRESOLVED: Code.EXPRESSION_UNRESOLVED,
    Mark.UNREADABLE: Code.DOCUMENT_UNREADABLE,
    Mark.OPAQUE: Code.DOCUMENT_UNREADABLE,
}


def discover(
    urn: str,
    resource_type: str,
    inputs: Tree,
    placement: Placement = NOWHERE,
    rows: Sequence[Row] | None = None,
) -> tuple[ImageUse, ...]:
    """Return every image use of a resource: those of its rows first, then any other reference.

    Where one unknown value hides several images, one use stands for them, at the path of that
    value. ``placement`` is where the resource's provider makes it. ``rows`` are those of the
    catalog unless given. A bug in reading one place is a use of its own, and hides no other.
    """
    walk = _Walk(urn, resource_type)
    found = rows_of(resource_type) if rows is None else rows
    walk.read(found, inputs, (), placement.of(inputs))
    return walk.uses


class _Walk:
    """Reads one resource. Where several rows lead to a place, the first one counts."""

    def __init__(self, urn: str, resource_type: str) -> None:
        self._urn = urn
        self._type = resource_type
        # None where a row leads to an image that is not pulled after all.
        self._named: dict[Keys, ImageUse | None] = {}
        self._found: dict[Keys, ImageUse] = {}
        self._bugs = Bugs(urn, resource_type)
        self._never = _Places()
        self._carried = _Places()
        self._conditional = _Places()
        self._results: dict[Any, Any] = {}
        # A resource that no row knows may be a custom one that runs pods.
        is_kubernetes = resource_type.startswith(("kubernetes", "kubectl"))
        self._containers = CONTAINERS if is_kubernetes else frozenset[str]()
        platform = pod if is_kubernetes else undecided
        self._otherwise = Row(resource_type, "", platform, pull=pull_rules.by_names)

    @property
    def uses(self) -> tuple[ImageUse, ...]:
        """What was found, each place once: what a row names, then the other references."""
        named = (use for use in self._named.values() if use)
        others = (use for keys, use in self._found.items() if keys not in self._named)
        return (*named, *others, *self._bugs.uses)

    def read(self, rows: Sequence[Row], tree: Tree, where: Keys, placement: Placement) -> None:
        """Read what ``rows`` say of the ``tree`` at ``where``, then every other string in it."""
        for row in rows:
            with self._bugs.at(row.path):
                for place in reach_all(tree, row.path, where):
                    with self._bugs.at(place.keys):
                        self._read_place(row, place, tree, placement)
        with self._bugs.at(where):
            documents = _Documents(rows, tree, where)
            for found in images_in(tree, where, self._containers, documents.cover):
                if not self._never.cover(found.place.keys):
                    is_carried = self._carried.cover(found.place.keys)
                    self._keep(found, placement, is_carried=is_carried)

    def _read_place(self, row: Row, place: Place, tree: Tree, placement: Placement) -> None:
        match row.role:
            case Role.PULL:
                self._name(row, place, Naming.PULLED, placement)
            case Role.OPTIONAL:
                self._name(row, place, Naming.OPTIONAL, placement)
            case Role.DOCUMENT:
                self._read_document(place, placement, is_carried=False)
            case Role.CARRIER:
                self._carried.add(place.keys)
                self._read_document(place, placement, is_carried=True)
            case Role.TEMPLATE:
                self._read_template(place, tree, placement)
            case Role.RESOURCE:
                kind = member(tree, "typeName") or member(tree, "type")
                rows = cloudformation.rows_of(kind)
                self.read(rows, place.value, place.keys, placement)
            case Role.MANIFEST:
                self._read_document(place, placement, is_carried=False)
                names = (member(place.value, key) for key in ("apiVersion", "kind"))
                rows = rows_of(kubernetes.type_of(*map(str, names)))
                self.read(rows, place.value, place.keys, placement)
            case Role.PUSH | Role.NOT_PULLED:
                self._never.add(place.keys)
            case _:
                assert_never(row.role)

    def _name(self, row: Row, place: Place, naming: Naming, placement: Placement) -> None:
        keys, value, ancestors = place
        if not isinstance(value, (str, Mark)):
            return
        reference = row.reference(Leaf(keys, value, ancestors, self._results), placement)
        use = None
        if reference is not None:
            use = self._use(row, Place(keys, reference, ancestors), naming, placement)
        self._named[keys] = self._named.get(keys) or use

    def _read_document(self, place: Place, placement: Placement, *, is_carried: bool) -> None:
        if place.value in (Mark.UNREADABLE, Mark.HIDDEN) and not is_carried:
            self._keep(Found(place, Naming.FOUND), placement)
        for found in images_in(place.value, place.keys, self._containers):
            self._keep(found, placement, is_carried=is_carried)

    def _read_template(self, place: Place, tree: Tree, placement: Placement) -> None:
        if isinstance(place.value, Mark):
            row = Row(self._type, "")
            self._named[place.keys] = self._use(row, place, Naming.PULLED, placement)
            return
        inside = NOWHERE if self._type in _ELSEWHERE else placement
        parameters = member(tree, "parameters")
        for each in cloudformation.resources_in(place.value, parameters, inside):
            rows, keys = cloudformation.rows_of(each.type_name), (*place.keys, *each.keys)
            if each.is_conditional:
                self._conditional.add(keys)
            self.read(rows, each.properties, keys, inside)

    def _keep(self, found: Found, placement: Placement, *, is_carried: bool = False) -> None:
        place, naming, why_unknown = found
        if place.keys in self._found or place.keys in self._named:
            return
        # What only looks like a reference is not certain to be pulled by anything.
        is_text = isinstance(place.value, str) and naming is Naming.FOUND
        if is_carried or (is_text and not may_be_valid(str(place.value))):
            naming = Naming.CARRIED
        use = self._use(self._otherwise, place, naming, placement)
        if why_unknown and use.text is not None:
            use = replace(use, target=verdict_of(Code.EXPRESSION_UNRESOLVED, why_unknown))
        self._found[place.keys] = use

    def _use(self, row: Row, place: Place, naming: Naming, placement: Placement) -> ImageUse:
        keys, value, ancestors = place
        assert isinstance(value, (str, Mark))
        if isinstance(value, str) and HIDDEN in value:  # in a document, or in a part of a text
            value = Mark.HIDDEN
        leaf = Leaf(keys, value, ancestors, self._results)
        target = _target(value, naming)
        pull = Naming.DORMANT if self._conditional.cover(keys) else row.pull(leaf)
        # What is less sure than a pull stays so, whatever the runtime does.
        if pull is not Naming.PULLED and naming in (Naming.PULLED, Naming.FOUND):
            naming = pull
        return ImageUse(
            self._urn,
            self._type,
            leaf.path or ALL_INPUTS,
            leaf.container,
            str(value) if isinstance(value, str) else None,
            verdict_of(Code.NOT_PULLED) if naming is Naming.ON_NODE else target,
            row.platform(leaf),
            isinstance(row.platform, Presumed),
            row.runtime,
            placement,
            naming,
            is_secret=isinstance(value, SecretText),
            storage_gib=row.storage(leaf),
        )


class _Documents:
    """The documents that ``rows`` have read in what stands at ``where``, found when asked for."""

    def __init__(self, rows: Sequence[Row], tree: Tree, where: Keys) -> None:
        self._rows = rows
        self._tree = tree
        self._where = where

    @cached_property
    def _places(self) -> _Places:
        """Where their strings stand."""
        read = (row for row in self._rows if ":" in row.path or row.role in _READ_WHOLE)
        places = _Places()
        for path in dict.fromkeys(row.path.partition(":")[0] for row in read):
            for place in reach_all(self._tree, path, self._where):
                places.add(place.keys)
        return places

    def cover(self, keys: Keys) -> bool:
        """Tell whether ``keys`` lead to one of them, or below it."""
        return self._places.cover(keys)


class _Places:
    """Places that say something of all that stands below them."""

    def __init__(self) -> None:
        # By their lengths, of which there are few: the paths of rows have a dozen steps at most.
        self._keys: defaultdict[int, set[Keys]] = defaultdict(set)

    def add(self, keys: Keys) -> None:
        self._keys[len(keys)].add(keys)

    def cover(self, keys: Keys) -> bool:
        """Tell whether ``keys`` lead to one of the places, or below it."""
        return any(keys[:length] in places for length, places in self._keys.items())


def _target(value: str | Mark, naming: Naming) -> ImageReference | Verdict:
    if isinstance(value, Mark):
        return verdict_of(_CODES[value])
    text = str(value)
    # Only a property that names an image has to hold a reference, and nothing in front of it.
    if naming is not Naming.PULLED:
        text = without_scheme(text)
        if has_expression(text) and (names_ecr(text) or holds_host(text)):
            return verdict_of(Code.EXPRESSION_UNRESOLVED)
    is_reference = naming is Naming.PULLED or names_ecr(text)
    target = target_of(text) if is_reference else verdict_of(Code.NOT_PRIVATE_ECR)
    if isinstance(value, SecretText) and isinstance(target, Verdict):
        return verdict_of(target.code)  # without words of the secret
    return target


def target_of(text: str) -> ImageReference | Verdict:
    """Return the reference that ``text`` is, or the verdict that it is none of ECR's."""
    try:
        reference = ImageReference.parse(text)
    except ReferenceInvalid as error:
        code = Code.REFERENCE_INVALID if error.is_certain else Code.REFERENCE_UNCLEAR
        return verdict_of(code, str(error))
    return reference or verdict_of(Code.NOT_PRIVATE_ECR)
