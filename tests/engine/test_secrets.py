"""The keys of a provider are in nothing that a run of the real engine prints or leaves behind."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pulumi
import pytest
from layerguard_sandbox.ecr import Answer, Fault, Keys, SandboxEcr, docker_image
from layerguard_sandbox.ecr.registry import Registry
from layerguard_sandbox.engine import Engine, Outcome

from tests.engine.conftest import Start
from tests.engine.programs import NOTICE, function
from tests.engine.states import provider, user, write_state

EXTERNAL_ID = "an-external-id-that-is-a-secret"
HOME = "eu-west-1"


@pytest.fixture
def session(ecr: SandboxEcr) -> Keys:
    """Temporary keys, as a pipeline hands them to a provider."""
    role = ecr.principals.add_role("123456789012", "pipeline")
    return ecr.principals.assume(ecr.keys, {"RoleArn": role, "RoleSessionName": "run"})


@pytest.fixture
def providers(session: Keys) -> Mapping[str, Mapping[str, object]]:
    """Providers that are fine, refused, wrong in every way, and one whose role cannot be assumed."""
    keys = {
        "accessKey": session.access_key,
        "secretKey": session.secret_key,
        "token": session.token,
    }
    roles = [{"roleArn": "arn:aws:iam::210987654321:role/closed", "externalId": EXTERNAL_ID}]
    return {
        "fine": keys,
        "denied": keys,
        "wrong-secret": {**keys, "secretKey": f"{session.secret_key}-but-wrong"},
        "wrong-token": {**keys, "token": f"{session.token}-but-wrong"},
        "broken-key": {**keys, "accessKey": f"{session.access_key}\n"},
        "broken-token": {**keys, "token": f"{session.token}\n"},
        "role": {**keys, "assumeRoles": json.dumps(roles)},
        "no-such-profile": {**keys, "profile": "absent"},
    }


CODES = {
    "denied": "access-denied",
    "wrong-secret": "no-credentials",
    "wrong-token": "no-credentials",
    "broken-key": "no-credentials",
    "broken-token": "no-credentials",
    "role": "access-denied",
    "no-such-profile": "no-credentials",
}


@pytest.fixture
def images(
    ecr: SandboxEcr, registry: Registry, providers: Mapping[str, object]
) -> Mapping[str, str]:
    ecr.faults.add(Fault(Answer.DENIED, repository="shop/denied"))
    return {
        name: registry.push(f"shop/{name}", docker_image(name), tag="1").reference
        for name in providers
    }


@pytest.fixture
def program(
    images: Mapping[str, str], providers: Mapping[str, Mapping[str, object]]
) -> Callable[[], None]:
    def run() -> None:
        for name, inputs in providers.items():
            secret = {key: pulumi.Output.secret(value) for key, value in inputs.items()}
            made = pulumi.ProviderResource("aws", name, {"region": HOME, **secret})
            function(name, images[name], provider=made)

    return run


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def engine(start: Start, ecr: SandboxEcr, program: Callable[[], None], home: Path) -> Engine:
    environment = {
        **ecr.environment,
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "LAYERGUARD_LOG": "debug:~/layerguard.log",
    }
    return start(program, environment)


def texts_in(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            yield path.read_bytes().decode("utf-8", "replace")


def assert_silent(session: Keys, *texts: str) -> None:
    assert session.token
    for secret in (session.access_key, session.secret_key, session.token, EXTERNAL_ID):
        for text in texts:
            assert secret not in text


def codes(outcome: Outcome, images: Mapping[str, str]) -> dict[str, str]:
    """Return the code that the notice gives for each image; one message may be about several."""
    return {
        name: message.partition(":")[0]
        for message in outcome.messages(NOTICE)
        for name, image in images.items()
        if image in message
    }


def test_no_key_of_a_provider_is_printed_reported_or_left_in_a_file(
    engine: Engine,
    session: Keys,
    images: Mapping[str, str],
    providers: Mapping[str, Mapping[str, object]],
    home: Path,
    tmp_path: Path,
) -> None:
    resources = (
        each
        for name, inputs in providers.items()
        for each in (provider(name, {"region": HOME, **inputs}), user(name, images[name], name))
    )
    exported = write_state(tmp_path / "state.json", *resources)
    for run in (engine.preview, engine.up):
        outcome = run()
        assert outcome.passed, outcome.output
        assert codes(outcome, images) == CODES
        assert_silent(session, outcome.output, *map(repr, outcome.violations))
    # The keys are in the clear in a state that was exported with its secrets, and still not printed.
    analysis = engine.analyze(exported)
    assert all(images[name] in analysis.output for name in CODES)
    assert_silent(session, analysis.output)
    log = (home / "layerguard.log").read_text()
    # It has each run's calls and troubles, the access keys that STS gives for a role included.
    assert log.count(" INFO layerguard: Layerguard ") == 3
    assert log.count("BatchGetImage of 123456789012 in eu-west-1, shop/fine, 1 ids: ok in ") == 3
    assert "wrong-secret" in log
    assert_silent(session, *texts_in(home), *texts_in(Path(engine.folder)))
