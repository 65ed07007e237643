"""The one walker: applies the catalog's rows to a resource's inputs, then reads every string."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from layerguard.discovery import cloudformation, platforms
from layerguard.discovery.catalog import ROWS, Role, Row
from layerguard.discovery.image_use import ImageUse, Naming
from layerguard.discovery.path import Leaf, find, reach_all
from layerguard.discovery.placement import NOWHERE, Placement
from layerguard.discovery.platforms import Presumed
from layerguard.discovery.strings import references_in
from layerguard.discovery.tree import Mark, Tree, member, plain
from layerguard.errors import ReferenceInvalid
from layerguard.reference import ImageReference
from layerguard.verdict import Code, Verdict


def _by_type(rows: Iterable[Row]) -> Mapping[str, tuple[Row, ...]]:
    table: dict[str, tuple[Row, ...]] = {}
    for row in rows:
        table[row.resource_type] = (*table.get(row.resource_type, ()), row)
    return MappingProxyType(table)


_ROWS_BY_TYPE = _by_type(ROWS)
_NAMED = {Role.PULL: Naming.PULLED, Role.SOFT: Naming.OPTIONAL}
_READ = {Role.DOCUMENT: Naming.FOUND, Role.CARRIER: Naming.CARRIED}
_NEVER_USED = (Role.PUSH, Role.NOT_PULLED)
# Their stacks are made in other accounts and regions than the stack set itself.
_ELSEWHERE = ("aws:cloudformation/stackSet:StackSet", "aws-native:cloudformation:StackSet")


def discover(
    urn: str,
    resource_type: str,
    inputs: object,
    sentinels: Collection[str] = (),
    placement: Placement = NOWHERE,
) -> tuple[ImageUse, ...]:
    """Return every image use of a resource: those of its rows first, then any other reference.

    ``inputs`` are what a policy gets, the SDK's proxies or plain values; a string in
    ``sentinels`` stands for an unknown value. Where one unknown value hides several images, one
    use speaks for them, at the path of that value. ``placement`` is where the resource's provider
    makes it.
    """
    tree = plain(inputs, sentinels)
    resource = _Resource(urn, resource_type, placement.of(tree))
    uses: dict[str, ImageUse] = {}
    for use in resource.uses(_ROWS_BY_TYPE.get(resource_type, ()), tree, ""):
        uses.setdefault(use.path, use)
    return tuple(uses.values())


@dataclass(frozen=True, slots=True)
class _Resource:
    """One resource on the walk."""

    urn: str
    resource_type: str
    placement: Placement

    def uses(self, rows: tuple[Row, ...], tree: Tree, where: str) -> Iterator[ImageUse]:
        """Yield the uses in ``tree``; where several ways lead to a place, the first one counts."""
        judged: set[str] = set()
        for row in rows:
            if row.role in _NAMED:
                for leaf in find(tree, row.path, where):
                    judged.add(leaf.path)
                    yield from self._named(row, leaf)
            elif row.role is Role.TEMPLATE:
                for path, value, _ in reach_all(tree, row.path, where):
                    yield from self._of_template(tree, value, path)
            elif row.role is Role.RESOURCE:
                type_name = member(tree, "typeName") or member(tree, "type")
                for path, value, _ in reach_all(tree, row.path, where):
                    yield from self._of_type(type_name, value, path)
        for use in self._read(rows, tree, where):
            if use.path not in judged:
                yield use

    def _named(self, row: Row, leaf: Leaf) -> Iterator[ImageUse]:
        text = row.reference(leaf, self.placement)
        if text is not None:
            yield self._use(Leaf(leaf.path, text, leaf.ancestors), row, _NAMED[row.role])

    def _read(self, rows: tuple[Row, ...], tree: Tree, where: str) -> Iterator[ImageUse]:
        never = _paths(rows, _NEVER_USED, tree, where)
        carried = _paths(rows, (Role.CARRIER,), tree, where)
        read = Row(self.resource_type, "", platform=self._platform_of_any())
        for row in rows:
            if row.role in _READ:
                for path, value, ancestors in reach_all(tree, row.path, where):
                    if value is Mark.UNREADABLE and row.role is Role.DOCUMENT:
                        yield self._use(Leaf(path, Mark.UNREADABLE, ancestors), read, Naming.FOUND)
                    for found in references_in(value, path):
                        naming = Naming.CARRIED if found.carried else _READ[row.role]
                        yield self._use(found.leaf, read, naming)
        for found in references_in(tree, where):
            if not _is_below(found.leaf.path, never):
                carries = found.carried or _is_below(found.leaf.path, carried)
                yield self._use(found.leaf, read, Naming.CARRIED if carries else Naming.FOUND)

    def _of_template(self, tree: Tree, template: Tree, where: str) -> Iterator[ImageUse]:
        if isinstance(template, Mark):
            yield self._use(Leaf(where, template, ()), Row(self.resource_type, ""), Naming.PULLED)
            return
        placement = NOWHERE if self.resource_type in _ELSEWHERE else self.placement
        inside = _Resource(self.urn, self.resource_type, placement)
        parameters = member(tree, "parameters")
        for each in cloudformation.resources_in(template, parameters, placement, where):
            yield from inside._of_type(each.type_name, each.properties, each.path)

    def _of_type(self, type_name: Tree, properties: Tree, where: str) -> Iterator[ImageUse]:
        yield from self.uses(cloudformation.rows_of(type_name), properties, where)

    def _platform_of_any(self) -> platforms.PlatformRule:
        """Return the rule for a reference that no row knows: a custom resource may run pods."""
        kubernetes = self.resource_type.startswith("kubernetes:")
        return platforms.pod if kubernetes else platforms.undecided

    def _use(self, leaf: Leaf, row: Row, naming: Naming) -> ImageUse:
        text = leaf.value if isinstance(leaf.value, str) else None
        return ImageUse(
            self.urn,
            self.resource_type,
            leaf.path,
            leaf.container,
            text,
            _target(leaf),
            row.platform(leaf),
            isinstance(row.platform, Presumed),
            row.runtime,
            self.placement,
            naming,
        )


def _paths(rows: Iterable[Row], roles: tuple[Role, ...], tree: Tree, where: str) -> tuple[str, ...]:
    return tuple(
        path for row in rows if row.role in roles for path, _, _ in reach_all(tree, row.path, where)
    )


def _is_below(path: str, places: Iterable[str]) -> bool:
    return any(
        path.startswith(place) and path[len(place) : len(place) + 1] in ("", ".", "[")
        for place in places
    )


def _target(leaf: Leaf) -> ImageReference | Verdict:
    match leaf.value:
        case Mark.UNKNOWN:
            return verdict_of(Code.UNKNOWN_IN_PREVIEW)
        case Mark.UNRESOLVED:
            return verdict_of(Code.EXPRESSION_UNRESOLVED)
        case Mark():
            return verdict_of(Code.DOCUMENT_UNREADABLE)
        case text:
            return target_of(text)


def target_of(text: str) -> ImageReference | Verdict:
    """Return the reference that ``text`` is, or the verdict that says why it is none of ECR's."""
    try:
        reference = ImageReference.parse(text)
    except ReferenceInvalid as error:
        return verdict_of(Code.REFERENCE_INVALID, str(error))
    return reference or verdict_of(Code.NOT_PRIVATE_ECR)


def verdict_of(code: Code, reason: str = "") -> Verdict:
    """Return the verdict of ``code``, in its own words where ``reason`` does not say more."""
    return Verdict(code, reason or code.meaning, code.next_step)
