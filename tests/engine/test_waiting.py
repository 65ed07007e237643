"""Waiting for what is not there yet, on the real engine: in update and analyze, never in preview."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from layerguard_sandbox.ecr import Pushed, SandboxEcr, docker_image
from layerguard_sandbox.ecr.registry import Registry

from tests.engine.conftest import Start
from tests.engine.programs import FUNCTION, PREVIEW, UPDATE, functions
from tests.engine.states import state_of

WAITING: Mapping[str, object] = {UPDATE: {"waitSeconds": 60}}
IN_VAIN: Mapping[str, object] = {UPDATE: {"waitSeconds": 2}}


@pytest.fixture
def lost(registry: Registry) -> Pushed:
    """An image whose last layer is not there yet."""
    pushed = registry.push("shop/web", docker_image("web"), tag="1")
    registry.lose_layer("shop/web", pushed.layers[-1])
    return pushed


@contextmanager
def as_soon_as_it_was_asked_about(ecr: SandboxEcr, repair: Callable[[], object]) -> Iterator[None]:
    """Let what is missing come after the pack has seen that it is not there."""

    def watch() -> None:
        end = time.monotonic() + 50
        while time.monotonic() < end and not any(each.digests for each in ecr.requests):
            time.sleep(0.05)
        repair()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        watcher.join()


def test_an_update_goes_on_as_soon_as_a_layer_comes(
    start: Start, ecr: SandboxEcr, registry: Registry, lost: Pushed
) -> None:
    engine = start(functions(web=lost.reference), pack_config=WAITING)
    with as_soon_as_it_was_asked_about(
        ecr, lambda: registry.restore_layer("shop/web", lost.layers[-1])
    ):
        update = engine.up()
    assert update.passed, update.output
    assert update.violations == ()
    assert engine.asked_to_create() == (f"{FUNCTION}::web",)


def test_an_image_that_is_pushed_while_the_update_waits_is_judged_as_pushed(
    start: Start, ecr: SandboxEcr, registry: Registry, lost: Pushed
) -> None:
    registry.restore_layer("shop/web", lost.layers[-1])
    absent = lost.reference.removesuffix(":1") + ":2"
    engine = start(functions(first=lost.reference, absent=absent), pack_config=WAITING)
    with as_soon_as_it_was_asked_about(
        ecr, lambda: registry.push("shop/web", docker_image("new"), tag="2")
    ):
        update = engine.up()
    assert update.passed, update.output
    assert engine.asked_to_create() == (f"{FUNCTION}::first", f"{FUNCTION}::absent")


def test_an_update_that_waited_in_vain_reports_how_long_and_creates_nothing(
    start: Start, lost: Pushed
) -> None:
    engine = start(functions(web=lost.reference), pack_config=IN_VAIN)
    update = engine.up()
    assert not update.passed
    (message,) = update.messages(UPDATE)
    assert message.splitlines()[1] == (
        "  The image's manifest is in ECR, and at least one of its layers (or its config) is not. "
        "It did not come within 2 s either."
    )
    assert engine.asked_to_create() == ()


def test_an_analysis_waits_and_a_preview_does_not(
    start: Start, ecr: SandboxEcr, lost: Pushed, tmp_path: Path
) -> None:
    engine = start(functions(web=lost.reference), pack_config=IN_VAIN)
    (message,) = engine.preview().messages(PREVIEW)
    assert "either" not in message
    assert layers_asked(ecr) == 1
    ecr.clear_requests()
    analysis = engine.analyze(state_of({"web": lost.reference}, tmp_path / "state.json"))
    assert not analysis.passed
    assert "It did not come within 2 s either." in analysis.output
    assert layers_asked(ecr) > 1


def layers_asked(ecr: SandboxEcr) -> int:
    return sum(each.operation == "BatchCheckLayerAvailability" for each in ecr.requests)
