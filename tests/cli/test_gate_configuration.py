"""``--config``: the configuration of the gates, parsed and checked as the engine and the pack do."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerguard.settings import OPTIONS, Settings, Undetermined
from layerguard_cli import main
from layerguard_cli.gate_configuration import _fits, settings_in
from layerguard_sandbox.ecr import SandboxEcr
from layerguard_sandbox.engine import ROOT

from tests.cli.auditing import ABSENT, REPORT, WEB, audit, audit_json

ROLE = "arn:aws:iam::123456789012:role/checker"


def written(folder: Path, document: Any) -> Path:
    path = folder / "config.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


@pytest.mark.parametrize("name", ["start-softly", "production", "fail-closed"])
def test_the_examples_are_configurations(name: str) -> None:
    path = ROOT / "docs" / "examples" / f"{name}.json"
    own = json.loads(path.read_text()).get("ecr-layers-available", {})
    own.pop("enforcementLevel", None)
    assert settings_in(path) == Settings.parse(own)


@pytest.mark.parametrize(
    "document",
    [
        {"undetermined": "fail"},
        {"ecr-layers-available": {"undetermined": "fail", "enforcementLevel": "advisory"}},
        {"all": "mandatory", "ecr-layers-available": {"undetermined": "fail"}},
    ],
)
def test_options_stand_alone_or_under_their_policy(tmp_path: Path, document: Any) -> None:
    assert settings_in(written(tmp_path, document)) == Settings(undetermined=Undetermined.FAIL)


@pytest.mark.parametrize(
    "document", [{}, {"all": "advisory"}, {"ecr-layers-available": "disabled"}]
)
def test_a_level_alone_is_the_default(tmp_path: Path, document: Any) -> None:
    assert settings_in(written(tmp_path, document)) == Settings()


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ("{", "it is not a configuration in JSON"),
        ("[" * 100_000, "it is not a configuration in JSON"),
        (" " * 1_000_001, "it is too large for a configuration"),
        ([], "it is not a configuration: an object with the options is expected"),
        (
            {"ecr-layers-available": 1},
            "ecr-layers-available is neither a level nor an object with options",
        ),
        ({"undeterminde": "fail"}, "There is no option undeterminde; did you mean undetermined"),
        (
            {"timeoutSeconds": "30"},
            "The option timeoutSeconds has a value that is not allowed; allowed: number from 1 to 600",
        ),
        (
            {"exempt": [{"reference": "*"}]},
            "The option exempt has a value that is not allowed; allowed: list of `{reference: glob, reason: text}`",
        ),
        (
            {"identities": {"default": {"roleArn": "me"}}},
            "The option identities has a value that is not allowed; allowed: account or `default` to `{roleArn, externalId}` or `{profile}`",
        ),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_the_engine_or_the_pack_refuses_is_wrong_usage(
    tmp_path: Path, document: Any, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, document)
    for words in (["check", "nginx"], ["audit", "-"]):
        assert main([*words, "--config", str(path)]) == 64
        assert capsys.readouterr().err == f"layerguard: {path}: {problem}.\n"


def test_a_configuration_that_cannot_be_read_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="No such file or directory"):
        settings_in(tmp_path / "none")


words = st.sampled_from(
    ["notice", "fail", "on", "off", "ROOT", "cache/", "default", "123456789012", ROLE, "me", "",
     "reference", "urn", "reason", "roleArn", "externalId", "profile", "https://ecr.example/"]
)  # fmt: skip
values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 700) | st.floats(-5, 700) | words,
    lambda inside: st.lists(inside, max_size=2) | st.dictionaries(words, inside, max_size=3),
)


@given(st.sampled_from(OPTIONS), values)
def test_a_value_is_checked_as_json_schema_says(option: Any, value: Any) -> None:
    expected = jsonschema.Draft202012Validator(option.schema).is_valid(value)
    assert _fits(value, option.schema) is expected


@given(st.dictionaries(st.sampled_from([each.name for each in OPTIONS]), values, max_size=3))
def test_what_json_schema_allows_is_parsed(options: Any) -> None:
    schemas = {each.name: each.schema for each in OPTIONS}
    if all(_fits(value, schemas[name]) for name, value in options.items()):
        Settings.parse(options)


def test_an_exemption_counts_in_an_audit_and_in_a_check(
    ecr: SandboxEcr,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = written(tmp_path, {"exempt": [{"reference": "*/shop/web:none", "reason": "Gone."}]})
    listed = tmp_path / "list"
    listed.write_text(f"{ABSENT}\n")
    assert audit(ecr, listed).returncode == 1
    found = audit_json(ecr, listed, "--config", config)
    assert [each["code"] for each in found["sources"][0]["images"]] == ["exempt"]
    assert audit(ecr, listed, "--config", config).returncode == 0
    for name, value in ecr.environment.items():
        monkeypatch.setenv(name, value)
    assert main(["check", ABSENT]) == 1
    assert main(["check", ABSENT, "--config", str(config)]) == 0
    assert "exempt: argument" in capsys.readouterr().out


def test_an_identity_of_the_configuration_asks_unless_the_command_line_has_one(
    ecr: SandboxEcr, tmp_path: Path
) -> None:
    roles = {
        name: ecr.principals.add_role("123456789012", name, trusts=[ecr.keys.arn])
        for name in ("configured", "given")
    }
    config = written(tmp_path, {"identities": {"123456789012": {"roleArn": roles["configured"]}}})
    listed = tmp_path / "list"
    listed.write_text(f"{REPORT}\n")
    for words, role in (
        (("--config", config), "configured"),
        (("--config", config, "--role-arn", roles["given"]), "given"),
    ):
        ecr.clear_requests()
        assert audit(ecr, listed, *words).returncode == 0
        asked = {
            each.principal.split("/")[1]
            for each in ecr.requests
            if each.principal and each.repository
        }
        assert asked == {role}


def test_a_time_of_the_command_line_wins_over_the_configuration(
    ecr: SandboxEcr, tmp_path: Path
) -> None:
    config = written(tmp_path, {"timeoutSeconds": 600, "totalTimeoutSeconds": 1})
    listed = tmp_path / "list"
    listed.write_text(f"{WEB}\n")
    assert audit(ecr, listed, "--config", config, "--total-timeout", "30").returncode == 0


def test_a_check_in_json_is_the_report_of_an_audit(
    ecr: SandboxEcr, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in ecr.environment.items():
        monkeypatch.setenv(name, value)
    assert main(["check", "--format", "json", WEB, ABSENT]) == 1
    report = json.loads(capsys.readouterr().out)
    schema = json.loads((ROOT / "docs" / "audit-report.schema.json").read_text())
    jsonschema.validate(report, schema)
    (source,) = report["sources"]
    assert (source["name"], source["kind"]) == ("arguments", "references")
    assert [(each["reference"], each["code"]) for each in source["images"]] == [
        (WEB, "available"),
        (ABSENT, "image-not-found"),
    ]
