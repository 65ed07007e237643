"""Every spelling of a resource on the real engine: ``pulumi policy analyze`` and an audit agree."""

from __future__ import annotations

from pathlib import Path

import pulumi
import pytest
from layerguard_sandbox.ecr import SandboxEcr, fill

from tests.cli.auditing import audit_json
from tests.engine.conftest import Start
from tests.engine.programs import FUNCTION, NOTICE, PREVIEW, resource

STATES = Path(__file__).parent.parent / "states"
STOPPED = {
    "B-hcl-bridged-ecs.json": "containerDefinitions[0].image",
    "C-tfstate-in-cloud-ecs.json": "container_definitions[0].image",
    "H-discovered-native-outputs-only.json": "code.imageUri",
}


@pytest.fixture
def worker(ecr: SandboxEcr) -> str:
    """The reference of an image that has lost a layer."""
    image = fill(ecr).worker
    ecr.registry("123456789012", "eu-west-1").lose_layer(image.repository, image.layers[0])
    return "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/worker:1.4.2"


@pytest.mark.parametrize(("name", "path"), STOPPED.items())
def test_a_lost_layer_stops_a_state_in_every_spelling(
    name: str, path: str, worker: str, start: Start, ecr: SandboxEcr
) -> None:
    analysis = start(lambda: None).analyze(STATES / name)
    assert not analysis.passed, analysis.output
    assert f"layer-missing: {path}" in analysis.output
    assert worker in analysis.output
    (source,) = audit_json(ecr, STATES / name)["sources"]
    (image,) = source["images"]
    assert (image["code"], image["path"], image["enforcement"]) == ("layer-missing", path, "block")


def test_a_secret_that_is_not_shown_stops_no_state(start: Start) -> None:
    analysis = start(lambda: None).analyze(STATES / "S2-secret-ecs.json")
    assert analysis.passed, analysis.output
    assert "secret-not-shown: containerDefinitions" in analysis.output


def test_a_preview_reports_a_lost_layer_of_a_bridged_resource(worker: str, start: Start) -> None:
    def program() -> None:
        definitions = pulumi.Output.json_dumps([{"name": "web", "image": worker}])
        inputs = {"family": "web", "containerDefinitions": definitions}
        resource("aws:index/ecsTaskDefinition:EcsTaskDefinition", "web", inputs)

    preview = start(program).preview()
    assert not preview.passed, preview.output
    (violation,) = preview.messages(PREVIEW)
    place = f'containerDefinitions[0].image (container "web"): {worker}'
    assert violation.startswith(f"layer-missing: {place}\n")
    assert preview.messages(NOTICE) == ()


def test_a_resource_that_is_only_read_is_seen_in_the_state_alone(
    worker: str, start: Start, tmp_path: Path
) -> None:
    """The engine hands what a program reads to no policy, in a preview as in an update."""

    def program() -> None:
        resource(FUNCTION, "web", {"packageType": "Image", "imageUri": worker}, id="web")

    engine = start(program)
    assert engine.preview().messages(NOTICE) == ()
    update = engine.up()
    assert update.passed, update.output
    analysis = engine.analyze(engine.export(tmp_path / "export.json"))
    assert not analysis.passed, analysis.output
    assert f"layer-missing: imageUri: {worker}" in analysis.output
