"""Every fault of the matrix in preview, update and analyze, on the real engine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from layerguard_sandbox.ecr import SandboxEcr, docker_image
from layerguard_sandbox.ecr.registry import Registry
from layerguard_sandbox.engine import Engine

from tests.engine.conftest import Start
from tests.engine.fault_matrix import CASES, PAGE, TIMEOUT, Case, page
from tests.engine.programs import FUNCTION, NOTICE, PLACES, PREVIEW, UPDATE, users
from tests.engine.states import state_of

NEIGHBOURS = ("healthy-first", "healthy-last")
CONFIG = {UPDATE: {"timeoutSeconds": TIMEOUT}}
REPORTED = tuple(case for case in CASES if case.is_reported)


@pytest.fixture
def healthy(registry: Registry) -> Mapping[str, str]:
    return {
        name: registry.push(f"shop/{name}", docker_image(name), tag="1").reference
        for name in NEIGHBOURS
    }


def spoilt(ecr: SandboxEcr, registry: Registry, cases: tuple[Case, ...]) -> dict[str, str]:
    return {case.name: case.spoil(ecr, registry, f"shop/{case.name}") for case in cases}


def the_message(messages: tuple[str, ...], case: Case, image: str) -> str:
    (found,) = [each for each in messages if each.startswith(headline(case, image))]
    return found


def headline(case: Case, image: str) -> str:
    return f"{case.code.text}: {PLACES[case.kind]}: {image}\n"


KINDS = {case.name: case.kind for case in CASES}


def used_by(images: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return each image with the type of the resource that uses it."""
    return {name: (KINDS.get(name, FUNCTION), image) for name, image in images.items()}


def test_a_preview_and_an_analysis_report_each_as_it_is(
    start: Start, ecr: SandboxEcr, registry: Registry, healthy: Mapping[str, str], tmp_path: Path
) -> None:
    bad = spoilt(ecr, registry, CASES)
    images = {NEIGHBOURS[0]: healthy[NEIGHBOURS[0]], **bad, NEIGHBOURS[1]: healthy[NEIGHBOURS[1]]}
    engine: Engine = start(users(used_by(images)), pack_config=CONFIG)
    preview = engine.preview()
    assert not preview.passed
    for case in REPORTED:
        messages = preview.messages(PREVIEW if case.stops else NOTICE)
        assert case.words in the_message(messages, case, bad[case.name]), case.name
    reported = {violation.urn.rpartition("::")[2] for violation in preview.violations}
    assert reported == {case.name for case in REPORTED}
    ecr.faults.rewind()
    analysis = engine.analyze(state_of(images, tmp_path / "state.json", KINDS))
    assert not analysis.passed
    for case in REPORTED:
        assert headline(case, bad[case.name]) in analysis.output, case.name
        assert case.words in analysis.output, case.name
    for image in (*healthy.values(), *(bad[case.name] for case in CASES if not case.is_reported)):
        assert image not in analysis.output


STOPPING = tuple(case for case in CASES if case.stops)
NOT_STOPPING = tuple(case for case in CASES if not case.stops)


@pytest.mark.parametrize("case", STOPPING, ids=lambda case: case.name)
def test_an_update_never_creates_what_is_proven_unavailable(
    start: Start, ecr: SandboxEcr, registry: Registry, healthy: Mapping[str, str], case: Case
) -> None:
    (image,) = spoilt(ecr, registry, (case,)).values()
    first, last = NEIGHBOURS
    images = {first: healthy[first], case.name: image, last: healthy[last]}
    engine = start(users(used_by(images)), pack_config=CONFIG)
    update = engine.up()
    assert not update.passed
    (message,) = update.messages(UPDATE)
    assert message.startswith(headline(case, image))
    assert case.words in message
    assert engine.asked_to_create() == (f"{FUNCTION}::{first}",)


def test_an_update_goes_on_with_what_could_not_be_checked_and_reports_it(
    start: Start, ecr: SandboxEcr, registry: Registry, healthy: Mapping[str, str]
) -> None:
    bad = spoilt(ecr, registry, NOT_STOPPING)
    engine = start(users(used_by({**healthy, **bad})), pack_config=CONFIG)
    update = engine.up()
    assert update.passed, update.output
    noted = [case for case in NOT_STOPPING if case.is_reported]
    for case in noted:
        assert case.words in the_message(update.messages(NOTICE), case, bad[case.name]), case.name
    assert len(update.messages(NOTICE)) == len(noted)
    assert len(engine.asked_to_create()) == len(NOT_STOPPING) + len(healthy)


def test_the_page_in_the_documentation_is_the_matrix() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.engine.fault_matrix"
