"""What leaves the pack on the real engine: odd text, secrets, and which endpoint was asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pulumi
import pytest
from layerguard_sandbox.ecr import SandboxEcr, docker_image
from layerguard_sandbox.ecr.registry import Registry

from tests.engine.conftest import Start
from tests.engine.programs import FAIL, FUNCTION, PREVIEW, TASK, UPDATE, function, resource

ACCOUNT = "123456789012"


@pytest.fixture
def lost(registry: Registry) -> str:
    pushed = registry.push("shop/lost", docker_image("lost"), tag="1")
    registry.lose_layer("shop/lost", pushed.layers[0])
    return pushed.reference


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("\ud800", r"\ud800"),
        ("a\n::error::b", r"a\n::error::b"),
        ("\x1b[31m\x00", r"\x1b[31m\x00"),
        ("\u202eweb\u200b", r"\u202eweb\u200b"),
    ],
    ids=["lone surrogate", "line break", "escape", "bidirectional"],
)
def test_odd_text_in_a_document_opens_no_gate(
    start: Start, lost: str, name: str, shown: str
) -> None:
    def program() -> None:
        containers = json.dumps([{"name": name, "image": lost}])
        resource(TASK, "task", {"family": "task", "containerDefinitions": containers})
        function("lost", lost)

    engine = start(program, pack_config=FAIL)
    preview, update = engine.preview(), engine.up()
    assert not preview.passed
    assert preview.headlines(PREVIEW) == [
        f'layer-missing: containerDefinitions[0].image (container "{shown}"): {lost}',
        f"layer-missing: imageUri: {lost}",
    ]
    assert not update.passed
    assert engine.asked_to_create() == ()


@pytest.mark.parametrize(
    "content",
    [
        '{"version": 2, "written": 1' + "0" * 400 + ', "salt": "", "images": []}',
        "[" * 200_000,
        '{"version": 2, "written": 1, "salt": "", "images": [["x", ["linux"], 1]]}',
        "\x00",
    ],
    ids=["a huge number", "brackets", "a list for a platform", "NUL"],
)
def test_a_prefetch_file_that_the_program_writes_opens_no_gate(
    start: Start, ecr: SandboxEcr, lost: str, tmp_path: Path, content: str
) -> None:
    cache = tmp_path / "cache"

    def program() -> None:
        for file in (cache / "layerguard" / "prefetch").glob("*.json"):
            file.write_text(content)
        function("lost", lost)

    engine = start(program, {**ecr.environment, "XDG_CACHE_HOME": str(cache)}, FAIL)
    assert not engine.preview().passed
    assert list((cache / "layerguard" / "prefetch").glob("*.json"))
    update = engine.up()
    assert not update.passed
    (message,) = update.messages(UPDATE)
    assert message.startswith(f"layer-missing: imageUri: {lost}\n")
    assert engine.asked_to_create() == ()


def test_an_image_that_is_a_secret_is_shown_without_its_account_and_is_in_no_file(
    start: Start, ecr: SandboxEcr, registry: Registry, lost: str, tmp_path: Path
) -> None:
    open_image = registry.push("shop/open", docker_image("open"), tag="1").reference
    cache = tmp_path / "cache"

    def program() -> None:
        function("secret", pulumi.Output.secret(lost))
        document = json.dumps([{"name": "web", "image": lost}])
        resource(
            TASK, "task", {"family": "t", "containerDefinitions": pulumi.Output.secret(document)}
        )
        function("open", open_image)

    engine = start(program, {**ecr.environment, "XDG_CACHE_HOME": str(cache)})
    outcome = engine.preview()
    assert not outcome.passed
    hidden = lost.replace(ACCOUNT, "***")
    messages = outcome.messages(PREVIEW)
    assert sorted(message.partition("\n")[0] for message in messages) == [
        f"layer-missing: containerDefinitions[0].image: {hidden}",
        f"layer-missing: imageUri: {hidden}",
    ]
    assert ACCOUNT not in "".join(messages)
    files = [path.read_text() for path in cache.rglob("*.json")]
    assert any("shop/open" in text for text in files)
    assert not any("shop/lost" in text for text in files)


def program_with_endpoint(endpoint: str, image: str) -> Callable[[], None]:
    def program() -> None:
        inputs = {"region": "eu-west-1", "endpoints": json.dumps([{"ecr": endpoint}])}
        provider = pulumi.ProviderResource("aws", "local", inputs)
        function("web", image, provider=provider)

    return program


def test_an_endpoint_that_the_stack_chose_proves_nothing(
    start: Start, ecr: SandboxEcr, registry: Registry
) -> None:
    image = registry.push("shop/web", docker_image("web"), tag="1").reference
    endpoint = ecr.endpoint.replace("://", "://user:hidden@")
    program = program_with_endpoint(endpoint, image)
    environment = {**ecr.environment, "AWS_ENDPOINT_URL_ECR": "http://127.0.0.1:1"}
    distrusting = start(program, environment, FAIL)
    preview, update = distrusting.preview(), distrusting.up()
    for outcome, gate in ((preview, PREVIEW), (update, UPDATE)):
        assert not outcome.passed
        (message,) = outcome.messages(gate)
        assert message.startswith(f"endpoint-untrusted: imageUri: {image}\n")
        assert ecr.endpoint in message
        assert "hidden" not in outcome.output
    assert ecr.requests == ()
    assert distrusting.asked_to_create() == ()


def test_an_endpoint_that_the_team_trusts_is_asked_and_named_once(
    start: Start, ecr: SandboxEcr, registry: Registry
) -> None:
    image = registry.push("shop/web", docker_image("web"), tag="1").reference
    program = program_with_endpoint(ecr.endpoint, image)
    environment = {**ecr.environment, "AWS_ENDPOINT_URL_ECR": "http://127.0.0.1:1"}
    config = {UPDATE: {"undetermined": "fail", "trustedEndpoints": [ecr.endpoint]}}
    engine = start(program, environment, config)
    for outcome in (engine.preview(), engine.up()):
        assert outcome.passed, outcome.output
        (notice,) = outcome.endpoint_notices
        assert ecr.endpoint in notice
    assert engine.asked_to_create() == (f"{FUNCTION}::web",)
