"""Every spelling of a resource: bridged tokens, Terraform's own names, and what stands below them.

Terraform's names come from its providers' schemas, and not from the rules that find them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerguard.discovery import ImageUse, Naming, split_references
from layerguard.discovery.catalog import ROWS, Role, Row
from layerguard.discovery.catalog.terraform import terraform_types
from layerguard.discovery.provisions import Provides
from layerguard.discovery.resources import DiscoveredResource, read_resource
from layerguard.discovery.spellings import as_in_catalog, bridged_token
from layerguard.discovery.terraform_names import in_terraforms_spelling
from layerguard.discovery.tree import Mark, SecretText, Tree, member, plain
from layerguard.gates import SENTINELS
from layerguard.platform import Platform
from layerguard.reference import ImageReference
from pulumi_policy import proxy
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE as UNKNOWN

from tests.discovery.engine_inputs import targets
from tests.discovery.smallest import PIPELINE_ROLE, smallest
from tests.discovery.test_costs import within_budget
from tests.fakes import HOST

_LINES = (Path(__file__).parent / "terraform_paths.jsonl").read_text(encoding="utf-8").splitlines()
PATHS = [json.loads(line) for line in _LINES[1:]]  # the first line says where they came from
BY_NAME = {f"{row.resource_type} {row.path}": row for row in ROWS}
IMAGE = f"{HOST}/shop/web:1"
ARM64 = Platform("linux", "arm64")
AMD64 = Platform("linux", "amd64")
SPLIT = (split_references.pipeline_source, split_references.pipeline_scan)


@dataclass
class Resource:
    resource_type: str
    props: Mapping[str, Any]
    urn: str = "urn"
    provider: None = None


def read(resource_type: str, inputs: Mapping[str, Any]) -> DiscoveredResource:
    resource = Resource(resource_type, proxy.unknown_checking_proxy(dict(inputs)))
    return read_resource(resource, SENTINELS, {"AWS_REGION": "eu-west-1"})


def uses(resource_type: str, inputs: Mapping[str, Any]) -> tuple[ImageUse, ...]:
    return read(resource_type, inputs).uses


def camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)


def bridged(path: str) -> str:
    """Terraform's path in a bridge's names, the document in it and the keys of a map as they are."""
    inputs, colon, document = path.partition(":")
    keys = (part if part.startswith("_") else camel_case(part) for part in inputs.split("."))
    return ".".join(keys) + colon + document


def flattened(path: str) -> str:
    """The path where a bridge made an object of every list with one object in it."""
    inputs, colon, document = path.partition(":")
    return inputs.replace("[].", ".") + colon + document


def only(value: Any) -> Any:
    """The one element of a list, or the object that a bridge made of it."""
    return value[0] if isinstance(value, list) else value


@dataclass(frozen=True)
class Spelling:
    """A row's place in one spelling: the type token, and the path there."""

    name: str
    token: str
    row: Row
    path: str

    def inputs(self, leaf: str) -> tuple[dict[str, Any], str]:
        there = replace(self.row, path=self.path, reference=split_references.as_written)
        inputs, path = smallest(there, leaf)
        if self.row.reference in SPLIT:
            snake = "_" in self.token.rpartition(":")[2]
            inputs["role_arn" if snake else "roleArn"] = PIPELINE_ROLE
            stage = only(inputs.get("stage") or inputs["stages"])
            action = only(stage.get("action") or stage["actions"])
            is_scan = self.row.reference is split_references.pipeline_scan
            action |= {"provider": "InspectorScan" if is_scan else "ECR", "region": "eu-west-1"}
        return inputs, path


def spellings() -> Iterator[Spelling]:
    for line in PATHS:
        row, name, path = BY_NAME[line["row"]], line["type"], line["path"]
        token = bridged_token(name)
        if path is not None:
            yield Spelling("state", f"pulumi:terraform:{name}", row, path)
            yield Spelling("module", f"shop-services:tf:{name}", row, path)
            yield Spelling("bridged as it is", token, row, bridged(path))
            yield Spelling("bridged to objects", token, row, bridged(flattened(path)))
        if ":" in row.resource_type:
            yield Spelling("bridged as in the catalog", token, row, row.path)


SPELLINGS = [each for each in spellings() if each.row.role is Role.PULL]
# Pulumi's own resource has the token that a bridge would give to ``docker_image``.
SPELLINGS = [each for each in SPELLINGS if each.token != "docker:index/image:Image"]


