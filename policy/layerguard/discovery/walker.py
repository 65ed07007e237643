"""The one walker: applies the catalog's rows to a resource's inputs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType

from layerguard.discovery.catalog import ROWS, Row
from layerguard.discovery.path import Leaf, find
from layerguard.discovery.tree import Mark, Tree, plain
from layerguard.discovery.use import ImageUse
from layerguard.errors import ReferenceInvalid
from layerguard.reference import ImageReference
from layerguard.verdict import Code, Verdict


def _by_type(rows: tuple[Row, ...]) -> Mapping[str, tuple[Row, ...]]:
    table: dict[str, tuple[Row, ...]] = {}
    for row in rows:
        table[row.resource_type] = (*table.get(row.resource_type, ()), row)
    return MappingProxyType(table)


_ROWS_BY_TYPE = _by_type(ROWS)


def discover(
    urn: str, resource_type: str, inputs: object, sentinels: Collection[str] = ()
) -> tuple[ImageUse, ...]:
    """Return every image use of a resource, in the order of rows and of lists.

    ``inputs`` are what a policy gets, the SDK's proxies or plain values; a string in
    ``sentinels`` stands for an unknown value. Where one unknown value hides several images, one
    use speaks for them, at the path of that value.
    """
    rows = _ROWS_BY_TYPE.get(resource_type)
    if rows is None:
        return ()
    tree = plain(inputs, sentinels)
    uses = {use.path: use for row in rows for use in _uses(urn, row, tree)}
    return tuple(uses.values())


def _uses(urn: str, row: Row, tree: Tree) -> Iterator[ImageUse]:
    for leaf in find(tree, row.path):
        text = leaf.value if isinstance(leaf.value, str) else None
        yield ImageUse(
            urn,
            row.resource_type,
            leaf.path,
            leaf.container,
            text,
            _target(leaf),
            row.platform(leaf),
        )


def _target(leaf: Leaf) -> ImageReference | Verdict:
    match leaf.value:
        case Mark.UNKNOWN:
            return Verdict(
                Code.UNKNOWN_IN_PREVIEW,
                "The value is an output of a resource that does not exist yet.",
                "nothing to do: the image is checked during the update, before its resource is "
                "created.",
            )
        case Mark():
            return Verdict(
                Code.DOCUMENT_UNREADABLE,
                "The property is not valid JSON, so the images in it are not known.",
                "correct the document; a JSON function of the program's language makes a valid "
                "one.",
            )
        case text:
            return target_of(text)


def target_of(text: str) -> ImageReference | Verdict:
    """Return the reference that ``text`` is, or the verdict that says why it is none of ECR's."""
    try:
        reference = ImageReference.parse(text)
    except ReferenceInvalid as error:
        return Verdict(Code.REFERENCE_INVALID, str(error), "correct the reference.")
    return reference or Verdict(Code.NOT_PRIVATE_ECR, Code.NOT_PRIVATE_ECR.meaning)
