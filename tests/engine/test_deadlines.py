"""An ECR that never answers holds up no run longer than the configuration says."""

from __future__ import annotations

import pytest
from layerguard_sandbox.ecr import Answer, Fault, SandboxEcr, docker_image
from layerguard_sandbox.ecr.registry import Registry

from tests.engine.conftest import Start
from tests.engine.programs import functions

UPDATE, NOTICE = "ecr-layers-available", "ecr-layers-unverified"


@pytest.mark.parametrize(
    "limits",
    [
        {"timeoutSeconds": 600, "totalTimeoutSeconds": 3},
        {"timeoutSeconds": 600, "totalTimeoutSeconds": 3, "concurrency": 1},
        {"timeoutSeconds": 2, "totalTimeoutSeconds": 600},
    ],
    ids=["the-whole-run", "one-at-a-time", "one-image"],
)
def test_a_run_whose_every_question_hangs_ends_and_says_after_how_long(
    start: Start, ecr: SandboxEcr, registry: Registry, limits: dict[str, int]
) -> None:
    names = [f"image{number}" for number in range(3)]
    images = {
        name: registry.push(f"shop/{name}", docker_image(name), tag="1").reference for name in names
    }
    ecr.faults.add(Fault(Answer.HANG))
    engine = start(functions(**images), pack_config={UPDATE: limits})
    preview = engine.preview()
    assert preview.passed, preview.output
    image, run = limits["timeoutSeconds"], limits["totalTimeoutSeconds"]
    assert sorted(message.partition("\n  platform")[0] for message in preview.messages(NOTICE)) == [
        f"timed-out: imageUri: {images[name]}\n"
        f"  There was no answer within {image} s for one image or {run} s for the whole run."
        for name in names
    ]