@pytest.mark.parametrize(
    "spelling", SPELLINGS, ids=lambda each: f"{each.name}: {each.token} {each.path}"
)
def test_every_row_finds_its_image_in_every_spelling(spelling: Spelling) -> None:
    row = spelling.row
    image = f"{HOST}/lost/{ROWS.index(row)}:latest"
    leaf = f"lost/{ROWS.index(row)}" if row.reference in SPLIT else image
    inputs, path = spelling.inputs(leaf)
    (use,) = [each for each in uses(spelling.token, inputs) if each.naming is Naming.PULLED]
    assert (use.resource_type, use.path, use.text) == (spelling.token, path, image)
    assert use.target == ImageReference.parse(image)
    (own,) = [
        each
        for each in uses(row.resource_type, smallest(row, leaf)[0])
        if each.naming is Naming.PULLED
    ]
    assert (use.runtime, use.platform, use.storage_gib) == (
        own.runtime,
        own.platform,
        own.storage_gib,
    )


OTHERS = [each for each in spellings() if each.row.role in (Role.DOCUMENT, Role.CARRIER)]


@pytest.mark.parametrize(
    "spelling", OTHERS, ids=lambda each: f"{each.name}: {each.token} {each.path}"
)
def test_every_document_is_read_in_every_spelling(spelling: Spelling) -> None:
    row = replace(spelling.row, path=spelling.path)
    leaf: Any = IMAGE
    if spelling.path.rpartition(":")[2] in ("yaml", "json", "user-data", "json-or-text"):
        leaf = {"some": {"image": IMAGE}}
    elif spelling.path.endswith(":dockerfile"):
        leaf = [{"image": IMAGE}]
    elif spelling.path.endswith(":nomad"):
        leaf = {"image": IMAGE}
    elif row.resource_type == "helm_release":
        leaf = json.dumps({"image": IMAGE})
    inputs, _ = smallest(row, leaf)
    found = uses(spelling.token, inputs)
    expected = Naming.CARRIED if row.role is Role.CARRIER else Naming.FOUND
    assert [(use.text, use.naming) for use in found] == [(IMAGE, expected)]


def test_the_names_of_all_types_are_terraforms_own() -> None:
    """Every name that a rule or a table gives is one of the schemas, and none is left out."""
    derived = {
        (name, f"{row.resource_type} {row.path}")
        for row in ROWS
        for name in terraform_types(row.resource_type)
    }
    assert derived == {(line["type"], line["row"]) for line in PATHS}


def test_a_terraform_type_stands_for_one_type_of_the_catalog() -> None:
    owners: dict[str, set[str]] = {}
    for row in ROWS:
        for name in terraform_types(row.resource_type):
            owners.setdefault(name, set()).add(row.resource_type)
    assert [name for name, types in owners.items() if len(types) > 1] == []


@pytest.mark.parametrize(
    "token",
    ["aws:index/thing:Thing", "pulumi:terraform:aws_thing", "x:tf:aws_thing", "aws:ecs/taskDefinition:TaskDefinition", "tf", ":tf:aws_ecs_task_definition", "a:b:aws_ecs_task_definition", ""],
)  # fmt: skip
def test_a_type_without_another_spelling_is_left_as_it_is(token: str) -> None:
    inputs: Tree = {"a_b": [{"c": "d"}]}
    kind, found = as_in_catalog(token, inputs)
    assert kind == token
    assert found is inputs


@pytest.mark.parametrize(
    ("terraform", "token"),
    [
        ("aws_ecs_task_definition", "aws:index/ecsTaskDefinition:EcsTaskDefinition"),
        ("aws_instance", "aws:index/instance:Instance"),
        ("kubernetes_deployment_v1", "kubernetes:index/deploymentV1:DeploymentV1"),
        ("helm_release", "helm:index/release:Release"),
    ],
)
def test_a_bridged_token_is_made_of_terraforms_name(terraform: str, token: str) -> None:
    assert bridged_token(terraform) == token


CONTAINERS = json.dumps([{"name": "web", "image": IMAGE}])
TASK = {"container_definitions": CONTAINERS}
FUNCTION = {"package_type": "Image", "image_uri": IMAGE}
POD = {"container": [{"name": "web", "image": IMAGE}]}
AFFINITY = {
    "node_affinity": [{
        "required_during_scheduling_ignored_during_execution": [{
            "node_selector_term": [{
                "match_expressions": [{"key": "kubernetes.io/arch", "operator": "In", "values": ["arm64"]}],
                "match_fields": [],
            }]
        }],
        "preferred_during_scheduling_ignored_during_execution": [],
    }]
}  # fmt: skip


