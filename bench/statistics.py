"""The arithmetic: medians, spreads and ratios."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Spread:
    """Several measurements of the same thing: the median, the extremes and how many they were."""

    median: float
    lowest: float
    highest: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Sum up ``values``; raises ValueError where there are none."""
        if not values:
            raise ValueError("nothing was measured")
        return cls(median(values), min(values), max(values), len(values))


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement: seconds, the pack's peak memory in bytes, and its calls by operation."""

    seconds: float
    peak_bytes: int
    calls: tuple[tuple[str, int], ...]


def seconds(samples: Sequence[Sample]) -> Spread:
    """Sum up how long the samples took."""
    return Spread.of([each.seconds for each in samples])


def peak_bytes(samples: Sequence[Sample]) -> Spread | None:
    """Sum up the memory of the samples where it was seen."""
    seen = [float(each.peak_bytes) for each in samples if each.peak_bytes]
    return Spread.of(seen) if seen else None
