"""What is measured: cells, each of one contender in one situation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum

from bench.images import Layout

SIZES = (1, 20, 200, 1_000)
LATENCIES = (0, 50, 150)
# Seconds. A cell that waits longer is not measured at all, or not in a quick run.
_LONGEST_WAITING = 120.0
_LONGEST_QUICK_WAITING = 60.0
_CALLS_OF_NAIVE = 2


class Contender(Enum):
    """What is measured: a policy pack, or a command outside Pulumi."""

    EMPTY = "empty"
    NAIVE = "naive"
    LAYERGUARD = "layerguard"
    AWS_CLI = "aws-cli"
    CRANE = "crane"


PACKS = (Contender.EMPTY, Contender.NAIVE, Contender.LAYERGUARD)
GATED = (Contender.EMPTY, Contender.LAYERGUARD)
# A loop's cost is its length: half a second and more for each image.
_LOOPS = {Contender.AWS_CLI: (1, 20, 200), Contender.CRANE: (1, 20)}


class Scenario(Enum):
    """What the contender does."""

    PREVIEW = "preview"
    UPDATE_AFTER_PREVIEW = "update-after-preview"
    UPDATE = "update"
    ANALYZE = "analyze"
    HANDSHAKE = "handshake"
    LOOP = "loop"


@dataclass(frozen=True, slots=True)
class StackShape:
    """How many resources there are, and over how many images; without images they are buckets."""

    resources: int
    images: int
    layout: Layout = Layout.OWN

    @classmethod
    def of(cls, images: int, layout: Layout = Layout.OWN) -> StackShape:
        """Return the stack of one resource an image."""
        return cls(images, images, layout)

    def __str__(self) -> str:
        return f"{self.resources}x{self.images}-{self.layout.value}"


@dataclass(frozen=True, slots=True)
class Cell:
    """One thing to measure. ``latency`` is the milliseconds that each answer waits."""

    scenario: Scenario
    stack: StackShape
    latency: int
    contender: Contender

    def of(self, contender: Contender) -> Cell:
        """Return the same situation with another contender."""
        return replace(self, contender=contender)

    @property
    def waiting(self) -> float:
        """Seconds that a contender waits for answers, where it makes one call after the other."""
        calls = {Contender.NAIVE: _CALLS_OF_NAIVE, Contender.AWS_CLI: 1}.get(self.contender, 0)
        return calls * self.stack.images * self.latency / 1000

    def __str__(self) -> str:
        return f"{self.scenario.value}/{self.stack}/{self.latency}ms/{self.contender.value}"


HANDSHAKE = Cell(Scenario.HANDSHAKE, StackShape(0, 0), 0, Contender.LAYERGUARD)
MANY_RESOURCES = Cell(Scenario.ANALYZE, StackShape(10_000, 50), 50, Contender.LAYERGUARD)
NO_IMAGES = Cell(Scenario.ANALYZE, StackShape(2_000, 0), 50, Contender.LAYERGUARD)


def at(scenario: Scenario, images: int, latency: int = 50, layout: Layout = Layout.OWN) -> Cell:
    """Return the cell of Layerguard with one resource an image."""
    return Cell(scenario, StackShape.of(images, layout), latency, Contender.LAYERGUARD)


def cells_of_the_targets() -> tuple[Cell, ...]:
    """Return the cells that a target is about, in the order in which a round measures them."""
    return (
        *_each(HANDSHAKE, GATED),
        *_each(NO_IMAGES, GATED),
        *_each(at(Scenario.ANALYZE, 200), PACKS),
        *_each(at(Scenario.PREVIEW, 200), PACKS),
        *_each(at(Scenario.UPDATE_AFTER_PREVIEW, 200), GATED),
        *_each(at(Scenario.ANALYZE, 1_000), PACKS),
        *_each(at(Scenario.PREVIEW, 1_000), PACKS),
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
            yield from _packs(at(Scenario.ANALYZE, size, latency))
    for layout in (Layout.SHARED, Layout.INDEX, Layout.FUNCTION):
        for size in (20, 200, 1_000):
            yield from _each(at(Scenario.ANALYZE, size, layout=layout), GATED)
    for scenario in (Scenario.PREVIEW, Scenario.UPDATE_AFTER_PREVIEW):
        yield from _each(at(scenario, 200, layout=Layout.FUNCTION), GATED)
    for scenario in (Scenario.PREVIEW, Scenario.UPDATE_AFTER_PREVIEW, Scenario.UPDATE):
        for size in (1, 20, 200):
            yield from _packs(at(scenario, size))
    for latency in (0, 150):
        for scenario in (Scenario.PREVIEW, Scenario.UPDATE_AFTER_PREVIEW, Scenario.UPDATE):
            yield from _each(at(scenario, 200, latency), GATED)
    for contender, sizes in _LOOPS.items():
        yield from (at(Scenario.LOOP, size).of(contender) for size in sizes)


def _packs(cell: Cell) -> Iterator[Cell]:
    """Yield a cell with each pack, except a naive one that would take minutes."""
    return (each for each in _each(cell, PACKS) if each.waiting <= _LONGEST_WAITING)


def _each(cell: Cell, contenders: tuple[Contender, ...]) -> Iterator[Cell]:
    return (cell.of(contender) for contender in contenders)