def deployment(**spec: Any) -> dict[str, Any]:
    pod = {**POD, **{key: spec.pop(key) for key in [*spec] if key != "replicas"}}
    return {"spec": [{**spec, "template": [{"spec": [pod]}]}]}


@pytest.mark.parametrize(
    ("kind", "inputs", "expected"),
    [
        ("aws_ecs_task_definition", {**TASK, "runtime_platform": [{"cpu_architecture": "ARM64", "operating_system_family": "LINUX"}]}, ARM64),
        ("aws_ecs_task_definition", {**TASK, "runtime_platform": [{"cpu_architecture": "", "operating_system_family": "WINDOWS_SERVER_2022_CORE"}]}, Platform("windows", "amd64", os_version="10.0.20348")),
        ("aws_ecs_task_definition", {**TASK, "runtime_platform": [], "requires_compatibilities": ["FARGATE"]}, AMD64),
        ("aws_ecs_task_definition", {**TASK, "runtime_platform": [], "requires_compatibilities": []}, None),
        ("aws_lambda_function", {**FUNCTION, "architectures": ["arm64"]}, ARM64),
        ("aws_lambda_function", {**FUNCTION, "architectures": []}, AMD64),
        ("aws_emrserverless_application", {"architecture": "ARM64", "image_configuration": [{"image_uri": IMAGE}]}, ARM64),
        ("aws_codebuild_project", {"environment": [{"image": IMAGE, "type": "ARM_CONTAINER", "fleet": []}]}, ARM64),
        ("aws_codebuild_project", {"environment": [{"image": IMAGE, "type": "ARM_CONTAINER", "fleet": [{"fleet_arn": "x"}]}]}, None),
        ("aws_sagemaker_training_job", {"algorithm_specification": [{"training_image": IMAGE}], "resource_config": [{"instance_groups": [{"instance_type": "ml.m7g.large"}]}]}, ARM64),
        ("aws_sagemaker_data_quality_job_definition", {"data_quality_app_specification": [{"image_uri": IMAGE}], "job_resources": [{"cluster_config": [{"instance_type": "ml.m7g.large"}]}]}, ARM64),
        ("docker_service", {"task_spec": [{"container_spec": [{"image": IMAGE}], "placement": [{"platforms": [{"os": "linux", "architecture": "arm64"}]}]}]}, ARM64),
        ("kubernetes_deployment", deployment(node_selector={"kubernetes.io/arch": "arm64"}), ARM64),
        ("kubernetes_deployment", deployment(node_selector={}, affinity=[AFFINITY]), ARM64),
        ("kubernetes_deployment", deployment(os=[{"name": "windows"}]), Platform("windows", "amd64")),
        ("kubernetes_manifest", {"manifest": {"apiVersion": "v1", "kind": "Pod", "spec": {"nodeSelector": {"kubernetes.io/arch": "arm64"}, "containers": [{"image": IMAGE}]}}}, ARM64),
    ],
)  # fmt: skip
def test_the_platform_rules_hold_in_terraforms_spelling(
    kind: str, inputs: dict[str, Any], expected: Platform | None
) -> None:
    (use,) = uses(f"pulumi:terraform:{kind}", inputs)
    assert use.platform == expected


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({"imageUri": IMAGE, "architectures": "arm64"}, ARM64),
        ({"imageUri": IMAGE, "architecture": "arm64"}, ARM64),
        ({"imageUri": IMAGE, "architectures": ["arm64"]}, ARM64),
        ({"imageUri": IMAGE}, AMD64),
    ],
)
def test_a_bridge_may_make_a_value_of_a_list_of_one(
    inputs: dict[str, Any], expected: Platform
) -> None:
    (use,) = uses("aws:index/lambdaFunction:LambdaFunction", inputs)
    assert use.platform == expected


@pytest.mark.parametrize(
    ("spec", "naming"),
    [
        ({"replicas": "0"}, Naming.DORMANT),
        ({"replicas": 0}, Naming.DORMANT),
        ({"replicas": "1"}, Naming.PULLED),
        ({"container": [{"image": IMAGE, "image_pull_policy": "Never"}]}, Naming.ON_NODE),
        ({"container": [{"image": IMAGE, "image_pull_policy": ""}]}, Naming.PULLED),
    ],
)
def test_the_rules_of_pulling_hold_in_terraforms_spelling(
    spec: dict[str, Any], naming: Naming
) -> None:
    (use,) = uses("pulumi:terraform:kubernetes_deployment_v1", deployment(**spec))
    assert use.naming is naming


