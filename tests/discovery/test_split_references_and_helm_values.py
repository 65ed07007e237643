"""References that stand in several properties, put together where every part is known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerguard.discovery import Naming
from layerguard.discovery.placement import NOWHERE, Placement
from layerguard.verdict import Code, Verdict
from pulumi import StringAsset
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE as UNKNOWN

from tests.discovery.engine_inputs import targets, uses
from tests.fakes import HOST

DIGEST = f"sha256:{'a' * 64}"
RELEASE = "kubernetes:helm.sh/v3:Release"
PIPELINE = "aws:codepipeline/pipeline:Pipeline"
ROLE = "arn:aws:iam::123456789012:role/pipeline"


def found(
    resource_type: str, inputs: Mapping[str, Any], placement: Placement = NOWHERE
) -> list[tuple[str, str]]:
    return targets(uses(resource_type, inputs, placement))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"image": {"registry": HOST, "repository": "shop/web", "tag": "1"}}, ("values.image.repository", f"{HOST}/shop/web:1")),
        ({"image": {"repository": f"{HOST}/shop/web", "tag": "1"}}, ("values.image.repository", f"{HOST}/shop/web:1")),
        ({"image": {"repository": f"{HOST}/shop/web", "digest": DIGEST}}, ("values.image.repository", f"{HOST}/shop/web@{DIGEST}")),
        ({"image": {"repository": f"{HOST}/shop/web", "tag": "1", "digest": DIGEST}}, ("values.image.repository", f"{HOST}/shop/web:1@{DIGEST}")),
        ({"global": {"imageRegistry": HOST}, "web": {"image": {"repository": "shop/web", "tag": "1"}}}, ("values.web.image.repository", f"{HOST}/shop/web:1")),
        ({"global": {"image": {"registry": HOST}}, "image": {"repository": "shop/web", "tag": "1"}}, ("values.image.repository", f"{HOST}/shop/web:1")),
        ({"imageName": f"{HOST}/shop/web", "imageTag": "1"}, ("values.imageName", f"{HOST}/shop/web:1")),
        ({"image": f"{HOST}/shop/web", "tag": 5.0}, ("values.image", f"{HOST}/shop/web:5")),
        ({"image": f"{HOST}/shop/web", "tag": 1.5}, ("values.image", f"{HOST}/shop/web:1.5")),
        ({"image": {"repository": f"{HOST}/shop/web", "tag": UNKNOWN}}, ("values.image.repository", "unknown-in-preview")),
    ],
)  # fmt: skip
def test_the_parts_of_a_charts_image_are_put_together(
    values: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert found(RELEASE, {"values": values}) == [expected]


@pytest.mark.parametrize(
    "values",
    [
        {"image": {"repository": "shop/web", "tag": "1"}},
        {"image": {"registry": "docker.io", "repository": "shop/web", "tag": "1"}},
        {"image": {"registry": UNKNOWN, "repository": "shop/web", "tag": "1"}},
        {"image": {"repository": "shop/web", "tag": UNKNOWN}},
        {"image": {"repository": 5, "tag": "1"}},
    ],
)
def test_a_charts_image_with_an_unknown_part_is_not_guessed(
    values: dict[str, Any],
) -> None:
    assert found(RELEASE, {"values": values}) == []


REPOSITORY = f"{HOST}/shop/web"
THING = "custom:index:Thing"


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({"image": {"name": REPOSITORY, "tag": "1"}}, ("image.name", f"{REPOSITORY}:1")),
        ({"image": {"registry": HOST, "name": "shop/web", "tag": 1}}, ("image.name", f"{REPOSITORY}:1")),
        ({"image": {"repo": REPOSITORY, "tag": "1"}}, ("image.repo", f"{REPOSITORY}:1")),
        ({"image": {"repository": REPOSITORY, "version": "1"}}, ("image.repository", f"{REPOSITORY}:1")),
        ({"imageRepository": REPOSITORY, "imageTag": "1"}, ("imageRepository", f"{REPOSITORY}:1")),
        ({"imageRepository": REPOSITORY, "imageDigest": DIGEST}, ("imageRepository", f"{REPOSITORY}@{DIGEST}")),
        ({"image_repository": REPOSITORY, "image_tag": "1"}, ("image_repository", f"{REPOSITORY}:1")),
        ({"repository": REPOSITORY, "version": "1"}, ("repository", f"{REPOSITORY}:1")),
        ({"repository": REPOSITORY, "version": UNKNOWN}, ("repository", "unknown-in-preview")),
        # The outputs of a repository, as components take them
        ({"repositoryUrl": REPOSITORY, "imageTag": "1"}, ("repositoryUrl", f"{REPOSITORY}:1")),
        ({"repository_uri": REPOSITORY, "tag": "1"}, ("repository_uri", f"{REPOSITORY}:1")),
        # A registry beside the image, or at the root of the values
        ({"imageRegistry": HOST, "imageRepository": "shop/web", "imageTag": "1"}, ("imageRepository", f"{REPOSITORY}:1")),
        ({"registry": HOST, "image": "shop/web:1"}, ("image", f"{REPOSITORY}:1")),
        ({"values": {"global": {"imageRegistry": HOST}, "image": "shop/web:1"}}, ("values.image", f"{REPOSITORY}:1")),
        ({"values": {"registry": HOST, "agent": {"image": {"name": "shop/web", "tag": "1"}}}}, ("values.agent.image.name", f"{REPOSITORY}:1")),
        ({"values": {"registry": HOST, "agent": {"image": {"name": "shop/web", "tag": True}}}}, ("values.agent.image.name", f"{REPOSITORY}:true")),
        ({"hub": HOST, "image": "pilot", "tag": "1"}, ("image", f"{HOST}/pilot:1")),
        ({"values": {"global": {"hub": HOST, "tag": "1", "proxy": {"image": "proxyv2"}}}}, ("values.global.proxy.image", f"{HOST}/proxyv2:1")),
        ({"images": [{"name": "web", "newName": REPOSITORY, "newTag": "1"}]}, ("images[0].newName", f"{REPOSITORY}:1")),
        ({"images": [{"name": "web", "newName": REPOSITORY, "digest": DIGEST}]}, ("images[0].newName", f"{REPOSITORY}@{DIGEST}")),
        ({"images": [{"name": REPOSITORY, "newTag": "1"}]}, ("images[0].name", f"{REPOSITORY}:1")),
        ({"kustomize": {"images": [f"web={REPOSITORY}:1"]}}, ("kustomize.images[0]", f"{REPOSITORY}:1")),
        ({"kustomize": {"images": [f"web={REPOSITORY}@{DIGEST}"]}}, ("kustomize.images[0]", f"{REPOSITORY}@{DIGEST}")),
        ({"helm": {"parameters": [{"name": "image.repository", "value": REPOSITORY}, {"name": "image.tag", "value": "1"}]}}, ("helm.parameters[0].value", f"{REPOSITORY}:1")),
        ({"helm": {"parameters": [{"name": "image.tag", "value": "1"}, {"name": "image.repository", "value": "shop/web"}, {"name": "global.imageRegistry", "value": HOST}]}}, ("helm.parameters[1].value", f"{REPOSITORY}:1")),
        ({"set": {"web.image.repository": REPOSITORY, "web.image.tag": "1"}}, ('set["web.image.repository"]', f"{REPOSITORY}:1")),
        ({"values": {"global": {"imageRegistry": HOST}, "image": {"repository": "shop/web", "tag": "1"}}}, ("values.image.repository", f"{REPOSITORY}:1")),
    ],
)  # fmt: skip
def test_parts_of_a_reference_in_other_members_are_only_a_warning(
    inputs: dict[str, Any], expected: tuple[str, str]
) -> None:
    (use,) = uses(THING, inputs)
    assert targets((use,)) == [expected]
    assert use.naming is Naming.CARRIED


@pytest.mark.parametrize(
    ("inputs", "path"),
    [
        ({"image": {"repository": REPOSITORY}}, "image.repository"),
        ({"image": {"registry": HOST, "repository": "shop/web"}}, "image.repository"),
        ({"values": {"webImage": {"repository": REPOSITORY, "tag": ""}}}, "values.webImage.repository"),
        ({"imageRepository": REPOSITORY}, "imageRepository"),
        ({"images": [{"name": "web", "newName": REPOSITORY}]}, "images[0].newName"),
        ({"kustomize": {"images": [f"web={REPOSITORY}"]}}, "kustomize.images[0]"),
        ({"postBuild": {"substitute": {"WEB_IMAGE": REPOSITORY}}}, "postBuild.substitute.WEB_IMAGE"),
        ({"helm": {"parameters": [{"name": "image.repository", "value": REPOSITORY}]}}, "helm.parameters[0].value"),
    ],
)  # fmt: skip
def test_a_repository_whose_tag_something_else_adds_is_spoken_of(
    inputs: dict[str, Any], path: str
) -> None:
    (use,) = uses(THING, inputs)
    assert (use.path, use.text, use.naming) == (path, REPOSITORY, Naming.CARRIED)
    assert isinstance(use.target, Verdict)
    assert use.target.code is Code.EXPRESSION_UNRESOLVED
    assert use.target.reason.startswith("No tag and no digest stands beside the repository")


@pytest.mark.parametrize(
    "inputs",
    [
        # A chart, a package, and any other thing that has a name and a tag
        {"chart": {"repository": f"oci://{REPOSITORY}", "name": "web", "version": "1"}},
        {"repository": REPOSITORY},
        {"registry": HOST, "name": "web", "tag": "1"},
        {"registry": HOST, "image": "public.ecr.aws/nginx/nginx:1"},
        {"global": {"imageRegistry": HOST}, "job": {"name": "web", "tag": "1"}},
        {"parameters": [{"name": "repository", "value": REPOSITORY}, {"name": "other.tag", "value": "1"}]},
        {"parameters": [{"name": "image.tag", "value": "1"}, {"value": REPOSITORY}, REPOSITORY, None]},
    ],
)  # fmt: skip
def test_other_members_beside_each_other_are_no_image(inputs: dict[str, Any]) -> None:
    assert found(THING, inputs) == []


NAMES = st.lists(
    st.sampled_from(["image", "repository", "tag", "registry", "global", "imageRegistry", "", "a"]),
    max_size=4,
).map(".".join)


@given(st.lists(st.tuples(NAMES, st.sampled_from([HOST, REPOSITORY, "shop/web", "1", 1, None]))))
def test_parameters_are_read_as_the_values_that_their_names_lead_to(
    parameters: list[tuple[str, Any]],
) -> None:
    listed = [{"name": name, "value": value} for name, value in parameters]
    for use in uses(THING, {"parameters": listed}):
        keys = use.path.removeprefix("parameters[").removesuffix("].value")
        value = parameters[int(keys)][1]
        assert isinstance(value, str)
        assert use.text is not None
        assert value in use.text


def test_a_charts_image_in_a_registry_that_is_none_is_reported() -> None:
    image = {"registry": HOST[1:], "repository": "shop/web", "tag": "1"}
    assert found(RELEASE, {"values": {"image": image}}) == [
        ("values.image.repository", "reference-invalid")
    ]


def test_values_in_yaml_files_are_read_like_values() -> None:
    text = f"image:\n  repository: {HOST}/shop/web\n  tag: v1\n"
    assert found(RELEASE, {"valueYamlFiles": [StringAsset(text)]}) == [
        ("valueYamlFiles[0].image.repository", f"{HOST}/shop/web:v1")
    ]


@pytest.mark.parametrize(
    ("digest", "expected"),
    [
        ({"trainingImageDigest": DIGEST}, f"{HOST}/train:1@{DIGEST}"),
        ({}, f"{HOST}/train:1"),
        ({"trainingImageDigest": UNKNOWN}, "unknown-in-preview"),
    ],
)
def test_sagemakers_digest_beside_an_image_belongs_to_it(
    digest: dict[str, str], expected: str
) -> None:
    inputs = {"trainingSpecification": {"trainingImage": f"{HOST}/train:1", **digest}}
    assert found("aws:sagemaker/algorithm:Algorithm", inputs) == [
        ("trainingSpecification.trainingImage", expected)
    ]


def pipeline(configuration: dict[str, str], provider: str = "ECR", **action: str) -> dict[str, Any]:
    actions = [{"provider": provider, "configuration": configuration, **action}]
    return {"roleArn": ROLE, "stages": [{"actions": actions}]}


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        (pipeline({"RepositoryName": "shop/web", "ImageTag": "1"}), "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:1"),
        (pipeline({"RepositoryName": "shop/web"}), "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:latest"),
        (pipeline({"RepositoryName": "shop/web"}, region="us-east-1"), "123456789012.dkr.ecr.us-east-1.amazonaws.com/shop/web:latest"),
        (pipeline({"RepositoryName": "shop/web"}, region="cn-north-1"), "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/shop/web:latest"),
        ({**pipeline({"RepositoryName": "shop/web"}), "roleArn": UNKNOWN}, "unknown-in-preview"),
        (pipeline({"RepositoryName": "shop/web", "ImageTag": UNKNOWN}), "unknown-in-preview"),
    ],
)  # fmt: skip
def test_a_pipelines_source_is_in_the_pipelines_own_account_and_region(
    inputs: dict[str, Any], expected: str
) -> None:
    path = "stages[0].actions[0].configuration.RepositoryName"
    assert found(PIPELINE, inputs, Placement(None, "eu-west-1")) == [(path, expected)]


def test_a_pipeline_without_a_known_region_is_not_guessed() -> None:
    inputs = pipeline({"RepositoryName": "shop/web"})
    assert [code for _, code in found(PIPELINE, inputs)] == ["expression-unresolved"]


def test_a_repository_of_another_kind_of_action_is_no_image() -> None:
    for provider in ("CodeCommit", "ECRBuildAndPublish"):
        inputs = pipeline({"RepositoryName": "shop/web", "ECRRepositoryName": "shop/web"}, provider)
        assert found(PIPELINE, inputs, Placement(None, "eu-west-1")) == []


def test_the_native_pipelines_action_has_its_provider_in_its_type() -> None:
    action = {
        "actionTypeId": {"provider": "InspectorScan", "category": "Invoke"},
        "configuration": {"ECRRepositoryName": "shop/web", "ECRImageTag": "1"},
    }
    inputs = {"roleArn": ROLE, "stages": [{"actions": [action]}]}
    assert found("aws-native:codepipeline:Pipeline", inputs, Placement(None, "eu-west-1")) == [
        (
            "stages[0].actions[0].configuration.ECRRepositoryName",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:1",
        )
    ]


def test_a_docker_image_that_the_resource_builds_itself_is_not_pulled() -> None:
    image = {"name": f"{HOST}/shop/web:1"}
    kind = "docker:index/remoteImage:RemoteImage"
    assert found(kind, image) == [("name", f"{HOST}/shop/web:1")]
    assert found(kind, {**image, "build": {"context": "."}}) == []


NOMAD = "nomad:index/job:Job"
BUILD = "aws:codebuild/project:Project"
IMAGE = f"{HOST}/shop/web:1"


def nomad_job(image: str) -> dict[str, str]:
    task = {"Driver": "docker", "Config": {"image": image}}
    return {"jobspec": json.dumps({"Job": {"TaskGroups": [{"Tasks": [task]}]}})}


def buildspec(image: str) -> dict[str, Any]:
    batch = {"build-list": [{"env": {"image": image}}]}
    return {"source": {"buildspec": json.dumps({"batch": batch})}}


@pytest.mark.parametrize(
    ("resource_type", "inputs", "expected"),
    [
        (NOMAD, nomad_job(f"docker://{IMAGE}"), IMAGE),
        (NOMAD, nomad_job(f"https://{IMAGE}"), IMAGE),
        (NOMAD, nomad_job(f"oci://{IMAGE}"), "reference-invalid"),
        (NOMAD, nomad_job("[object Object]"), "reference-invalid"),
        (NOMAD, nomad_job(f"{HOST}/shop/web:${{attr.tag}}"), "expression-unresolved"),
        (NOMAD, {"jobspec": f'image = "docker://{IMAGE}"'}, IMAGE),
        (NOMAD, {"jobspec": f'image = "{IMAGE[1:]}"'}, "reference-invalid"),
        (BUILD, buildspec("$IMAGE"), "expression-unresolved"),
        (BUILD, buildspec(f"https://{IMAGE}"), "reference-invalid"),
        (
            "docker-build:index:Image",
            {"context": {"named": {"base": {"location": f"docker-image://{IMAGE}"}}}},
            IMAGE,
        ),
        (
            "docker-build:index:Image",
            {"context": {"named": {"base": {"location": f"https://{IMAGE}"}}}},
            None,
        ),
        ("docker:index/container:Container", {"image": "a" * 64}, None),
        ("aws:imagebuilder/containerRecipe:ContainerRecipe", {"parentImage": "arn:aws:a:b"}, None),
        (
            "aws-native:lightsail:Container",
            {"containerServiceDeployment": {"containers": [{"image": ":web.label.1"}]}},
            None,
        ),
    ],
)
def test_what_may_stand_beside_or_in_front_of_a_reference_is_said_by_its_row(
    resource_type: str, inputs: dict[str, Any], expected: str | None
) -> None:
    assert [target for _, target in found(resource_type, inputs)] == (
        [expected] if expected else []
    )
