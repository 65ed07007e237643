"""Stacks that try to get past a gate that fails closed, or to have it print a secret."""

from __future__ import annotations

import json

import pulumi
import pytest
from layerguard_sandbox.ecr import SandboxEcr, docker_image
from layerguard_sandbox.ecr.registry import Registry

from tests.engine.conftest import Start
from tests.engine.programs import FAIL, HOST, PREVIEW, UPDATE, function, functions, resource
from tests.engine.test_what_leaves import program_with_endpoint

NOWHERE = "http://127.0.0.1:1"


def test_a_pipeline_whose_tag_only_cloudformation_knows_is_not_pending_for_ever(
    start: Start,
) -> None:
    action = {
        "ActionTypeId": {"Provider": "ECR"},
        "Configuration": {"RepositoryName": "shop/web", "ImageTag": {"Ref": "Tag"}},
    }
    properties = {
        "RoleArn": "arn:aws:iam::123456789012:role/pipeline",
        "Stages": [{"Actions": [action]}],
    }
    pipeline = {"Type": "AWS::CodePipeline::Pipeline", "Properties": properties}
    template = {"Parameters": {"Tag": {"Type": "String"}}, "Resources": {"Pipeline": pipeline}}

    def program() -> None:
        body = {"templateBody": json.dumps(template)}
        resource("aws:cloudformation/stack:Stack", "stack", body)

    engine = start(program, pack_config=FAIL)
    for outcome, gate in ((engine.preview(), PREVIEW), (engine.up(), UPDATE)):
        assert not outcome.passed
        (message,) = outcome.messages(gate)
        assert message.startswith("expression-unresolved: templateBody.Resources.Pipeline")
    assert engine.asked_to_create() == ()


@pytest.mark.parametrize("end", ["?", "#"])
def test_an_endpoint_that_only_looks_like_a_trusted_one_is_not_asked(
    start: Start, ecr: SandboxEcr, registry: Registry, end: str
) -> None:
    image = registry.push("shop/web", docker_image("web"), tag="1").reference
    program = program_with_endpoint(f"{ecr.endpoint}{end}@trusted.example", image)
    config = {UPDATE: {"undetermined": "fail", "trustedEndpoints": ["http://trusted.example"]}}
    engine = start(program, {**ecr.environment, "AWS_ENDPOINT_URL_ECR": NOWHERE}, config)
    update = engine.up()
    assert not update.passed
    (message,) = update.messages(UPDATE)
    assert message.startswith("endpoint-untrusted: ")
    assert ecr.requests == ()
    assert engine.asked_to_create() == ()


ODD_ENDPOINTS = ["user:hidden-1@127.0.0.1:1", "http://user:hidden-1/2@127.0.0.1:1"]


@pytest.mark.parametrize("endpoint", ODD_ENDPOINTS)
def test_the_credentials_in_an_endpoint_that_is_no_url_are_not_printed(
    start: Start, ecr: SandboxEcr, endpoint: str
) -> None:
    image = f"{HOST}/shop/web:1"
    by_stack = start(program_with_endpoint(endpoint, image), pack_config=FAIL).up()
    environment = {**ecr.environment, "AWS_ENDPOINT_URL_ECR": endpoint}
    by_environment = start(functions(web=image), environment, FAIL).up()
    for outcome, code in ((by_stack, "endpoint-untrusted"), (by_environment, "unreachable")):
        assert not outcome.passed
        (message,) = outcome.messages(UPDATE)
        assert message.startswith(f"{code}: imageUri: {image}\n")
        assert "hidden" not in outcome.output


def test_what_a_provider_keeps_as_a_secret_is_not_printed(start: Start) -> None:
    def program() -> None:
        inputs = {"region": "eu-west-1", "profile": pulumi.Output.secret("hidden-profile")}
        provider = pulumi.ProviderResource("aws", "local", inputs)
        function("web", f"{HOST}/shop/web:1", provider=provider)

    engine = start(program, pack_config=FAIL)
    for outcome, gate in ((engine.preview(), PREVIEW), (engine.up(), UPDATE)):
        (message,) = outcome.messages(gate)
        assert message.startswith("no-credentials: ")
        assert "hidden" not in outcome.output