def test_the_room_of_a_fargate_task_is_read_in_terraforms_spelling() -> None:
    fargate = {**TASK, "requires_compatibilities": ["FARGATE"]}
    (use,) = uses(
        "x:tf:aws_ecs_task_definition", {**fargate, "ephemeral_storage": [{"size_in_gib": 40}]}
    )
    assert use.storage_gib == 40
    (use,) = uses("x:tf:aws_ecs_task_definition", {**fargate, "ephemeral_storage": []})
    assert use.storage_gib == 20


def test_the_runtimes_rules_see_the_region_of_the_resource() -> None:
    (use,) = uses("x:tf:aws_lambda_function", {**FUNCTION, "region": "us-east-1"})
    assert use.runtime.name == "AWS Lambda"
    assert use.placement.region == "us-east-1"


def test_the_region_of_the_environment_is_none_of_terraforms() -> None:
    (use,) = uses("x:tf:aws_lambda_function", FUNCTION)
    assert use.placement.region is None


@pytest.mark.parametrize(
    "inputs",
    [
        {"package_type": "Zip", "image_uri": "", "filename": "a.zip"},
        {"package_type": "Zip", "image_uri": None, "image_config": []},
    ],
)
def test_what_a_state_has_as_empty_was_not_set(inputs: dict[str, Any]) -> None:
    assert uses("pulumi:terraform:aws_lambda_function", inputs) == ()


def test_a_repository_and_a_push_are_found_in_terraforms_spelling() -> None:
    (made,) = read("pulumi:terraform:aws_ecr_repository", {"name": "shop/web"}).provisions
    assert (made.provides, made.repository) == (Provides.REPOSITORY, "shop/web")
    (made,) = read("aws:index/ecrRepository:EcrRepository", {"name": "shop/web"}).provisions
    assert (made.provides, made.repository) == (Provides.REPOSITORY, "shop/web")
    action = {
        "provider": "ECRBuildAndPublish",
        "configuration": {"ECRRepositoryName": "shop/web"},
        "region": "",
    }
    pipeline = {"role_arn": PIPELINE_ROLE, "region": "eu-west-1", "stage": [{"action": [action]}]}
    (pushed,) = read("x:tf:aws_codepipeline", pipeline).provisions
    assert (pushed.provides, pushed.repository, pushed.tag) == (
        Provides.IMAGE,
        "shop/web",
        "latest",
    )
    assert pushed.region == "eu-west-1"


def test_the_resources_of_a_state_are_no_components() -> None:
    for token in (
        "pulumi:terraform:aws_lambda_function",
        "pulumi:terraform:my_thing",
        "x:tf:my_thing",
    ):
        assert not read(token, {"a": IMAGE}).is_component
    assert read("my:index:Service", {"a": IMAGE}).is_component


@pytest.mark.parametrize(
    "token",
    ["pulumi:terraform:aws_ecs_task_definition", "aws:index/ecsTaskDefinition:EcsTaskDefinition"],
)
@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("[secret]", "secret-not-shown"),
        (UNKNOWN, "unknown-in-preview"),
        ("[{", "document-unreadable"),
    ],
)
def test_what_is_not_known_is_spoken_of_in_every_spelling(
    token: str, value: str, code: str
) -> None:
    name = "container_definitions" if "terraform" in token else "containerDefinitions"
    assert targets(uses(token, {name: value})) == [(name, code)]


def test_variables_in_snake_case_are_only_handed_on() -> None:
    (use,) = uses("pulumi:terraform:some_function", {"environment_variables": {"IMAGE": IMAGE}})
    assert use.naming is Naming.CARRIED


def test_the_keys_of_a_map_are_never_taken_for_names_of_properties() -> None:
    template = {
        "Parameters": {"Images": {}},
        "Resources": {
            "F": {
                "Type": "AWS::Lambda::Function",
                "Properties": {"Code": {"ImageUri": {"Ref": "Images"}}},
            }
        },
    }
    inputs = {"template_body": json.dumps(template), "parameters": {"Image": IMAGE}}
    codes = dict(targets(uses("x:tf:aws_cloudformation_stack", inputs)))
    assert codes["template_body.Resources.F.Properties.Code.ImageUri"] == "expression-unresolved"


