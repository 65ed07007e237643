"""The targets: ratios and differences within one run, and whether they are met."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeAlias

from bench.cells import HANDSHAKE, MANY_RESOURCES, NO_IMAGES, Cell, Contender, Scenario, at
from bench.statistics import Sample, peak_bytes, seconds

Results: TypeAlias = Mapping[Cell, Sequence[Sample]]

ROUND_TRIPS = 2
_MEGABYTE = 1_000_000


class Measure(Enum):
    """How a target is computed of medians."""

    OVER_EMPTY = "times an empty pack"
    OVER_EMPTY_AND_TRIPS = "times (an empty pack + two round trips)"
    FASTER_THAN_NAIVE = "times faster than the naive pack"
    MEMORY_ABOVE_EMPTY = "MB above an empty pack"


@dataclass(frozen=True, slots=True)
class Target:
    """What Layerguard's ``cell`` must reach."""

    name: str
    cell: Cell
    measure: Measure
    limit: float

    @property
    def words(self) -> str:
        """The target in words."""
        bound = "at least" if self.measure is Measure.FASTER_THAN_NAIVE else "at most"
        return f"{bound} {self.limit:g} {self.measure.value}"

    def measured(self, results: Results) -> float | None:
        """Return the value of this run, None where one of its cells was not measured."""
        baseline = Contender.NAIVE if self.measure is Measure.FASTER_THAN_NAIVE else Contender.EMPTY
        ours, others = results.get(self.cell), results.get(self.cell.of(baseline))
        if not ours or not others:
            return None
        mine, other = seconds(ours).median, seconds(others).median
        match self.measure:
            case Measure.OVER_EMPTY:
                return mine / other
            case Measure.OVER_EMPTY_AND_TRIPS:
                return mine / (other + ROUND_TRIPS * self.cell.latency / 1000)
            case Measure.FASTER_THAN_NAIVE:
                return other / mine
            case Measure.MEMORY_ABOVE_EMPTY:
                peak, empty_peak = peak_bytes(ours), peak_bytes(others)
                if peak is None or empty_peak is None:
                    return None
                return (peak.median - empty_peak.median) / _MEGABYTE

    def most(self, results: Results) -> float | None:
        """Return how much faster than the naive pack an empty one is: no pack can be more.

        None where the target is about something else, or a cell was not measured.
        """
        if self.measure is not Measure.FASTER_THAN_NAIVE:
            return None
        return replace(self, cell=self.cell.of(Contender.EMPTY)).measured(results)

    def is_met(self, value: float) -> bool:
        """Tell whether ``value`` reaches the target."""
        if self.measure is Measure.FASTER_THAN_NAIVE:
            return value >= self.limit
        return value <= self.limit


# fmt: off
TARGETS = (
    Target("preview, 200 images, 50 ms",             at(Scenario.PREVIEW, 200),              Measure.OVER_EMPTY_AND_TRIPS, 1.6),
    Target("preview, 200 images, 50 ms",             at(Scenario.PREVIEW, 200),              Measure.FASTER_THAN_NAIVE,    15),
    Target("analyze, 200 images, 50 ms",             at(Scenario.ANALYZE, 200),              Measure.OVER_EMPTY_AND_TRIPS, 1.6),
    Target("analyze, 200 images, 50 ms",             at(Scenario.ANALYZE, 200),              Measure.FASTER_THAN_NAIVE,    15),
    Target("preview, 1,000 images, 50 ms",           at(Scenario.PREVIEW, 1_000),            Measure.OVER_EMPTY_AND_TRIPS, 3),
    Target("preview, 1,000 images, 50 ms",           at(Scenario.PREVIEW, 1_000),            Measure.FASTER_THAN_NAIVE,    30),
    Target("analyze, 1,000 images, 50 ms",           at(Scenario.ANALYZE, 1_000),            Measure.OVER_EMPTY_AND_TRIPS, 3),
    Target("analyze, 1,000 images, 50 ms",           at(Scenario.ANALYZE, 1_000),            Measure.FASTER_THAN_NAIVE,    30),
    Target("update after its preview, 200 images, 50 ms", at(Scenario.UPDATE_AFTER_PREVIEW, 200), Measure.OVER_EMPTY,      1.25),
    Target("analyze, 10,000 resources over 50 images", MANY_RESOURCES,                   Measure.OVER_EMPTY,           1.3),
    Target("analyze, 2,000 resources without an image", NO_IMAGES,                       Measure.OVER_EMPTY,           1.15),
    Target("start of the pack to its handshake",     HANDSHAKE,                          Measure.OVER_EMPTY,           1.25),
    Target("peak memory, analyze, 1,000 images",     at(Scenario.ANALYZE, 1_000),            Measure.MEMORY_ABOVE_EMPTY,   80),
)
# fmt: on
