"""The demo: every step of it ends as it should, and it notices when one does not."""

from __future__ import annotations

import subprocess
import sys

import pytest
from layerguard_sandbox.demo import Unexpected, step
from layerguard_sandbox.engine import ROOT, Outcome


def test_the_demo_ends_well_and_shows_each_step() -> None:
    demo = subprocess.run(
        [sys.executable, "-m", "layerguard_sandbox.demo"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert demo.returncode == 0, demo.stdout[-2000:] + demo.stderr
    for heading in (
        "preview of a healthy stack passes",
        "up passes and creates everything",
        "policy analyze finds nothing in what is deployed",
        "a layer is missing: preview is stopped",
        "up --skip-preview is stopped before the function is created",
        "policy analyze finds the same in the exported state",
        "a tag that does not exist: preview is stopped",
        "an image without the wanted architecture: preview is stopped",
        "restored: preview passes",
        "restored: up passes",
    ):
        assert f"\n{heading}\n" in demo.stdout
    assert demo.stdout.endswith("\nEvery step ended as it should.\n")


@pytest.mark.parametrize(
    ("outcome", "stopped_by", "complaint"),
    [
        (Outcome(True, "layerguard: 1 image", ()), "a-gate", "'x' passed"),
        (Outcome(False, "layerguard: 1 image", ()), None, "'x' was stopped"),
        (Outcome(False, "a-gate: other words", ()), "a-gate", "'x' does not print: the words"),
        (Outcome(False, "the words", ()), "a-gate", "'x' does not print: a-gate"),
        (Outcome(True, "the words", ()), None, "'x' does not print: layerguard: "),
    ],
)
def test_a_step_that_does_not_end_as_it_should_fails_the_demo(
    outcome: Outcome, stopped_by: str | None, complaint: str
) -> None:
    words = ("the words",) if "words" in outcome.output else ()
    with pytest.raises(Unexpected) as raised:
        step("x", lambda: outcome, stopped_by, words)
    assert str(raised.value) == complaint
