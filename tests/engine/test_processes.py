"""No process of the pack's outlives its run, however the run ends."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from layerguard_sandbox.ecr import Pushed, SandboxEcr, docker_image
from layerguard_sandbox.ecr.registry import Registry
from layerguard_sandbox.engine import Engine, Outcome

from tests.engine.conftest import Start
from tests.engine.programs import functions
from tests.engine.states import state_of
from tests.processes import command_line, running_with, wait_until

ASKS_ECR = "-m layerguard.checking.worker"


@pytest.fixture
def web(registry: Registry) -> Pushed:
    return registry.push("shop/web", docker_image("web"), tag="1")


class Looking:
    """A program that uses images, and sees which processes of its engine's there are."""

    def __init__(self, **images: str) -> None:
        self.engine: Engine | None = None
        self.seen: list[str] = []
        self._program = functions(**images)

    def __call__(self) -> None:
        assert self.engine
        for process in running_with(self.engine.folder):
            with suppress(OSError):
                self.seen.append(command_line(process))
        self._program()


@pytest.mark.parametrize(
    ("run", "is_lost"),
    [(Engine.preview, False), (Engine.preview, True), (Engine.up, False), (Engine.up, True)],
    ids=["preview", "preview that fails", "update", "update that a gate stops"],
)
def test_the_process_that_asks_ecr_is_there_during_a_run_and_gone_after_it(
    start: Start,
    registry: Registry,
    web: Pushed,
    run: Callable[[Engine], Outcome],
    is_lost: bool,
) -> None:
    if is_lost:
        registry.lose_layer("shop/web", web.layers[-1])
    program = Looking(web=web.reference)
    engine = program.engine = start(program)
    outcome = run(engine)
    assert outcome.passed is not is_lost, outcome.output
    assert sum(ASKS_ECR in each for each in program.seen) == 1
    wait_until(lambda: not running_with(engine.folder))


def test_an_analysis_leaves_no_process(
    start: Start, ecr: SandboxEcr, web: Pushed, tmp_path: Path
) -> None:
    engine = start(functions(web=web.reference))
    analysis = engine.analyze(state_of({"web": web.reference}, tmp_path / "state.json"))
    assert analysis.passed, analysis.output
    assert ecr.requests
    wait_until(lambda: not running_with(engine.folder))