def test_an_empty_value_of_a_map_is_a_value() -> None:
    code = {"ImageUri": {"Fn::Sub": f"{HOST}/shop/web:${{Tag}}"}}
    template = {
        "Parameters": {"Tag": {"Default": "1"}},
        "Resources": {"F": {"Type": "AWS::Lambda::Function", "Properties": {"Code": code}}},
    }
    inputs = {"template_body": json.dumps(template), "parameters": {"Tag": ""}}
    found = dict(targets(uses("x:tf:aws_cloudformation_stack", inputs)))
    assert found["template_body.Resources.F.Properties.Code.ImageUri"] == "reference-invalid"


MANIFEST = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "spec": {
        "replicas": 0,
        "template": {"spec": {"initContainers": [{"name": "a", "image": IMAGE}]}},
    },
}


@pytest.mark.parametrize(
    ("token", "inputs", "path"),
    [
        ("pulumi:terraform:kubernetes_manifest", {"manifest": MANIFEST, "object": MANIFEST}, "manifest.spec.template.spec.initContainers[0].image"),
        ("kubernetes:index/manifest:Manifest", {"manifest": MANIFEST}, "manifest.spec.template.spec.initContainers[0].image"),
        ("pulumi:terraform:kubectl_manifest", {"yaml_body": json.dumps(MANIFEST), "yaml_body_parsed": json.dumps(MANIFEST)}, "yaml_body.spec.template.spec.initContainers[0].image"),
        ("kubectl:index/manifest:Manifest", {"yamlBody": json.dumps(MANIFEST)}, "yamlBody.spec.template.spec.initContainers[0].image"),
    ],
)  # fmt: skip
def test_a_manifest_is_read_as_its_own_kind(token: str, inputs: dict[str, Any], path: str) -> None:
    (use,) = uses(token, inputs)
    assert (use.path, use.container, use.text) == (path, "a", IMAGE)
    assert use.naming is Naming.DORMANT


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("a: [", [("yaml_body", "document-unreadable")]),
        ("[secret]", [("yaml_body", "secret-not-shown")]),
        (
            "apiVersion: x/v1\nkind: Runner\nspec: {image: " + IMAGE + "}",
            [("yaml_body.spec.image", IMAGE)],
        ),
        ("- a", []),
    ],
)
def test_a_manifest_of_another_kind_is_read_for_references(
    body: str, expected: list[tuple[str, str]]
) -> None:
    assert targets(uses("pulumi:terraform:kubectl_manifest", {"yaml_body": body})) == expected


TREES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.sampled_from([*Mark, SecretText("x")]),
    lambda each: (
        st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=6), each, max_size=3)
    ),
    max_leaves=20,
)


@given(TREES)
def test_terraforms_spelling_changes_no_value_and_no_name(tree: Tree) -> None:
    assert in_terraforms_spelling(tree) == tree


@given(st.dictionaries(st.text(max_size=8), st.text(min_size=1), max_size=5))
def test_a_member_is_always_found_by_its_own_name(tree: dict[str, str]) -> None:
    spelled = in_terraforms_spelling(dict(tree))
    for each, value in tree.items():
        assert member(spelled, each) == value


def test_a_resource_of_any_other_type_costs_one_look_into_a_table() -> None:
    inputs: Tree = plain({"a": ["x"] * 100_000})
    began = time.process_time()
    for _ in range(10_000):
        as_in_catalog("aws:s3/bucket:Bucket", inputs)
    assert time.process_time() - began < 1.0


def nested(depth: int) -> Any:
    value: Any = [{"image": IMAGE}]
    for _ in range(depth):
        value = [{"block": value}]
    return value


N = 5_000
SETTINGS = [{"name": f"images.i{number}[{number % 9}].tag", "value": "1"} for number in range(N)]
LARGE = {
    "many containers": ("kubernetes_pod", {"spec": [{"affinity": [AFFINITY], "container": [{"image": f"x{n}"} for n in range(N)]}]}),
    "blocks in blocks": ("aws_ecs_task_definition", {"volume": nested(150)}),
    "many settings": ("helm_release", {"values": [REPOSITORIES := json.dumps({"images": {f"i{n}": ["x"] * 9 for n in range(N // 5)}})], "set": SETTINGS}),
    "a long setting": ("helm_release", {"set": [{"name": "a." * 200_000, "value": "1"}, {"name": "\\" * 200_000, "value": "1"}]}),
    "many documents": ("helm_release", {"values": [REPOSITORIES] * 50}),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "inputs"), LARGE.values(), ids=LARGE)
def test_a_resource_of_terraform_costs_no_more_than_its_size(
    kind: str, inputs: dict[str, Any]
) -> None:
    with within_budget():
        found = uses(f"pulumi:terraform:{kind}", inputs)
    assert "internal-error" not in dict(targets(found)).values()
