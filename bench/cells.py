"""What is measured: cells, each of one subject in one situation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum

from bench.images import Layout

SIZES = (1, 20, 200, 1_000)
LATENCIES = (0, 50, 150)
# Seconds. What waits longer is not measured; what waits longer than the other, not in a prioritise.
_LONGEST_WAITING = 120.0
_LONGEST_QUICK_WAITING = 60.0
_CALLS_OF_NAIVE = 2


class Subject(Enum):
    """Who is measured."""

    EMPTY = "empty"
    NAIVE = "naive"
    LAYERGUARD = "layerguard"
    AWS_CLI = "aws-cli"
    CRANE = "crane"


PACKS = (Subject.EMPTY, Subject.NAIVE, Subject.LAYERGUARD)
GATED = (Subject.EMPTY, Subject.LAYERGUARD)
# A loop's cost is its length: half a second and more for each image.
_LOOPS = {Subject.AWS_CLI: (1, 20, 200), Subject.CRANE: (1, 20)}


class Mode(Enum):
    """What the subject does."""

    PREVIEW = "preview"
    UPDATE_AFTER_PREVIEW = "update-after-preview"
    UPDATE = "update"
    ANALYZE = "analyze"
    HANDSHAKE = "handshake"
    LOOP = "loop"


@dataclass(frozen=True, slots=True)
class Stack:
    """How many resources there are, and over how many images; without images they are buckets."""

    resources: int
    images: int
    layout: Layout = Layout.OWN

    @classmethod
    def of(cls, images: int, layout: Layout = Layout.OWN) -> Stack:
        """Return the stack of one resource an image."""
        return cls(images, images, layout)

    def __str__(self) -> str:
        return f"{self.resources}x{self.images}-{self.layout.value}"


@dataclass(frozen=True, slots=True)
class Cell:
    """One thing to measure. ``latency`` is the milliseconds that each answer waits."""

    mode: Mode
    stack: Stack
    latency: int
    subject: Subject

    def of(self, subject: Subject) -> Cell:
        """Return the same situation with another subject."""
        return replace(self, subject=subject)

    @property
    def waiting(self) -> float:
        """The seconds that the answers to a subject take alone if it asks one after the other."""
        calls = {Subject.NAIVE: _CALLS_OF_NAIVE, Subject.AWS_CLI: 1}.get(self.subject, 0)
        return calls * self.stack.images * self.latency / 1000

    def __str__(self) -> str:
        return f"{self.mode.value}/{self.stack}/{self.latency}ms/{self.subject.value}"


HANDSHAKE = Cell(Mode.HANDSHAKE, Stack(0, 0), 0, Subject.LAYERGUARD)
MANY_RESOURCES = Cell(Mode.ANALYZE, Stack(10_000, 50), 50, Subject.LAYERGUARD)
NO_IMAGES = Cell(Mode.ANALYZE, Stack(2_000, 0), 50, Subject.LAYERGUARD)


def at(mode: Mode, images: int, latency: int = 50, layout: Layout = Layout.OWN) -> Cell:
    """Return the cell of Layerguard with one resource an image."""
    return Cell(mode, Stack.of(images, layout), latency, Subject.LAYERGUARD)


def cells_of_the_targets() -> tuple[Cell, ...]:
    """Return the cells that a target is about, in the order in which a round measures them."""
    return (
        *_each(HANDSHAKE, GATED),
        *_each(NO_IMAGES, GATED),
        *_each(at(Mode.ANALYZE, 200), PACKS),
        *_each(at(Mode.PREVIEW, 200), PACKS),
        *_each(at(Mode.UPDATE_AFTER_PREVIEW, 200), GATED),
        *_each(at(Mode.ANALYZE, 1_000), PACKS),
        *_each(at(Mode.PREVIEW, 1_000), PACKS),
        *_each(MANY_RESOURCES, GATED),
    )


def quick_cells() -> tuple[Cell, ...]:
    """Return the cells of the targets that do not take minutes."""
    return tuple(each for each in cells_of_the_targets() if each.waiting <= _LONGEST_QUICK_WAITING)


def every_cell() -> tuple[Cell, ...]:
    """Return all cells that a whole run measures, those of the targets first."""
    return tuple(dict.fromkeys((*cells_of_the_targets(), *_beyond_the_targets())))


def _beyond_the_targets() -> Iterator[Cell]:
    for latency in LATENCIES:
        for size in SIZES:
            yield from _packs(at(Mode.ANALYZE, size, latency))
    for layout in (Layout.SHARED, Layout.INDEX, Layout.FUNCTION):
        for size in (20, 200, 1_000):
            yield from _each(at(Mode.ANALYZE, size, layout=layout), GATED)
    for mode in (Mode.PREVIEW, Mode.UPDATE_AFTER_PREVIEW):
        yield from _each(at(mode, 200, layout=Layout.FUNCTION), GATED)
    for mode in (Mode.PREVIEW, Mode.UPDATE_AFTER_PREVIEW, Mode.UPDATE):
        for size in (1, 20, 200):
            yield from _packs(at(mode, size))
    for latency in (0, 150):
        for mode in (Mode.PREVIEW, Mode.UPDATE_AFTER_PREVIEW, Mode.UPDATE):
            yield from _each(at(mode, 200, latency), GATED)
    for subject, sizes in _LOOPS.items():
        yield from (at(Mode.LOOP, size).of(subject) for size in sizes)


def _packs(cell: Cell) -> Iterator[Cell]:
    """Yield a cell with each pack, but for a naive one that would hold the run up for minutes."""
    return (each for each in _each(cell, PACKS) if each.waiting <= _LONGEST_WAITING)


def _each(cell: Cell, subjects: tuple[Subject, ...]) -> Iterator[Cell]:
    return (cell.of(subject) for subject in subjects)
