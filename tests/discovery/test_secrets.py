"""What Pulumi keeps as a secret stays marked as one, through every way of reading it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from layerguard.discovery import ImageUse
from layerguard.discovery.documents.dockerfile import dockerfile_images
from layerguard.discovery.placement import Placement
from layerguard.discovery.provider import NotKnown, provider_identity
from layerguard.discovery.tree import (
    HIDDEN,
    FoldedObject,
    Mark,
    SecretText,
    Tree,
    plain,
    text_of,
    unknown_among,
)
from layerguard.gates import SENTINELS
from layerguard.verdict import Code, Verdict
from pulumi import StringAsset
from pulumi_policy import Secret
from pulumi_policy.deserialize import SPECIAL_SECRET_SIG, SPECIAL_SIG_KEY, deserialize_properties
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

from tests.discovery.engine_inputs import uses
from tests.fakes import HOST

WEB = f"{HOST}/shop/web:1"
HERE = Placement("123456789012", "eu-west-1")
POD = "kubernetes:core/v1:Pod"
STACK = "aws:cloudformation/stack:Stack"


def secrets(tree: Tree) -> set[str]:
    """Return the strings of ``tree`` that are secrets."""
    ahead, found = [tree], set()
    while ahead:
        value = ahead.pop()
        if isinstance(value, SecretText):
            found.add(str(value))
        ahead += value.values() if isinstance(value, dict) else []
        ahead += value if isinstance(value, list) else []
    return found


def test_a_secret_text_is_like_any_other_and_not_shown() -> None:
    text = SecretText("hunter2")
    assert text == "hunter2"
    assert hash(text) == hash("hunter2")
    assert text in frozenset({"hunter2", "other"})
    assert "hunter2" not in f"{text!r} {[text]} {KeyError(text)}"
    assert type(str(text)) is str


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({"a": Secret("x"), "b": "y"}, {"x"}),
        ({"a": Secret({"b": ["x", {"c": "y"}]}), "d": ["z"]}, {"x", "y"}),
        ({"a": Secret(["x"]), "b": ["y", Secret("z")]}, {"x", "z"}),
        ({"a": Secret(Secret("x"))}, {"x"}),
        ({"a": Secret(StringAsset("x")), "b": StringAsset("y")}, {"x"}),
        ({"a": Secret(5), "b": Secret(None), "c": Secret(UNKNOWN_STRING_VALUE)}, set()),
    ],
)
def test_every_string_below_a_secret_is_secret(inputs: Any, expected: set[str]) -> None:
    for handed_over in (inputs, unknown_checking_proxy(inputs)):
        assert secrets(plain(handed_over, SENTINELS)) == expected
    assert plain({"a": Secret(UNKNOWN_STRING_VALUE)}, SENTINELS) == {"a": Mark.UNKNOWN}


def test_the_secrets_in_what_the_sdk_deserializes_are_found() -> None:
    secret = {SPECIAL_SIG_KEY: SPECIAL_SECRET_SIG, "value": {"b": ["x"]}}
    inputs = deserialize_properties({"a": secret, "c": {"d": ["y", secret]}}, True)
    assert plain(inputs, SENTINELS) == {"a": {"b": ["x"]}, "c": {"d": ["y", {"b": ["x"]}]}}
    assert secrets(plain(inputs, SENTINELS)) == {"x"}


def test_a_trees_own_kinds_of_values_are_kept() -> None:
    tree = plain(FoldedObject(A=[Mark.OPAQUE, "x"]), is_secret=True)
    assert isinstance(tree, FoldedObject)
    assert tree == {"A": [Mark.OPAQUE, "x"]}
    assert secrets(tree) == {"x"}


def test_a_text_is_as_secret_as_its_parts() -> None:
    assert type(text_of("ab", "a", "b", None, 5)) is str
    assert isinstance(text_of("ab", "a", SecretText("b")), SecretText)


PIPELINE = {
    "roleArn": "arn:aws:iam::123456789012:role/p",
    "stages": [{"actions": [{"provider": "ECR", "configuration": {"RepositoryName": "shop/web"}}]}],
}
TEMPLATE = json.dumps(
    {
        "Parameters": {"Tag": {"Default": "1"}},
        "Resources": {
            "F": {
                "Type": "AWS::Lambda::Function",
                "Properties": {"Code": {"ImageUri": {"Fn::Sub": f"{HOST}/shop/web:${{Tag}}"}}},
            },
        },
    }
)


@pytest.mark.parametrize(
    ("resource_type", "inputs"),
    [
        ("aws:lambda/function:Function",          {"imageUri": Secret(WEB)}),
        ("custom:index:Thing",                    {"a": Secret({"b": [WEB]})}),
        ("aws:ecs/taskDefinition:TaskDefinition", {"containerDefinitions": Secret(json.dumps([{"image": WEB}]))}),
        ("kubernetes:yaml/v2:ConfigGroup",        {"yaml": Secret(f"spec: {{image: '{WEB}'}}")}),
        ("aws:ec2/instance:Instance",             {"userData": Secret(f"#cloud-config\na: {WEB}")}),
        ("nomad:index/job:Job",                   {"jobspec": Secret(f'image = "{WEB}"')}),
        ("docker-build:index:Image",              {"dockerfile": {"inline": Secret(f"FROM {WEB}")}}),
        ("docker-build:index:Image",              {"dockerfile": {"inline": "ARG A\nFROM $A/shop/web:1"}, "buildArgs": {"A": Secret(HOST)}}),
        ("kubernetes:helm.sh/v3:Release",         {"values": {"registry": Secret(HOST), "repository": "shop/web", "tag": "1"}}),
        ("kubernetes:helm.sh/v3:Release",         {"values": {"repository": f"{HOST}/shop/web", "tag": Secret("1")}}),
        (STACK,                                   {"templateBody": Secret(TEMPLATE)}),
        (STACK,                                   {"templateBody": TEMPLATE, "parameters": {"Tag": Secret("1")}}),
        ("aws:codepipeline/pipeline:Pipeline",    {**PIPELINE, "roleArn": Secret(PIPELINE["roleArn"])}),
        ("aws:sagemaker/algorithm:Algorithm",     {"trainingSpecification": {"trainingImage": WEB, "trainingImageDigest": Secret(f"sha256:{'0' * 64}")}}),
    ],
)  # fmt: skip
def test_a_reference_is_secret_where_a_part_of_it_is(
    resource_type: str, inputs: dict[str, Any]
) -> None:
    (use,) = uses(resource_type, inputs, HERE)
    assert use.is_secret
    assert_of_plain_text(use)
    (open_use,) = uses(resource_type, without_secrets(inputs), HERE)
    assert not open_use.is_secret
    assert (use.path, use.text, use.target) == (open_use.path, open_use.text, open_use.target)


def assert_of_plain_text(use: ImageUse) -> None:
    """Hold that a use has no text of the tree's own kind, which no other process could read."""
    assert type(use.text) is str
    assert type(use.path) is str
    assert use.container is None or type(use.container) is str


