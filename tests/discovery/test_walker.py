"""Discovery: every row of the catalog, unknown values, and what is not an image."""

from __future__ import annotations

import json
from typing import Any

import pytest
from layerguard.discovery import ImageUse, discover
from layerguard.discovery.catalog import ROWS, Row
from layerguard.gates import SENTINELS
from layerguard.reference import ImageReference
from layerguard.verdict import Code, Verdict
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

from tests.fakes import HOST

IMAGE = f"{HOST}/shop/web:1"
TASK = "aws:ecs/taskDefinition:TaskDefinition"
POD = "kubernetes:core/v1:Pod"


def smallest(path: str, leaf: str) -> tuple[Any, str]:
    """Build the smallest inputs with ``leaf`` at ``path``; return them and the concrete path."""
    if path == "":
        return leaf, ""
    if path.startswith("[]"):
        inner, rest = smallest(path[2:], leaf)
        return [inner], f"[0]{rest}"
    if path.startswith(":json"):
        inner, rest = smallest(path[5:], leaf)
        return json.dumps(inner), rest
    key = path.lstrip(".")
    end = min((key.find(mark) for mark in ".[:" if mark in key), default=len(key))
    inner, rest = smallest(key[end:], leaf)
    dot = "." if path.startswith(".") else ""
    return {key[:end]: inner}, f"{dot}{key[:end]}{rest}"


def uses(resource_type: str, inputs: dict[str, Any]) -> tuple[ImageUse, ...]:
    return discover("urn", resource_type, unknown_checking_proxy(inputs), SENTINELS)


def codes(found: tuple[ImageUse, ...]) -> list[tuple[str, str]]:
    return [
        (use.path, use.target.code.text if isinstance(use.target, Verdict) else str(use.target))
        for use in found
    ]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.resource_type} {row.path}")
def test_every_row_finds_its_image_at_its_path(row: Row) -> None:
    inputs, path = smallest(row.path, IMAGE)
    (use,) = uses(row.resource_type, inputs)
    assert (use.path, use.text, use.resource_type) == (path, IMAGE, row.resource_type)
    assert use.target == ImageReference.parse(IMAGE)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.resource_type} {row.path}")
def test_every_row_is_pending_where_its_value_is_unknown(row: Row) -> None:
    head = row.path.partition(":json")[0]
    inputs, path = smallest(head, UNKNOWN_STRING_VALUE)
    (use,) = uses(row.resource_type, inputs)
    assert use.path == path
    assert use.text is None
    assert isinstance(use.target, Verdict)
    assert use.target.code is Code.UNKNOWN_IN_PREVIEW


def test_the_catalog_covers_what_it_says() -> None:
    types = {row.resource_type for row in ROWS}
    assert len([each for each in types if each.startswith("kubernetes:")]) == 21 * 3
    assert {each for each in types if not each.startswith("kubernetes:")} == {
        "aws:apprunner/service:Service",
        "aws:batch/jobDefinition:JobDefinition",
        "aws:ecs/taskDefinition:TaskDefinition",
        "aws:lambda/function:Function",
        "aws-native:apprunner:Service",
        "aws-native:batch:JobDefinition",
        "aws-native:ecs:TaskDefinition",
        "aws-native:lambda:Function",
    }
    assert len(set(ROWS)) == len(ROWS)


def test_an_unknown_value_spoils_only_the_image_it_hides() -> None:
    found = uses(
        "aws-native:ecs:TaskDefinition",
        {
            "containerDefinitions": [
                {"name": "web", "image": UNKNOWN_STRING_VALUE},
                {"name": UNKNOWN_STRING_VALUE, "image": IMAGE},
                UNKNOWN_STRING_VALUE,
                {"name": "proxy", "image": f"{HOST}/shop/proxy:1", "cpu": UNKNOWN_STRING_VALUE},
            ],
            "family": UNKNOWN_STRING_VALUE,
        },
    )
    assert codes(found) == [
        ("containerDefinitions[0].image", "unknown-in-preview"),
        ("containerDefinitions[1].image", IMAGE),
        ("containerDefinitions[2]", "unknown-in-preview"),
        ("containerDefinitions[3].image", f"{HOST}/shop/proxy:1"),
    ]
    assert [use.container for use in found] == ["web", None, None, "proxy"]


def test_one_unknown_value_that_hides_several_images_is_one_use() -> None:
    assert codes(uses(POD, {"spec": UNKNOWN_STRING_VALUE})) == [("spec", "unknown-in-preview")]
    assert codes(uses(TASK, {"containerDefinitions": UNKNOWN_STRING_VALUE})) == [
        ("containerDefinitions", "unknown-in-preview")
    ]


def test_the_keys_of_the_classic_providers_documents_match_in_any_case() -> None:
    definitions = json.dumps([{"Name": "web", "Image": IMAGE}])
    (use,) = uses(TASK, {"containerDefinitions": definitions})
    assert (use.path, use.container) == ("containerDefinitions[0].image", "web")


def test_a_document_that_does_not_parse_is_undetermined_and_its_text_is_not_shown() -> None:
    (use,) = uses(TASK, {"containerDefinitions": "[{secret: hunter2"})
    assert (use.path, use.text) == ("containerDefinitions", None)
    assert isinstance(use.target, Verdict)
    assert use.target.code is Code.DOCUMENT_UNREADABLE
    assert "hunter2" not in repr(use)


def test_other_registries_are_skipped_and_broken_references_are_not() -> None:
    containers = [
        {"image": "nginx:1.27"},
        {"image": "public.ecr.aws/nginx/nginx:1.27"},
        {"image": f"{HOST}.evil.example/shop/web:1"},
        {"image": f"{HOST}/Shop"},
        {"image": ""},
    ]
    assert [code for _, code in codes(uses(POD, {"spec": {"containers": containers}}))] == [
        "not-private-ecr",
        "not-private-ecr",
        "not-private-ecr",
        "reference-invalid",
        "not-private-ecr",
    ]


@pytest.mark.parametrize(
    ("resource_type", "inputs"),
    [
        ("aws:ecr/repository:Repository", {"name": "shop/web"}),
        ("aws:ec2/instance:Instance", {"ami": "ami-0123456789abcdef0"}),
        ("custom:index:Thing", {"image": IMAGE}),
        (TASK, {"family": IMAGE, "containerDefinitions": json.dumps([{"command": [IMAGE]}])}),
        (POD, {"metadata": {"annotations": {"image": IMAGE}}}),
        (POD, {"spec": {"containers": [{"env": [{"name": "image", "value": IMAGE}]}]}}),
        (POD, {"spec": {"containers": [{"image": 5}, {"image": None}, None, "x"]}}),
        (POD, {"spec": []}),
    ],
)
def test_nothing_else_is_an_image_use(resource_type: str, inputs: dict[str, Any]) -> None:
    assert uses(resource_type, inputs) == ()
