"""An ECR that never answers holds no run longer than the configuration allows."""

from __future__ import annotations

import pytest
from layerguard_sandbox.ecr import Answer, Fault, SandboxEcr, docker_image
from layerguard_sandbox.ecr.registry import Registry

from tests.engine.conftest import Start
from tests.engine.programs import NOTICE, UPDATE, functions

ONE_IMAGE = "The check did not end within 2 s (option timeoutSeconds)."
WHOLE_RUN = (
    "The time of the whole run, 3 s in which checks are under way (option totalTimeoutSeconds), is "
    "used up."
)


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"timeoutSeconds": 600, "totalTimeoutSeconds": 3}, WHOLE_RUN),
        ({"timeoutSeconds": 600, "totalTimeoutSeconds": 3, "concurrency": 1}, WHOLE_RUN),
        ({"timeoutSeconds": 2, "totalTimeoutSeconds": 600}, ONE_IMAGE),
    ],
    ids=["the-whole-run", "one-at-a-time", "one-image"],
)
def test_a_run_whose_every_call_hangs_ends_and_names_the_limit(
    start: Start, ecr: SandboxEcr, registry: Registry, limits: dict[str, int], reason: str
) -> None:
    names = [f"image{number}" for number in range(3)]
    images = {
        name: registry.push(f"shop/{name}", docker_image(name), tag="1").reference for name in names
    }
    ecr.faults.add(Fault(Answer.HANG))
    engine = start(functions(**images), pack_config={UPDATE: limits})
    preview = engine.preview()
    assert preview.passed, preview.output
    assert sorted(each.partition("\n  platform")[0] for each in preview.messages(NOTICE)) == [
        f"timed-out: imageUri: {images[name]}\n  {reason}" for name in names
    ]


def test_an_update_stops_at_the_limit_of_the_run_where_the_team_fails_closed(
    start: Start, ecr: SandboxEcr, registry: Registry
) -> None:
    image = registry.push("shop/web", docker_image("web"), tag="1").reference
    ecr.faults.add(Fault(Answer.HANG))
    limits = {"timeoutSeconds": 600, "totalTimeoutSeconds": 3, "undetermined": "fail"}
    engine = start(functions(web=image), pack_config={UPDATE: limits})
    update = engine.up()
    assert not update.passed
    (message,) = update.messages(UPDATE)
    assert message.startswith(f"timed-out: imageUri: {image}\n  {WHOLE_RUN}\n")
    assert engine.asked_to_create() == ()
