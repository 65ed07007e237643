"""The large sweep: a small one, and what the page says of the large ones."""

from __future__ import annotations

import json

from layerguard_cli.sources.recognition import read_bytes
from layerguard_sandbox.engine import ROOT

from bench.sweep import RECORD, Shape, exports, measured, sweep_section

PAGE = ROOT / "docs" / "benchmark.md"


def test_the_page_has_the_sweeps_that_were_kept() -> None:
    assert "\n".join(sweep_section()) in PAGE.read_text(encoding="utf-8")


def test_the_sweeps_that_were_kept_found_what_is_not_there_and_nothing_else() -> None:
    sweeps = json.loads(RECORD.read_text())["sweeps"]
    assert any(each["shape"]["exports"] >= 2_000 for each in sweeps)
    assert {each["code"] for each in sweeps} == {1}


def test_an_export_uses_its_share_of_the_references() -> None:
    made = [
        json.dumps(each).encode() for each in exports(4, 3, ["a:1", "b:1", "c:1", "d:1", "e:1"])
    ]
    texts = [[use.text for use in read_bytes("x", each, {}).uses] for each in made]
    assert texts == [
        ["a:1", "b:1", "c:1"],
        ["d:1", "e:1", "a:1"],
        ["b:1", "c:1", "d:1"],
        ["e:1", "a:1", "b:1"],
    ]


def test_a_small_sweep_asks_about_each_image_once() -> None:
    (small,) = measured([Shape(30, 10, 50, "json")])
    assert (small.code, small.calls["BatchGetImage"] <= 50) == (1, True)
    assert small.size > 100_000
