"""The benchmark's page and picture."""

from __future__ import annotations

from xml.etree import ElementTree

from bench.cells import Cell, Contender, Scenario, at
from bench.document import Run, document
from bench.plot import curves, plot
from bench.statistics import Sample

CELL = at(Scenario.ANALYZE, 200)
RESULTS: dict[Cell, list[Sample]] = {
    CELL.of(Contender.EMPTY): [Sample(each, 50_000_000, ()) for each in (0.7, 0.6, 0.8)],
    CELL.of(Contender.NAIVE): [Sample(22.0, 90_000_000, (("BatchGetImage", 200),))],
    CELL: [Sample(each, 95_000_000, (("BatchGetImage", 1_200),)) for each in (1.9, 2.0, 2.1)],
    at(Scenario.ANALYZE, 20).of(Contender.EMPTY): [Sample(0.4, 0, ())],
}


def page(*, whole: bool = True) -> str:
    unavailable = ["crane: there is no Go."]
    run = Run(RESULTS, {"cores": "2"}, {"boto3": "1.44"}, 3, 7_000.0, unavailable, whole)
    return document(run, "benchmark.svg")


def test_the_page_of_a_selection_states_that_it_is_one() -> None:
    sentence = "This run measured a selection of the cells only"
    assert sentence in page(whole=False)
    assert sentence not in page()


def test_the_targets_come_first_with_what_was_met() -> None:
    targets = page().partition("## Targets")[2].partition("## What was measured")[0]
    assert (
        "| analyze, 200 images, 50 ms | at most 1.6 times (an empty pack + two round trips) "
        "| 2.50 | **not met** |  |\n"
        "| analyze, 200 images, 50 ms | at least 15 times faster than the naive pack "
        "| 11.0 | **not met** | 31.4 |\n"
    ) in targets
    assert "at most 1.25 times an empty pack | - | not measured |  |" in targets


def test_a_table_has_medians_spreads_rounds_and_ratios() -> None:
    assert (
        "| 200 | 200 | nothing shared | 50 ms | 0.70 (0.60-0.80; 3) | 22.00 (once) "
        "| 2.00 (1.90-2.10; 3) | 2.86 | 11.0 |\n"
    ) in page()
    assert "| 20 | 20 | nothing shared | 50 ms | 0.40 (once) | - | - | - | - |\n" in page()


def test_memory_requests_and_machine_have_their_tables() -> None:
    assert "| 200 images | 50 MB | 95 MB | +45 MB |\n" in page()
    assert "| `pulumi policy analyze` | 200 images | layerguard | BatchGetImage 1,200 |\n" in page()
    assert "| cores | 2 |\n| boto3 | 1.44 |\n" in page()


def test_what_could_not_be_measured_is_listed() -> None:
    assert "- crane: there is no Go.\n" in page().partition("## What was not measured")[2]


def test_the_picture_has_a_curve_for_each_subject_with_two_sizes() -> None:
    (curve,) = curves(RESULTS)
    assert (curve.contender, curve.points) == (Contender.EMPTY, ((20, 0.4), (200, 0.7)))
    picture = ElementTree.fromstring(plot(RESULTS))
    (line,) = picture.iter("{http://www.w3.org/2000/svg}polyline")
    assert len((line.get("points") or "").split()) == 2
    assert "empty: 0.7 s at 200" in "".join(picture.itertext())
