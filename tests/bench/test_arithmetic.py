"""The benchmark's arithmetic: medians, ratios, and when a target is met."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from bench.cells import Cell, Contender, Scenario, at, every_cell, quick_cells
from bench.statistics import Sample, Spread, peak_bytes, seconds
from bench.targets import TARGETS, Measure, Target

CELL = at(Scenario.ANALYZE, 200)


def samples(*values: float, peak: int = 0) -> list[Sample]:
    return [Sample(value, peak, ()) for value in values]


def test_a_summary_is_the_median_and_the_extremes() -> None:
    assert Spread.of([3.0, 1.0, 2.0]) == Spread(2.0, 1.0, 3.0, 3)
    assert Spread.of([1.0, 2.0]) == Spread(1.5, 1.0, 2.0, 2)
    assert seconds(samples(5, 1, 2)).median == 2


def test_nothing_measured_has_no_median() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        Spread.of([])


def test_memory_that_was_not_seen_does_not_count() -> None:
    assert peak_bytes(samples(1, 2)) is None
    assert peak_bytes([*samples(1), *samples(1, peak=7)]) == Spread(7, 7, 7, 1)


@pytest.mark.parametrize(
    ("measure", "limit", "value", "is_met"),
    [
        (Measure.OVER_EMPTY, 2.0, 1.5, True),
        (Measure.OVER_EMPTY, 1.5, 1.5, True),
        (Measure.OVER_EMPTY, 1.4, 1.5, False),
        (Measure.OVER_EMPTY_AND_TRIPS, 1.4, 3 / 2.1, False),
        (Measure.OVER_EMPTY_AND_TRIPS, 1.5, 3 / 2.1, True),
        (Measure.FASTER_THAN_NAIVE, 10, 10, True),
        (Measure.FASTER_THAN_NAIVE, 11, 10, False),
        (Measure.MEMORY_ABOVE_EMPTY, 80, 80, True),
        (Measure.MEMORY_ABOVE_EMPTY, 79, 80, False),
    ],
)
def test_a_target_is_a_ratio_of_medians_or_a_difference(
    measure: Measure, limit: float, value: float, is_met: bool
) -> None:
    results: Mapping[Cell, list[Sample]] = {
        CELL: samples(3, 1, 9, peak=100_000_000),
        CELL.of(Contender.EMPTY): samples(2, 2, 1, peak=20_000_000),
        CELL.of(Contender.NAIVE): samples(30),
    }
    target = Target("200 images", CELL, measure, limit)
    measured = target.measured(results)
    assert measured is not None
    assert measured == pytest.approx(value)
    assert target.is_met(measured) is is_met


def test_a_target_without_its_baseline_is_not_measured() -> None:
    target = Target("200 images", CELL, Measure.FASTER_THAN_NAIVE, 15)
    assert target.measured({CELL: samples(1)}) is None


def test_a_whole_run_measures_every_cell_of_the_targets_once_a_round() -> None:
    cells = every_cell()
    assert len(set(cells)) == len(cells)
    assert len({str(cell) for cell in cells}) == len(cells)
    assert {target.cell for target in TARGETS} <= set(cells)
    assert {target.cell for target in TARGETS} <= set(quick_cells())


def test_the_naive_pack_is_left_out_where_it_waits_for_minutes() -> None:
    naive = [cell for cell in every_cell() if cell.contender is Contender.NAIVE]
    assert at(Scenario.ANALYZE, 1_000).of(Contender.NAIVE) in naive
    assert at(Scenario.ANALYZE, 1_000, 150).of(Contender.NAIVE) not in naive
    assert all(cell.waiting <= 60 for cell in quick_cells())
