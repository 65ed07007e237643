"""Terraform plans and states in JSON, as resources with the values that the provider's schema has.

What stands in ``container_definitions`` and in other properties is found by discovery, once the
branch on the tokens of Terraform's resources is merged: test_terraform_of_discovery.py.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerguard.discovery.tree import Mark, SecretText
from layerguard.enforcement import Mode
from layerguard_cli.sources.source import SourceKind, SourceUnreadable
from layerguard_cli.sources.terraform import _marked

from tests.cli.sources.states import HOST, read, summary_of

WEB = f"{HOST}/shop/web:1"
FUNCTION = "aws_lambda_function"


def resource(name: str, image: Any = WEB, **more: Any) -> dict[str, Any]:
    return {
        "address": f"{FUNCTION}.{name}",
        "mode": "managed",
        "type": FUNCTION,
        "name": name,
        "values": {"function_name": name, **({} if image is None else {"image_uri": image})},
        **more,
    }


def plan(*resources: Any, **more: Any) -> dict[str, Any]:
    module = {"resources": list(resources)}
    return {"format_version": "1.2", "planned_values": {"root_module": module}, **more}


def state(*resources: Any, version: Any = 4) -> dict[str, Any]:
    return {"version": version, "terraform_version": "1.9.0", "resources": list(resources)}


def test_a_plan_is_what_there_will_be_in_every_module() -> None:
    inner = {"resources": [resource("deep", address=f"module.a.module.b.{FUNCTION}.deep")]}
    outer = {
        "resources": [resource("mid", address=f"module.a.{FUNCTION}.mid")],
        "child_modules": [inner],
    }
    document = plan(resource("web"))
    document["planned_values"]["root_module"]["child_modules"] = [outer]
    source = read(document)
    assert (source.kind, source.problems, source.run.mode) == (
        SourceKind.TERRAFORM_PLAN,
        (),
        Mode.PREVIEW,
    )
    assert [summary_of(use) for use in source.uses] == [
        f"{FUNCTION}.web.image_uri: shop/web:1",
        f"module.a.{FUNCTION}.mid.image_uri: shop/web:1",
        f"module.a.module.b.{FUNCTION}.deep.image_uri: shop/web:1",
    ]
    assert {use.resource_type for use in source.uses} == {f"pulumi:terraform:{FUNCTION}"}


def test_a_plan_that_ended_with_an_error_is_a_problem() -> None:
    source = read(plan(resource("web"), errored=True))
    assert source.problems == ("The plan ended with an error, so it may not be all.",)


def test_what_terraform_only_reads_is_no_use() -> None:
    assert read(plan(resource("web", mode="data"))).uses == ()


def test_a_state_has_an_instance_for_each_index() -> None:
    instances = [
        {"index_key": key, "attributes": {"image_uri": f"{HOST}/shop/web:{number}"}}
        for number, key in enumerate((0, "blue", None))
    ]
    record = {
        "module": "module.a",
        "mode": "managed",
        "type": FUNCTION,
        "name": "web",
        "instances": instances,
    }
    source = read(state(record))
    assert (source.kind, source.run.mode) == (SourceKind.TERRAFORM_STATE, Mode.ANALYZE)
    assert [summary_of(use) for use in source.uses] == [
        f"module.a.{FUNCTION}.web[0].image_uri: shop/web:0",
        f'module.a.{FUNCTION}.web["blue"].image_uri: shop/web:1',
        f"module.a.{FUNCTION}.web.image_uri: shop/web:2",
    ]


def test_what_is_sensitive_is_a_secret() -> None:
    shown = read(plan(resource("web", sensitive_values={"image_uri": True})))
    stored = state(
        {
            "type": FUNCTION,
            "name": "web",
            "instances": [
                {
                    "attributes": {"image_uri": WEB},
                    "sensitive_attributes": [[{"type": "get_attr", "value": "image_uri"}]],
                }
            ],
        }
    )
    assert [use.is_secret for use in (*shown.uses, *read(stored).uses)] == [True, True]


def test_a_state_of_another_version_is_a_problem() -> None:
    with pytest.raises(SourceUnreadable, match="of a version that is not known"):
        read(state(version=3))


def test_an_empty_state_is_a_state() -> None:
    source = read({"format_version": "1.0", "terraform_version": "1.9.0"})
    assert (source.kind, source.uses) == (SourceKind.TERRAFORM_STATE, ())


def test_unknown_values_are_marks_where_the_plan_has_no_value() -> None:
    values: Any = {"known": "a", "list": [{"b": "x"}], "half": {"c": "y"}}
    unknown: Any = {"whole": True, "list": [{"d": True}, True], "half": {"e": True}, "known": False}
    assert _marked(values, unknown, {"half": True}) == {
        "known": "a",
        "whole": Mark.UNKNOWN,
        "list": [{"b": "x", "d": Mark.UNKNOWN}, Mark.UNKNOWN],
        "half": {"c": "y", "e": Mark.UNKNOWN},
    }
    marked = _marked(values, None, {"half": True})
    assert isinstance(marked, dict)
    assert isinstance(marked["half"], dict)
    assert isinstance(marked["half"]["c"], SecretText)


trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inside: (
        st.lists(inside, max_size=3) | st.dictionaries(st.sampled_from("abc"), inside, max_size=3)
    ),
)


@given(trees)
def test_without_flags_a_value_is_itself(value: Any) -> None:
    assert _marked(value, None, None) == value
    assert _marked(value, False, {}) == value


@given(trees, trees, trees)
def test_any_flags_beside_any_value_are_read(value: Any, unknown: Any, sensitive: Any) -> None:
    _marked(value, unknown, sensitive)


words = st.sampled_from(
    ["resources", "child_modules", "values", "address", "type", "mode", "change", "after_unknown",
     "instances", "attributes", "sensitive_attributes", "root_module", FUNCTION]
)  # fmt: skip
parts = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(words, inside, max_size=4),
)


@given(parts, parts)
def test_whatever_stands_in_a_plan_or_a_state_is_read(value: Any, changes: Any) -> None:
    for document in (
        {"format_version": "1.2", "planned_values": value, "resource_changes": changes},
        {"format_version": "1.0", "values": value},
        {"version": 4, "terraform_version": "1", "resources": value},
    ):
        assert read(json.dumps(document)).kind in (
            SourceKind.TERRAFORM_PLAN,
            SourceKind.TERRAFORM_STATE,
        )
