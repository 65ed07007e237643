"""Output as tables drawn with characters: the AWS CLI's format ``table``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import Any, TypeAlias
from unicodedata import east_asian_width

from layerguard_cli.batch_check.text_format import is_nested

Pieces: TypeAlias = tuple[str, ...]
"""A part of a drawing that is written at once."""

_PADDING = 4
_RESET = "\x1b[0m"
_BRIGHT_BLUE = "\x1b[1m\x1b[34m"
_DIM_YELLOW = "\x1b[2m\x1b[33m"


@dataclass(slots=True)
class Section:
    """A part of the drawing with columns of its own, ``depth`` frames inside the whole."""

    title: str | None
    depth: int = 0
    headers: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    natural_widths: list[int] | None = None

    def head(self, names: list[str]) -> None:
        """Set the names of the columns; earlier names keep their width."""
        self.headers = names
        self._fit(names)

    def add(self, row: Sequence[Any]) -> None:
        """Add a row; all rows of a section are of one length."""
        columns = len(row) if self.natural_widths is None else len(self.natural_widths)
        if len(row) != columns:
            raise ValueError(f"Row should have {columns} elements, instead it has {len(row)}")
        self.rows.append([str(each) for each in row])
        self._fit(self.rows[-1])

    def _fit(self, cells: list[str]) -> None:
        """Make the columns wide enough for these cells and their padding."""
        if self.natural_widths is None:
            self.natural_widths = [0] * len(cells)
        for column, cell in enumerate(cells):
            self.natural_widths[column] = max(self.natural_widths[column], _width(cell) + _PADDING)

    @property
    def natural_width(self) -> int:
        """How wide the section is, with its frames."""
        return max(_width(str(self.title)), sum(self.natural_widths or ())) + 2 + 2 * self.depth

    def widths(self, total: int) -> list[int]:
        """Return the widths of the columns, in proportion, so that they add up to ``total``.

        What rounding leaves over is taken off from the left, and added from the right.
        """
        natural = self.natural_widths or []
        if not natural:
            return []
        scale = total / sum(natural)
        widths = [round(scale * width) for width in natural]
        over = sum(widths) - total
        order = range(len(widths)) if over > 0 else reversed(range(len(widths)))
        for column in islice(cycle(order), abs(over)):
            widths[column] -= 1 if over > 0 else -1
        return widths

    def upright(self) -> Section:
        """Return the section with a line for each column, where it has a single row."""
        if len(self.rows) != 1 or not self.headers:
            return self
        turned = Section(self.title, self.depth)
        for pair in zip(self.headers, self.rows[0], strict=True):
            turned.add(pair)
        return turned


def sections_of(title: str, value: Any) -> list[Section]:
    """Return the sections that ``value`` is drawn as; none if it is empty."""
    found: list[Section] = []
    _collect(found, title, value, 0)
    return found


def drawing(parts: list[Section], terminal_width: int, *, color: bool) -> Iterator[Pieces]:
    """Return the lines of the drawing, each in the pieces that it is written in.

    Sections of a single row are turned upright if the whole is wider than the terminal.
    """
    width = max(part.natural_width for part in parts)
    if width > terminal_width:
        parts = [part.upright() for part in parts]
        width = max(part.natural_width for part in parts)
    yield ("-" * width + "\n",)
    for part in parts:
        frame = (f"{_DIM_YELLOW}|{_RESET}" if color else "|") * part.depth
        for line in _section_lines(part, width - 2 * part.depth, color=color):
            yield (frame, line, frame, "\n")


def _collect(found: list[Section], title: str | None, value: Any, depth: int) -> None:
    if not value:
        return
    if title is not None:
        found.append(Section(title, depth))
    match value:
        case dict():
            _collect_structure(found, value, depth)
        case [dict(), *_]:
            _collect_structures(found, title, value, depth)
        case list():
            for item in value:
                _collect_item(found, item)


def _collect_item(found: list[Section], item: Any) -> None:
    """Add a row with a scalar or a list of scalars, or the sections of what is nested deeper."""
    if not is_nested(item):
        found[-1].add([item])
    elif any(is_nested(member) for member in item):
        _collect(found, None, item, 0)
    else:
        found[-1].add(list(item))


def _collect_structure(found: list[Section], value: dict[str, Any], depth: int) -> None:
    scalars, nested = _split([value])
    if len(scalars) == 1:
        found[-1].add([scalars[0], value[scalars[0]]])
    elif scalars:
        found[-1].head(scalars)
        found[-1].add([value[name] for name in scalars])
    for name in nested:
        _collect(found, name, value[name], depth + 1)


def _collect_structures(
    found: list[Section], title: str | None, values: list[Any], depth: int
) -> None:
    scalars, nested = _split(values)
    found[-1].head(scalars)
    for position, value in enumerate(values):
        if position and nested:
            found.append(Section(title, depth))
            found[-1].head(scalars)
        found[-1].add([value.get(name, "") for name in scalars])
        for name in nested:
            if name in value:
                _collect(found, name, value[name], depth + 1)


def _split(values: list[Any]) -> tuple[list[str], list[str]]:
    """Return the names that are scalar in any of the structures, and those that are nested."""
    scalars: set[str] = set()
    nested: set[str] = set()
    for value in values:
        for name in value:
            (nested if is_nested(value[name]) else scalars).add(name)
    return sorted(scalars), sorted(nested)


def _section_lines(part: Section, width: int, *, color: bool) -> Iterator[str]:
    if part.title:
        yield _centred(part.title, width, "|")
        if not part.headers and not part.rows:
            yield f"+{'-' * (width - 2)}+"
    widths = part.widths(width)
    if not widths:
        return
    rule = "+" + "+".join("-" * (each - 1 - (not index)) for index, each in enumerate(widths)) + "+"
    if part.headers:
        yield rule
        yield "".join(
            _centred(header, each, "" if index else "|")
            for index, (each, header) in enumerate(zip(widths, part.headers, strict=True))
        )
    if part.rows:
        yield rule
        for row in part.rows:
            yield "".join(
                _aligned(cell, each, "" if index else "|", color=color)
                for index, (each, cell) in enumerate(zip(widths, row, strict=True))
            )
        yield rule


def _centred(text: str, width: int, left: str) -> str:
    """Return the text in the middle of a cell, one to the left of it where there is a choice."""
    start = width // 2 - _width(text) // 2 - 1
    end = width - 1 - len(left) - start - _width(text)
    return f"{left}{' ' * start}{text}{' ' * end}|"


def _aligned(text: str, width: int, left: str, *, color: bool) -> str:
    """Return the text two blanks from the left of a cell, or none if the cell is too narrow."""
    room = width - 1 - len(left) - _width(text)
    start = 2 if room >= 2 else 0
    painted = f"{_BRIGHT_BLUE}{text}{_RESET}" if color else text
    return f"{left}{' ' * start}{painted}{' ' * (room - start)}|"


def _width(text: str) -> int:
    """Return the columns that the text takes on a terminal; ambiguous characters take two."""
    return sum(2 if east_asian_width(character) in "WFA" else 1 for character in text)
