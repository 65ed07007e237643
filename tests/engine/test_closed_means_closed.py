"""A fault in any step, on the real engine: it concerns one image, and it opens no gate."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from layerguard_sandbox.ecr import Answer, Fault, SandboxEcr, docker_image
from layerguard_sandbox.ecr.registry import Registry
from layerguard_sandbox.engine import Engine, Outcome

from tests.engine.programs import FAIL, FUNCTION, NOTICE, PREVIEW, function
from tests.engine.states import state_of

PLANTED = Path(__file__).parent / "planted"
BUG = "internal-error"


@dataclass(frozen=True)
class Case:
    """A step, the code that the planted image then has, and whether the gate itself is broken.

    ``code`` is None where the image stays available.
    """

    step: str
    code: str | None = BUG
    is_gate: bool = False


CASES = (
    Case("discovery"),
    Case("settings"),
    Case("prefetch", None),
    Case("checking"),
    Case("explaining", "image-not-found"),
    Case("deciding"),
    Case("rendering", "access-denied"),
    Case("summing up", None),
    Case("making the gates", is_gate=True),
)
BLOCKING = ("image-not-found",)


@pytest.fixture
def planted_pack(pack: Path, tmp_path: Path) -> Path:
    """The pack with the planted main module and worker."""
    copy = tmp_path / "planted"
    shutil.copytree(pack, copy, symlinks=True)
    shutil.copyfile(PLANTED / "pack_main.py", copy / "__main__.py")
    shutil.copyfile(PLANTED / "planted_worker.py", copy / "planted_worker.py")
    return copy


@pytest.fixture
def images(registry: Registry) -> Mapping[str, str]:
    """A healthy image, the planted one, and one that lacks a layer."""
    names = ("good", "planted", "lost")
    pushed = {name: registry.push(f"shop/{name}", docker_image(name), tag="1") for name in names}
    registry.lose_layer("shop/lost", pushed["lost"].layers[0])
    return {name: each.reference for name, each in pushed.items()}


@pytest.mark.parametrize("config", [{}, FAIL], ids=["notice", "fail"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.step.replace(" ", "-"))
def test_a_fault_in_a_step_hides_no_other_image_and_blocks_where_the_team_fails_closed(
    case: Case,
    config: Mapping[str, Any],
    planted_pack: Path,
    ecr: SandboxEcr,
    registry: Registry,
    images: Mapping[str, str],
    tmp_path: Path,
) -> None:
    if case.code == "image-not-found":
        registry.delete_image("shop/planted", "1")
    if case.code == "access-denied":
        ecr.faults.add(Fault(Answer.DENIED, repository="shop/planted"))

    blocks = case.code in BLOCKING or (bool(config) and case.code is not None)

    def program() -> None:
        good = function("good", images["good"])
        planted = function("planted", images["planted"], depends_on=[good])
        # Where the planted image stops the update, nothing else would be looked at.
        function("lost", images["lost"], depends_on=[good] if blocks else [planted])

    environment = {**ecr.environment, "LAYERGUARD_PLANTED": case.step}
    is_closed = bool(config)
    with Engine(program, planted_pack, environment, config) as engine:
        preview, update = engine.preview(), engine.up()
        analysis = engine.analyze(state_of(images, tmp_path / "state.json"))
        created = engine.asked_to_create()
    assert_reported(case, preview, PREVIEW, is_closed=is_closed)
    assert (f"{FUNCTION}::planted" in created) is not blocks
    if not case.is_gate:
        assert f"{FUNCTION}::good" in created
        assert f"{FUNCTION}::lost" not in created
    assert not update.passed or not is_closed
    assert "layer-missing" in analysis.output or case.is_gate
    assert analysis.passed is (case.is_gate and not is_closed)
    for outcome in (preview, update, analysis):
        assert "\x1b[31m" not in outcome.output.replace("\x1b[31m::", "")
        assert "\n::error" not in outcome.output


def assert_reported(case: Case, outcome: Outcome, gate: str, *, is_closed: bool) -> None:
    """The planted image is reported by the gate or the notice, and the lost one by the gate."""
    by_gate, by_notice = outcome.messages(gate), outcome.messages(NOTICE)
    if case.is_gate:
        (message,) = by_gate if is_closed else by_notice
        assert message.startswith(
            f"{BUG}: This is a bug of Layerguard 0.1.0, so no image was checked"
        )
        return
    assert any(message.startswith("layer-missing: ") for message in by_gate)
    if case.code is None:
        assert any(message.startswith(f"{BUG}: This is a bug") for message in by_notice)
        return
    blocks = case.code in BLOCKING or is_closed
    reported = by_gate if blocks else by_notice
    assert any(message.startswith(f"{case.code}: ") for message in reported), (by_gate, by_notice)
