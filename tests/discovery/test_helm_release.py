"""The values of Terraform's Helm releases: documents, and settings on top of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerguard.discovery.helm_release import with_merged_values
from layerguard.discovery.terraform_names import in_terraforms_spelling
from layerguard.discovery.tree import Mark, Tree, member, plain

from tests.discovery.engine_inputs import targets
from tests.discovery.test_spellings import uses
from tests.fakes import HOST

WEB = f"{HOST}/shop/web"
REPOSITORY = json.dumps({"image": {"repository": WEB}})


def merged(*values: str, **settings: Any) -> Tree:
    release = in_terraforms_spelling(plain({"values": list(values), **settings}))
    found = member(with_merged_values(release), "values")
    assert isinstance(found, list)
    return found[0]


def setting(name: str, value: Any) -> dict[str, Any]:
    return {"name": name, "value": value}


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({"values": [json.dumps({"image": f"{WEB}:1"})]}, [("values[0].image", f"{WEB}:1")]),
        ({"values": [json.dumps({"image": {"repository": WEB, "tag": "1"}})]}, [("values[0].image.repository", f"{WEB}:1")]),
        ({"values": [REPOSITORY], "set": [setting("image.tag", "1")]}, [("values[0].image.repository", f"{WEB}:1")]),
        ({"values": [REPOSITORY, "image:\n  tag: '1'"]}, [("values[0].image.repository", f"{WEB}:1")]),
        ({"values": [REPOSITORY], "set_sensitive": [setting("image.tag", "[secret]")]}, [("values[0].image.repository", "secret-not-shown")]),
        ({"values": [], "set": [setting("image.repository", WEB), setting("image.tag", "1")]}, [("values[0].image.repository", f"{WEB}:1")]),
        ({"values": None, "set": [setting("image", f"{WEB}:1")]}, [("values[0].image", f"{WEB}:1")]),
        ({"values": ["image: {tag: a}"], "set": [setting("image", f"{WEB}:1")]}, [("values[0].image", f"{WEB}:1")]),
        ({"values": [REPOSITORY, "a: ["]}, [("values[0].image.repository", "expression-unresolved"), ("values[1]", "document-unreadable")]),
        ({"values": ["[secret]"]}, [("values[1]", "secret-not-shown")]),
        ({"values": "[secret]"}, [("values[1]", "secret-not-shown")]),
        ({"chart": f"oci://{WEB}:1", "repository": f"oci://{HOST}"}, []),
        ({"values": [json.dumps({"env": {"A": f"{WEB}:1"}})]}, [("values[0].env.A", f"{WEB}:1")]),
    ],
)  # fmt: skip
def test_a_release_is_read_as_helm_merges_its_values(
    inputs: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert targets(uses("pulumi:terraform:helm_release", inputs)) == expected


@pytest.mark.parametrize(
    "inputs",
    [
        {"values": [REPOSITORY], "sets": [setting("image.tag", "1")]},
        {"values": [REPOSITORY], "set": [setting("image.tag", "1")]},
        {"values": REPOSITORY, "set": setting("image.tag", "1")},
        {"values": [REPOSITORY], "setSensitives": [setting("image.tag", "1")]},
    ],
)
def test_a_bridged_release_is_read_too(inputs: dict[str, Any]) -> None:
    assert targets(uses("helm:index/release:Release", inputs)) == [
        ("values[0].image.repository", f"{WEB}:1")
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a", {"a": "x"}),
        ("a.b.c", {"a": {"b": {"c": "x"}}}),
        ("a\\.b.c", {"a.b": {"c": "x"}}),
        ("a[0].b", {"a": {"0": {"b": "x"}}}),
        ("", {}),
        ("..", {}),
    ],
)
def test_the_name_of_a_setting_is_helms_path(name: str, expected: Tree) -> None:
    assert merged(set=[setting(name, "x")]) == expected


def test_a_setting_of_one_element_leaves_the_others() -> None:
    document = json.dumps({"containers": [{"image": "a"}, {"image": "b"}]})
    found = merged(document, set=[setting("containers[1].image", f"{WEB}:1")])
    assert found == {"containers": {"0": {"image": "a"}, "1": {"image": f"{WEB}:1"}}}


def test_an_unknown_release_is_left_as_it_is() -> None:
    assert with_merged_values(Mark.UNKNOWN) is Mark.UNKNOWN


@given(st.text("ab.[]0\\", max_size=40), st.text("ab.[]0\\", max_size=40))
def test_no_name_of_a_setting_breaks_the_others(first: str, second: str) -> None:
    found = merged(REPOSITORY, set=[setting(first, "x"), setting(second, {"y": "z"})])
    assert isinstance(found, dict)
