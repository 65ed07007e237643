"""What a stack itself puts into ECR, and which references that may mend."""

from __future__ import annotations

from typing import Any

import pytest
from layerguard.discovery.components import is_component
from layerguard.discovery.placement import Placement
from layerguard.discovery.provisions import Provides, Provision, provisions
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE as UNKNOWN

from tests.discovery.engine_inputs import tree
from tests.fakes import HOST, reference

HERE = Placement("123456789012", "eu-west-1")
BUILD = "docker-build:index:Image"
WEB = f"{HOST}/shop/web:1"


def of(resource_type: str, inputs: dict[str, Any], placement: Placement = HERE) -> list[str]:
    found = provisions("urn", resource_type, tree(inputs), placement)
    return [
        f"{each.provides.value} {each.account} {each.region} {each.repository} {each.tag}"
        for each in found
    ]


PUSHES = ["pushes the image 123456789012 eu-west-1 shop/web 1"]


@pytest.mark.parametrize(
    ("resource_type", "inputs"),
    [
        (BUILD,                                      {"tags": [WEB], "push": True}),
        (BUILD,                                      {"tags": [WEB, UNKNOWN, "nginx:1", f"{HOST}/Shop:1"], "push": True}),
        (BUILD,                                      {"exports": [{"registry": {"names": [WEB]}}]}),
        (BUILD,                                      {"exports": [{"image": {"names": [WEB], "push": True}}]}),
        (BUILD,                                      {"exports": [{"raw": f"type=registry,name={WEB}"}]}),
        ("docker-build:index:Index",                 {"tag": WEB}),
        ("docker:index/image:Image",                 {"imageName": WEB}),
        ("docker:index/registryImage:RegistryImage", {"name": WEB}),
        # Commands
        ("command:local:Command",                    {"create": f"docker build -t {WEB} . && docker push {WEB}"}),
        ("command:local:Command",                    {"create": f"docker buildx build --push --tag={WEB} ."}),
        ("command:local:Command",                    {"create": "docker push $IMAGE", "environment": {"IMAGE": WEB}}),
        ("command:remote:Command",                   {"create": "true", "update": f"skopeo copy docker-archive:web.tar docker://{WEB}"}),
        ("command:local:Command",                    {"create": f"crane push web.tar '{WEB}'"}),
        ("command:local:Command",                    {"create": f"./build.sh\nIMAGE={WEB}\ndocker push \"$IMAGE\""}),
        ("aws:codepipeline/pipeline:Pipeline",       {"stages": [{"actions": [{"provider": "ECRBuildAndPublish", "configuration": {"ECRRepositoryName": "shop/web", "ImageTags": "1"}}]}]}),
    ],
)  # fmt: skip
def test_what_pushes_an_image_provides_it(resource_type: str, inputs: dict[str, Any]) -> None:
    assert of(resource_type, inputs) == PUSHES


@pytest.mark.parametrize(
    ("resource_type", "inputs"),
    [
        (BUILD,                                {"tags": [WEB]}),
        (BUILD,                                {"tags": [WEB], "push": False}),
        (BUILD,                                {"tags": [WEB], "exports": [{"local": {"dest": "x"}}]}),
        (BUILD,                                {"exports": [{"image": {"names": [WEB]}}]}),
        ("docker-build:index:Index",           {"tag": WEB, "push": False}),
        ("docker:index/image:Image",           {"imageName": WEB, "skipPush": True}),
        ("docker:index/tag:Tag",               {"targetImage": WEB}),
        ("command:local:Command",              {"create": f"docker pull {WEB}", "delete": f"docker push {WEB}"}),
        ("command:local:Command",              {"create": f"docker run {WEB} ./push-metrics.sh --pushgateway x"}),
        ("command:local:Command",              {"create": UNKNOWN, "environment": {"IMAGE": WEB}}),
        ("aws:lambda/function:Function",       {"imageUri": WEB}),
        ("aws:ecr/repository:Repository",      {"name": UNKNOWN}),
        ("aws:codepipeline/pipeline:Pipeline", {"stages": [{"actions": [{"provider": "ECR", "configuration": {"RepositoryName": "shop/web"}}]}]}),
    ],
)  # fmt: skip
def test_what_pushes_nothing_provides_nothing(resource_type: str, inputs: dict[str, Any]) -> None:
    assert of(resource_type, inputs) == []


def test_a_pipelines_tags_are_a_list_and_latest_without_one() -> None:
    def pipeline(**configuration: str) -> dict[str, Any]:
        action = {
            "actionTypeId": {"provider": "ECRBuildAndPublish"},
            "configuration": {"ECRRepositoryName": "shop/web", **configuration},
        }
        return {"stages": [{"actions": [action]}]}

    kind = "aws-native:codepipeline:Pipeline"
    start = "pushes the image 123456789012 eu-west-1 shop/web"
    assert of(kind, pipeline(ImageTags="1, stable")) == [f"{start} 1", f"{start} stable"]
    assert of(kind, pipeline()) == [f"{start} latest"]
    assert of(kind, pipeline(), Placement()) == []


def test_a_repository_is_where_its_provider_is() -> None:
    kinds = {"aws:ecr/repository:Repository": "name", "aws-native:ecr:Repository": "repositoryName"}
    for kind, name in kinds.items():
        assert of(kind, {name: "shop/web"}) == [
            "creates the repository 123456789012 eu-west-1 shop/web None"
        ]
        assert of(kind, {name: "shop/web"}, Placement()) == [
            "creates the repository None None shop/web None"
        ]


def image(**changes: Any) -> Provision:
    values = {
        "account": "123456789012",
        "region": "eu-west-1",
        "repository": "shop/web",
        "tag": "1",
    }
    return Provision("urn", Provides.IMAGE, **{**values, **changes})


@pytest.mark.parametrize(
    ("provision", "text", "covered"),
    [
        (image(), "shop/web:1", True),
        (image(), "shop/web:2", False),
        (image(), "shop/other:1", False),
        (image(tag="latest"), "shop/web", True),
        (image(tag=None), "shop/web:2", True),
        (image(account=None, region=None), "shop/web:1", True),
        (image(account="210987654321"), "shop/web:1", False),
        (image(region="us-east-1"), "shop/web:1", False),
        (image(), f"shop/web:1@sha256:{'0' * 64}", False),
        (
            Provision("urn", Provides.REPOSITORY, None, None, "shop/web"),
            f"shop/web@sha256:{'0' * 64}",
            True,
        ),
        (Provision("urn", Provides.REPOSITORY, None, "us-east-1", "shop/web"), "shop/web:1", False),
    ],
)
def test_a_provision_covers_what_it_may_lead_to(
    provision: Provision, text: str, *, covered: bool
) -> None:
    assert provision.covers(reference(text)) is covered


@pytest.mark.parametrize(
    ("resource_type", "has_provider", "expected"),
    [
        ("my:index:Service", False, True),
        ("my:index:Service", True, False),
        ("awsx:ecs:FargateService", True, True),
        ("eks:index:Cluster", False, True),
        ("kubernetes:helm.sh/v4:Chart", True, True),
        ("kubernetes:yaml/v2:ConfigGroup", True, True),
        ("kubernetes:helm.sh/v3:Release", True, False),
        ("aws:lambda/function:Function", False, False),
    ],
)
def test_a_component_groups_others_and_is_not_made_itself(
    resource_type: str, *, has_provider: bool, expected: bool
) -> None:
    assert is_component(resource_type, has_provider=has_provider) is expected
