"""Output as lines of tab-separated text: the AWS CLI's format ``text``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any


def text_lines(
    value: Any, heading: str | None = None, columns: Sequence[str] | None = None
) -> Iterator[str]:
    """Return the lines of ``value``.

    A structure is one line of its scalars in the order of their names, and after it come the
    lines of its nested members, each headed by the member's name in capitals. The structures of a
    list share their ``columns``: the names of whatever is scalar in any of them.
    """
    if isinstance(value, dict):
        yield from _structure(value, heading, columns)
    elif isinstance(value, list):
        yield from _list(value, heading)
    else:
        yield str(value)


def _structure(
    value: dict[str, Any], heading: str | None, columns: Sequence[str] | None
) -> Iterator[str]:
    if columns is None:
        columns = sorted(name for name, each in value.items() if not is_nested(each))
    if columns:
        cells = [str(value.get(name, "")) for name in columns]
        yield "\t".join([*_capitals(heading), *cells])
    for name in sorted(value.keys() - set(columns)):
        yield from text_lines(value[name], name)


def _list(value: list[Any], heading: str | None) -> Iterator[str]:
    if any(isinstance(each, dict) for each in value):
        columns = sorted(
            {name for each in value for name, member in each.items() if not is_nested(member)}
        )
        for each in value:
            yield from text_lines(each, heading, columns)
        return
    scalars = [str(each) for each in value if not is_nested(each)]
    if scalars and heading is not None:
        yield from ("\t".join([*_capitals(heading), each]) for each in scalars)
    elif scalars:
        yield "\t".join(scalars)
    for each in value:
        if is_nested(each):
            yield from text_lines(each, heading)


def is_nested(value: Any) -> bool:
    """Return whether ``value`` is a structure or a list."""
    return isinstance(value, (dict, list))


def _capitals(heading: str | None) -> list[str]:
    return [] if heading is None else [heading.upper()]
