"""Settings: wrong configuration is refused with words, never ignored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerguard.errors import SettingsInvalid
from layerguard.identity import AssumedRole, Identity
from layerguard.settings import OPTIONS, Exemption, RuleLevel, Settings, Undetermined

ROLE = "arn:aws:iam::123456789012:role/checks"
EXAMPLES = sorted((Path(__file__).parent.parent / "docs" / "examples").glob("*.json"))
SCHEMA = {
    "type": "object",
    "properties": {option.name: option.schema for option in OPTIONS},
    "additionalProperties": False,
}


def test_without_configuration_every_option_has_its_default() -> None:
    settings = Settings.parse({})
    assert settings == Settings()
    said = {option.name: option.default for option in OPTIONS}
    assert said["undetermined"] == settings.undetermined.value
    assert said["runtimeRules"] == said["platformRules"] == settings.runtime_rules.value
    assert float(said["timeoutSeconds"]) == settings.timeout_seconds
    assert float(said["totalTimeoutSeconds"]) == settings.total_timeout_seconds
    assert float(said["waitSeconds"]) == settings.wait_seconds
    assert int(said["concurrency"]) == settings.concurrency


def test_every_option_is_read() -> None:
    config = {
        "undetermined": "fail",
        "exempt": [{"reference": "*/legacy:*", "reason": "Goes away in May."}],
        "exemptResources": [{"urn": "*::canary", "reason": "A canary."}],
        "identities": {
            "123456789012": {"roleArn": ROLE, "externalId": "x"},
            "default": {"profile": "ci"},
        },
        "pullThroughCachePrefixes": ["docker-hub", "ROOT"],
        "runtimeRules": "off",
        "platformRules": "notice",
        "timeoutSeconds": 1.5,
        "totalTimeoutSeconds": 60,
        "waitSeconds": 0,
        "concurrency": 3.0,
    }
    settings = Settings.parse(config)
    assert settings == Settings(
        Undetermined.FAIL,
        (Exemption("*/legacy:*", "Goes away in May."),),
        (Exemption("*::canary", "A canary."),),
        {
            "123456789012": Identity(roles=(AssumedRole(ROLE, "x"),)),
            "default": Identity(profile="ci"),
        },
        ("docker-hub", "ROOT"),
        RuleLevel.OFF,
        RuleLevel.NOTICE,
        1.5,
        60.0,
        0.0,
        3,
    )
    assert set(config) == {option.name for option in OPTIONS}
    assert settings.identity_for("123456789012") == Identity(roles=(AssumedRole(ROLE, "x"),))
    assert settings.identity_for("210987654321") == Identity(profile="ci")
    assert Settings().identity_for("123456789012") is None


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"undetermined": "stop"}, "The option undetermined is 'stop'; allowed is notice, fail."),
        ({"undetermined": None}, "The option undetermined is None; allowed is notice, fail."),
        ({"undetermind": "fail"}, "There is no option undetermind; did you mean undetermined."),
        (
            {"timeoutSeconds": 0},
            "The option timeoutSeconds is 0; allowed is a number from 1 to 600.",
        ),
        (
            {"timeoutSeconds": True},
            "The option timeoutSeconds is True; allowed is a number from 1 to 600.",
        ),
        (
            {"timeoutSeconds": "30"},
            "The option timeoutSeconds is '30'; allowed is a number from 1 to 600.",
        ),
        (
            {"waitSeconds": float("nan")},
            "The option waitSeconds is nan; allowed is a number from 0 to 3600.",
        ),
        (
            {"concurrency": 1.5},
            "The option concurrency is 1.5; allowed is a whole number from 1 to 200.",
        ),
        (
            {"exempt": "x"},
            "The option exempt is 'x'; allowed is a list of `{reference: glob, reason: text}`.",
        ),
        ({"exempt": [{"reference": "x"}]}, "The option exempt[0] lacks reason."),
        (
            {"exempt": [{"reference": "", "reason": "r"}]},
            "The option exempt[0].reference is ''; allowed is a text that is not empty.",
        ),
        (
            {"exempt": [{"refrence": "x", "reference": "y", "reason": "r"}]},
            "There is no member refrence in the option exempt[0]; did you mean reference.",
        ),
        (
            {"exempt": [5]},
            "The option exempt[0] is 5; allowed is an object with reference, reason.",
        ),
        (
            {"exemptResources": [{"urn": "u", "reason": 5}]},
            "The option exemptResources[0].reason is 5; allowed is a text that is not empty.",
        ),
        (
            {"identities": {"12": {"profile": "p"}}},
            "The option identities.12 is '12'; allowed is 12 digits or default as the key.",
        ),
        (
            {"identities": {"default": {"roleArn": "x"}}},
            "The option identities.default.roleArn is 'x'; allowed is the ARN of an IAM role.",
        ),
        (
            {"identities": {"default": {"roleArn": ROLE, "profile": "p"}}},
            "There is no member roleArn in the option identities.default; there are profile.",
        ),
        (
            {"identities": []},
            "The option identities is []; allowed is an object: account or `default` to `{roleArn, externalId}` or `{profile}`.",
        ),
        (
            {"pullThroughCachePrefixes": ["Docker"]},
            "The option pullThroughCachePrefixes[0] is 'Docker'; allowed is a repository prefix or ROOT.",
        ),
        (
            {"undetermined": "x" * 200},
            f"The option undetermined is '{'x' * 79}...; allowed is notice, fail.",
        ),
    ],
)
def test_wrong_configuration_is_refused_by_name(config: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsInvalid) as raised:
        Settings.parse(config)
    assert str(raised.value) == words


def test_every_problem_is_named_at_once() -> None:
    with pytest.raises(SettingsInvalid) as raised:
        Settings.parse({"concurrency": 0, "runtimeRules": "maybe", "nothing": 1})
    for name in ("concurrency", "runtimeRules", "nothing"):
        assert name in str(raised.value)


def test_every_option_tells_its_default_in_its_schema_and_has_none() -> None:
    for option in OPTIONS:
        assert option.schema["description"].endswith(f" Default: {option.default}.")
        assert "default" not in option.schema
        jsonschema.Draft202012Validator.check_schema(option.schema)


TEXTS = st.sampled_from(
    ["", "notice", "fail", "on", "off", "x", ROLE, "ROOT", "docker-hub", "Docker"]
)
SCALARS = st.none() | st.booleans() | st.integers(-5, 4000) | st.floats(-5, 4000) | TEXTS
MEMBERS = st.dictionaries(
    st.sampled_from(["reference", "urn", "reason", "roleArn", "externalId", "profile", "other"]),
    TEXTS | SCALARS,
    max_size=3,
)
VALUES = (
    SCALARS
    | st.lists(SCALARS | MEMBERS, max_size=2)
    | MEMBERS
    | st.dictionaries(
        st.sampled_from(["default", "123456789012", "12"]), MEMBERS | SCALARS, max_size=2
    )
)
NAMES = st.sampled_from([*(option.name for option in OPTIONS), "other"])


def is_accepted(config: Mapping[str, Any]) -> bool:
    try:
        Settings.parse(config)
    except SettingsInvalid:
        return False
    return True


@given(st.dictionaries(NAMES, VALUES, max_size=3))
def test_the_schema_accepts_and_refuses_what_we_do(config: dict[str, Any]) -> None:
    assert is_accepted(config) is jsonschema.Draft202012Validator(SCHEMA).is_valid(config)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_valid(example: Path) -> None:
    for policy in json.loads(example.read_text(encoding="utf-8")).values():
        if isinstance(policy, dict):
            settings = {key: value for key, value in policy.items() if key != "enforcementLevel"}
            Settings.parse(settings)


def test_there_is_an_example_for_each_kind_of_team() -> None:
    assert [path.stem for path in EXAMPLES] == ["fail-closed", "production", "start-softly"]


def test_a_glob_fits_the_whole_of_a_text_in_its_case() -> None:
    glob = Exemption("*.amazonaws.com/shop/*:1.?", "r")
    assert glob.fits(None, "1.amazonaws.com/shop/a/b:1.2")
    assert not glob.fits("1.amazonaws.com/Shop/a:1.2")
    assert not glob.fits("1.amazonaws.com/shop/a:1.22", None)
