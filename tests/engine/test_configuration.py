"""Configuration on the real engine: what is wrong is refused at the start, by the engine or by the pack."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2, json_format
from layerguard.settings import OPTIONS
from layerguard_sandbox.ecr import SandboxEcr
from pulumi.runtime.proto import analyzer_pb2_grpc

from tests.engine.conftest import Start
from tests.engine.programs import UPDATE, functions
from tests.engine.states import state_of

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:1"
# A wrong value of each option, and the engine's words for where it is wrong and what is allowed.
WRONG: Mapping[str, tuple[object, str]] = {
    "undetermined": ("stop", 'undetermined must be one of the following: "notice", "fail"'),
    "exempt": ([{"reference": "*"}], "exempt.0: reason is required"),
    "exemptResources": ({}, "exemptResources: Invalid type. Expected: array, given: object"),
    "identities": ({"12": {"profile": "p"}}, 'identities: Property name of "12" does not match'),
    "pullThroughCachePrefixes": (["Docker"], "pullThroughCachePrefixes.0: Does not match pattern"),
    "trustedEndpoints": (["ftp://ecr"], "trustedEndpoints.0: Does not match pattern"),
    "runtimeRules": ("maybe", 'runtimeRules must be one of the following: "on", "notice", "off"'),
    "platformRules": ("no", 'platformRules must be one of the following: "on", "notice", "off"'),
    "timeoutSeconds": (0, "timeoutSeconds: Must be greater than or equal to 1"),
    "totalTimeoutSeconds": (3601, "totalTimeoutSeconds: Must be less than or equal to 3600"),
    "waitSeconds": ("5", "waitSeconds: Invalid type. Expected: number, given: string"),
    "concurrency": (1.5, "concurrency: Invalid type. Expected: integer, given: number"),
}


def analyze(start: Start, folder: Path, config: Mapping[str, object]) -> str:
    """Return what a run with a wrong configuration prints."""
    engine = start(functions(), pack_config={UPDATE: config})
    outcome = engine.analyze(state_of({"a": IMAGE, "b": IMAGE}, folder / "state.json"))
    assert not outcome.passed
    return outcome.output


def test_a_wrong_value_of_any_option_is_refused_before_anything_is_asked(
    start: Start, ecr: SandboxEcr, tmp_path: Path
) -> None:
    assert set(WRONG) == {option.name for option in OPTIONS}
    output = analyze(start, tmp_path, {name: value for name, (value, _) in WRONG.items()})
    for _, words in WRONG.values():
        assert words in output
    assert ecr.requests == ()


def test_an_option_that_there_is_not_is_refused_once_with_what_was_meant(
    start: Start, tmp_path: Path
) -> None:
    output = analyze(start, tmp_path, {"timeoutSecond": 5})
    assert output.count("There is no option timeoutSecond; did you mean timeoutSeconds.") == 1


@pytest.fixture
def announced(pack: Path) -> Mapping[str, Any]:
    """What the pack announces to the engine, over the protocol between them."""
    process = subprocess.Popen(
        ["venv/bin/python", "-u", "-m", "pulumi.policy", "127.0.0.1:1", "."],
        cwd=pack,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with ExitStack() as after:
        after.callback(process.communicate, timeout=30)
        after.callback(process.send_signal, 2)
        assert process.stdout
        address = f"127.0.0.1:{int(process.stdout.readline())}"
        channel = after.enter_context(grpc.insecure_channel(address))
        info = analyzer_pb2_grpc.AnalyzerStub(channel).GetAnalyzerInfo(empty_pb2.Empty())
        document: Mapping[str, Any] = json_format.MessageToDict(info)
        return document


def test_the_schema_that_the_pack_announces_is_that_of_the_options(
    announced: Mapping[str, Any],
) -> None:
    """tests/test_settings.py holds that this schema accepts what the pack itself accepts."""
    policies = {policy["name"]: policy for policy in announced["policies"]}
    assert len(policies) == 3
    for policy in policies.values():
        schema = policy["configSchema"]
        assert schema["properties"] == {option.name: option.schema for option in OPTIONS}
        assert not schema.get("required")
