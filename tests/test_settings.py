"""Settings: wrong configuration is refused with words, never ignored.

The engine holds a configuration against the schemas first: tests/engine/test_configuration.py.
"""

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
# A value of each option that is not its default, and what it means.
VALUES: Mapping[str, tuple[Any, object]] = {
    "undetermined": ("fail", Undetermined.FAIL),
    "exempt": (
        [{"reference": "*/legacy:*", "reason": "Goes away in May."}],
        (Exemption("*/legacy:*", "Goes away in May."),),
    ),
    "exemptResources": (
        [{"urn": "*::canary", "reason": "A canary."}],
        (Exemption("*::canary", "A canary."),),
    ),
    "identities": (
        {
            "123456789012": {"roleArn": ROLE, "externalId": "x"},
            "210987654321": {"roleArn": ROLE},
            "default": {"profile": "ci"},
        },
        {
            "123456789012": Identity(roles=(AssumedRole(ROLE, "x"),)),
            "210987654321": Identity(roles=(AssumedRole(ROLE),)),
            "default": Identity(profile="ci"),
        },
    ),
    "pullThroughCachePrefixes": (["docker-hub", "ROOT"], ("docker-hub", "ROOT")),
    "trustedEndpoints": (["http://127.0.0.1:5000"], ("http://127.0.0.1:5000",)),
    "runtimeRules": ("off", RuleLevel.OFF),
    "platformRules": ("notice", RuleLevel.NOTICE),
    "timeoutSeconds": (1.5, 1.5),
    "totalTimeoutSeconds": (60, 60.0),
    "waitSeconds": (5, 5.0),
    "concurrency": (3.0, 3),
}


def test_without_configuration_every_option_has_its_default() -> None:
    assert Settings.parse({}) == Settings()
    assert {option.name: option.default for option in OPTIONS} == {
        "undetermined": "notice",
        "exempt": "none",
        "exemptResources": "none",
        "identities": "none",
        "pullThroughCachePrefixes": "none",
        "trustedEndpoints": "none",
        "runtimeRules": "on",
        "platformRules": "on",
        "timeoutSeconds": "30",
        "totalTimeoutSeconds": "300",
        "waitSeconds": "0",
        "concurrency": "100",
    }


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_every_option_is_read_into_its_field(option: Any) -> None:
    value, meaning = VALUES[option.name]
    assert jsonschema.Draft7Validator(SCHEMA).is_valid({option.name: value})
    read = getattr(Settings.parse({option.name: value}), option.attribute)
    assert read == meaning
    assert type(read) is type(getattr(Settings(), option.attribute))


def test_an_account_has_its_own_identity_or_the_default_one() -> None:
    settings = Settings.parse({"identities": VALUES["identities"][0]})
    assert settings.identity_for("123456789012") == Identity(roles=(AssumedRole(ROLE, "x"),))
    assert settings.identity_for("555555555555") == Identity(profile="ci")
    assert Settings().identity_for("123456789012") is None


def test_an_endpoint_is_trusted_whatever_its_case_its_last_slash_and_its_credentials() -> None:
    settings = Settings.parse({"trustedEndpoints": ["https://ECR.example:5000/"]})
    assert settings.trusts("https://ecr.example:5000")
    assert settings.trusts("https://user:password@ecr.example:5000/")
    assert not settings.trusts("https://ecr.example")


@pytest.mark.parametrize("end", ["?", "#", "\\", "/", ":80?", "/x#"])
def test_an_endpoint_that_only_looks_like_a_trusted_one_is_not_trusted(end: str) -> None:
    settings = Settings.parse({"trustedEndpoints": ["https://ecr.example"]})
    assert not settings.trusts(f"https://evil.example{end}@ecr.example")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"undetermind": "fail"},          "There is no option undetermind; did you mean undetermined."),
        ({"undetermined": "stop"},         "The option undetermined is 'stop'; allowed: `notice`, `fail`."),
        ({"timeoutSeconds": "30"},         "The option timeoutSeconds is '30'; allowed: number from 1 to 600."),
        ({"exempt": [{"reference": "x"}]}, "The option exempt is [{'reference': 'x'}]; allowed: list of `{reference: glob, reason: text}`."),
        ({"undetermined": "x" * 200},      f"The option undetermined is '{'x' * 79}...; allowed: `notice`, `fail`."),
    ],
)  # fmt: skip
def test_wrong_configuration_is_refused_by_name(config: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsInvalid) as raised:
        Settings.parse(config)
    assert str(raised.value) == words


def test_every_problem_is_named_at_once() -> None:
    with pytest.raises(SettingsInvalid) as raised:
        Settings.parse({"concurrency": 0, "runtimeRules": "maybe", "nothing": 1})
    for name in ("concurrency", "runtimeRules", "nothing"):
        assert name in str(raised.value)


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_a_schema_documents_the_default_and_has_none(option: Any) -> None:
    assert option.schema["description"].endswith(f" Default: {option.default}.")
    assert "default" not in option.schema
    jsonschema.Draft7Validator.check_schema(option.schema)


TEXTS = st.sampled_from(
    ["", "notice", "fail", "on", "off", "x", ROLE, "ROOT", "docker-hub", "Docker"]
)
SCALARS = st.none() | st.booleans() | st.integers(-5, 4000) | st.floats() | TEXTS
MEMBERS = st.dictionaries(
    st.sampled_from(["reference", "urn", "reason", "roleArn", "externalId", "profile", "other"]),
    SCALARS,
    max_size=3,
)
ANYTHING = (
    SCALARS
    | st.lists(SCALARS | MEMBERS, max_size=2)
    | MEMBERS
    | st.dictionaries(
        st.sampled_from(["default", "123456789012", "12"]), MEMBERS | SCALARS, max_size=2
    )
)
NAMES = st.sampled_from([*(option.name for option in OPTIONS), "other"])


@given(st.dictionaries(NAMES, ANYTHING, max_size=3))
def test_what_the_schema_accepts_is_read_and_nothing_is_read_as_what_it_is_not(
    config: dict[str, Any],
) -> None:
    try:
        settings = Settings.parse(config)
    except SettingsInvalid:
        assert not jsonschema.Draft7Validator(SCHEMA).is_valid(config)
        return
    hash((settings.exempt, settings.exempt_resources, *settings.identities.values()))
    assert all(isinstance(each, str) for each in settings.pull_through_cache_prefixes)
    assert 1 <= settings.timeout_seconds <= 600
    assert 1 <= settings.concurrency <= 200


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_valid(example: Path) -> None:
    for policy in json.loads(example.read_text(encoding="utf-8")).values():
        if isinstance(policy, dict):
            settings = {key: value for key, value in policy.items() if key != "enforcementLevel"}
            jsonschema.validate(settings, SCHEMA)
            Settings.parse(settings)


def test_there_is_an_example_for_each_kind_of_team() -> None:
    assert [path.stem for path in EXAMPLES] == ["fail-closed", "production", "start-softly"]


def test_a_glob_fits_the_whole_of_a_text_in_its_case() -> None:
    glob = Exemption("*.amazonaws.com/shop/*:1.?", "r")
    assert glob.fits(None, "1.amazonaws.com/shop/a/b:1.2")
    assert not glob.fits("1.amazonaws.com/Shop/a:1.2")
    assert not glob.fits("1.amazonaws.com/shop/a:1.22", None)