def without_secrets(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.value
    if isinstance(value, dict):
        return {key: without_secrets(each) for key, each in value.items()}
    return [without_secrets(each) for each in value] if isinstance(value, list) else value


def test_in_a_dockerfile_only_what_is_made_of_the_secret_is_secret() -> None:
    text = "ARG A\nARG B=x\nFROM $B AS b\nFROM ${A:-y}/z\nCOPY --from=b / /\nCOPY --from=c / /"
    found = plain(dockerfile_images(text, {"A": SecretText("hidden")}))
    assert secrets(found) == {"hidden/z"}


def test_a_container_whose_name_is_secret_is_not_named() -> None:
    containers = [{"name": Secret("hidden"), "image": WEB}]
    (use,) = uses("aws-native:ecs:TaskDefinition", {"containerDefinitions": containers})
    assert (use.container, use.is_secret) == (None, False)


@pytest.mark.parametrize("image", [WEB[1:], f"{HOST}/shop/web:hunter2+1", "hunter2 hunter2"])
def test_the_reason_why_a_secret_is_no_reference_quotes_nothing_of_it(image: str) -> None:
    (use,) = uses(POD, {"spec": {"containers": [{"image": Secret(image)}]}})
    assert isinstance(use.target, Verdict)
    assert use.target.code is Code.REFERENCE_INVALID
    assert use.target.reason == Code.REFERENCE_INVALID.meaning


IMAGES = {
    "aws:lambda/function:Function": {"imageUri": HIDDEN},
    "aws:ecs/taskDefinition:TaskDefinition": {"containerDefinitions": HIDDEN},
    "aws-native:ecs:TaskDefinition": {"containerDefinitions": [{"image": f"{HOST}/{HIDDEN}:1"}]},
    "docker-build:index:Image": {
        "dockerfile": {"inline": "ARG A\nFROM $A"},
        "buildArgs": {"A": HIDDEN},
    },
    "kubernetes:helm.sh/v3:Release": {"values": {"repository": f"{HOST}/shop/web", "tag": HIDDEN}},
    "kubernetes:yaml/v2:ConfigGroup": {"yaml": HIDDEN},
    STACK: {"templateBody": TEMPLATE, "parameters": {"Tag": HIDDEN}},
    "aws:codepipeline/pipeline:Pipeline": {
        **PIPELINE,
        "stages": [{"actions": [{"provider": "ECR", "configuration": {"RepositoryName": HIDDEN}}]}],
    },
}


@pytest.mark.parametrize(("resource_type", "inputs"), IMAGES.items())
def test_a_secret_that_is_not_shown_is_not_taken_for_an_output(
    resource_type: str, inputs: dict[str, Any]
) -> None:
    (use,) = uses(resource_type, inputs, HERE)
    assert isinstance(use.target, Verdict)
    assert (use.target.code, use.text) == (Code.SECRET_NOT_SHOWN, None)


def test_a_secret_that_is_not_shown_inside_a_document_is_not_a_reference() -> None:
    text = json.dumps([{"image": HIDDEN}])
    (use,) = uses("aws:ecs/taskDefinition:TaskDefinition", {"containerDefinitions": text})
    assert isinstance(use.target, Verdict)
    assert use.target.code is Code.SECRET_NOT_SHOWN


def test_an_output_goes_before_a_secret_that_is_not_shown() -> None:
    assert unknown_among("a", None, Mark.HIDDEN) is Mark.HIDDEN
    assert unknown_among(Mark.HIDDEN, Mark.UNKNOWN) is Mark.UNKNOWN
    assert unknown_among("a", Mark.OPAQUE) is None


def test_hidden_credentials_are_not_replaced_by_others() -> None:
    provider = {"accessKey": "AKIA", "secretKey": HIDDEN}
    with pytest.raises(NotKnown) as raised:
        provider_identity("pulumi:providers:aws", plain(provider))
    assert raised.value.mark is Mark.HIDDEN
