"""The gates on the real engine: preview, update and analyze."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pulumi
import pytest
from layerguard_sandbox.ecr import Answer, Fault, SandboxEcr, docker_image, oci_image
from layerguard_sandbox.ecr.registry import Registry
from layerguard_sandbox.engine import sample_stack

from tests.engine.conftest import Start
from tests.engine.programs import (
    FUNCTION,
    HOST,
    NOTICE,
    PREVIEW,
    UPDATE,
    function,
    functions,
    resource,
)


@pytest.fixture
def images(registry: Registry) -> Mapping[str, str]:
    """Two healthy images, and one whose second layer is missing."""
    good = registry.push("shop/good", docker_image("good"), tag="1")
    also = registry.push("shop/also", oci_image("also"), tag="1")
    lost = registry.push("shop/lost", docker_image("lost"), tag="1")
    registry.lose_layer("shop/lost", lost.layers[1])
    return {"good": good.reference, "lost": lost.reference, "also": also.reference}


def test_a_healthy_stack_passes_with_one_line_that_sums_it_up(
    start: Start, images: Mapping[str, str]
) -> None:
    engine = start(functions(good=images["good"], also=images["also"], again=images["good"]))
    for outcome in (engine.preview(), engine.up()):
        assert outcome.passed, outcome.output
        assert outcome.violations == ()
        assert (
            "layerguard: 3 image uses, 2 images, 8 layers checked, 0 unavailable, "
            "0 undetermined, 0 pending; 8 calls to ECR in " in outcome.output
        )


def test_a_preview_is_stopped_by_a_missing_layer_which_it_names(
    start: Start, registry: Registry
) -> None:
    lost = registry.push("shop/lost", docker_image("lost"), tag="1")
    registry.lose_layer("shop/lost", lost.layers[1])
    outcome = start(functions(lost=lost.reference)).preview()
    assert not outcome.passed
    (violation,) = outcome.violations
    assert (violation.policy, violation.level) == (PREVIEW, "mandatory")
    assert violation.urn.endswith(f"::{FUNCTION}::lost")
    size = next(b for b in docker_image("lost").blobs if b.digest == lost.layers[1])
    assert outcome.messages(PREVIEW) == (
        f"layer-missing: imageUri: {HOST}/shop/lost:1\n"
        "  The image's manifest is in ECR, and at least one of its layers (or its config) is not.\n"
        f"  digest: {lost.digest}\n"
        "  platform: linux/amd64\n"
        f"  layers: 1 of {1 + len(lost.layers)} is not available:\n"
        f"    {lost.layers[1]} UNAVAILABLE "
        f"(layer 2 of {len(lost.layers)}, {len(size.content):,} bytes)\n"
        "  next step: push the image again, which uploads what is missing: "
        f"docker push {HOST}/shop/lost:1",
    )


def test_an_update_never_creates_the_resource_but_its_healthy_neighbours(
    start: Start, images: Mapping[str, str]
) -> None:
    def program() -> None:
        good, also = function("good", images["good"]), function("also", images["also"])
        lost = function("lost", images["lost"], depends_on=[good, also])
        function("after", images["good"], depends_on=[lost])

    engine = start(program)
    outcome = engine.up()
    assert not outcome.passed
    (message,) = outcome.messages(UPDATE)
    assert message.startswith(f"layer-missing: imageUri: {images['lost']}\n")
    assert sorted(engine.asked_to_create()) == [f"{FUNCTION}::also", f"{FUNCTION}::good"]
    # For each image its manifest, its layers, its config and where that is; and once the caches.
    assert (
        "layerguard: 3 image uses, 3 images, 12 layers checked, 1 unavailable, 0 undetermined, "
        "0 pending; 13 calls to ECR in " in outcome.output
    )


def test_analyze_finds_in_a_state_what_a_preview_finds(
    start: Start, registry: Registry, tmp_path: Path
) -> None:
    pushed = registry.push("shop/web", oci_image("web"), tag="1")
    engine = start(functions(web=pushed.reference))
    assert engine.up().passed
    state = engine.export(tmp_path / "state.json")
    assert engine.analyze(state).passed
    registry.lose_layer("shop/web", pushed.layers[0])
    outcome = engine.analyze(state)
    assert not outcome.passed
    assert f"layer-missing: imageUri: {pushed.reference}\n" in outcome.output
    assert f"{pushed.layers[0]} UNAVAILABLE" in outcome.output


def test_in_preview_no_resource_waits_for_ecr(
    start: Start, ecr: SandboxEcr, registry: Registry
) -> None:
    names = [f"image{number}" for number in range(6)]
    program = functions(
        **{
            name: registry.push(f"shop/{name}", oci_image(name), tag="1").reference
            for name in names
        }
    )
    ecr.faults.add(Fault(Answer.HANG, operation="BatchGetImage"))
    engine = start(program)
    asked: list[int] = []

    def release() -> None:
        # ECR does not answer until all six were asked about. Had one resource waited for its
        # answer, the next would not have been asked about within the client's patience.
        end = time.monotonic() + 15
        while len(ecr.requests) < len(names) and time.monotonic() < end:
            time.sleep(0.05)
        asked.append(len({request.repository for request in ecr.requests}))
        ecr.faults.clear()

    watcher = threading.Thread(target=release)
    watcher.start()
    engine.preview()
    watcher.join()
    assert asked == [len(names)]


def test_an_unknown_value_is_pending_and_hides_no_neighbour(
    start: Start, images: Mapping[str, str]
) -> None:
    def program() -> None:
        repository = resource(
            "aws:ecr/repository:Repository", "new", {"name": "shop/new", "repositoryUrl": None}
        )
        url = pulumi.Output.from_input(repository.urn).apply(lambda _: "")
        resource(
            "aws-native:ecs:TaskDefinition",
            "task",
            {
                "containerDefinitions": [
                    {"name": "new", "image": pulumi.Output.concat(repository.id, url, ":1")},
                    {"name": "lost", "image": images["lost"]},
                    {"name": "good", "image": images["good"]},
                ]
            },
        )

    outcome = start(program).preview()
    assert not outcome.passed
    assert outcome.headlines(PREVIEW) == [
        f'layer-missing: containerDefinitions[1].image (container "lost"): {images["lost"]}'
    ]
    assert outcome.headlines(NOTICE) == [
        'unknown-in-preview: containerDefinitions[0].image (container "new")'
    ]
    assert "1 unavailable, 0 undetermined, 1 pending" in outcome.output


def test_without_credentials_the_stack_passes_with_a_notice_for_each_image(
    start: Start, no_credentials: Mapping[str, str]
) -> None:
    image = f"{HOST}/shop/web:1"
    engine = start(functions(web=image), environment=no_credentials)
    for outcome in (engine.preview(), engine.up()):
        assert outcome.passed, outcome.output
        (message,) = outcome.messages(NOTICE)
        assert message.startswith(
            f"no-credentials: imageUri: {image}\n"
            "  NoCredentialsError: Unable to locate credentials.\n"
        )
    assert engine.asked_to_create() == (f"{FUNCTION}::web",)


def test_a_team_that_fails_closed_is_stopped_without_credentials(
    start: Start, no_credentials: Mapping[str, str]
) -> None:
    config = {UPDATE: {"undetermined": "fail"}}
    engine = start(functions(web=f"{HOST}/shop/web:1"), no_credentials, config)
    preview, update = engine.preview(), engine.up()
    assert not preview.passed
    assert not update.passed
    assert [policy for policy in (PREVIEW, UPDATE, NOTICE) if preview.messages(policy)] == [PREVIEW]
    assert [policy for policy in (PREVIEW, UPDATE, NOTICE) if update.messages(policy)] == [UPDATE]
    assert engine.asked_to_create() == ()


def test_layerguard_off_lets_everything_pass_and_is_reported(
    start: Start, ecr: SandboxEcr, images: Mapping[str, str]
) -> None:
    engine = start(functions(**images), {**ecr.environment, "LAYERGUARD": "off"})
    outcome = engine.up()
    assert outcome.passed
    assert outcome.messages(NOTICE) == (
        "layerguard is off: LAYERGUARD=off is set, so no image was checked.",
    )
    assert ecr.requests == ()


def test_a_team_can_start_softly_with_every_policy_advisory(
    start: Start, images: Mapping[str, str]
) -> None:
    engine = start(functions(**images), pack_config={"all": "advisory"})
    for outcome, policy in ((engine.preview(), PREVIEW), (engine.up(), UPDATE)):
        assert outcome.passed, outcome.output
        (message,) = outcome.messages(policy)
        assert message.startswith(f"layer-missing: imageUri: {images['lost']}\n")


def test_the_sample_stack_uses_every_runtime_and_all_of_it_is_found(
    start: Start, registry: Registry
) -> None:
    for repository in ("shop/web", "shop/worker", "shop/report"):
        registry.create_repository(repository)
    outcome = start(sample_stack).preview()
    assert outcome.headlines(PREVIEW) == sorted(
        f"image-not-found: {place}: {HOST}/shop/{image}:1.4.2"
        for place, image in [
            ("imageUri", "worker"),
            ("sourceConfiguration.imageRepository.imageIdentifier", "report"),
            ('containerDefinitions[0].image (container "web")', "web"),
            ('spec.template.spec.containers[0].image (container "web")', "web"),
            ('spec.template.spec.initContainers[0].image (container "migrate")', "web"),
        ]
    )
    assert outcome.headlines(NOTICE) == ["unknown-in-preview: containerProperties"]
