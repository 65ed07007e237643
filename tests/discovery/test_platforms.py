"""Platforms: what a runtime will pull, decided by the resource around the image."""

from __future__ import annotations

import json
from typing import Any

import pytest
from layerguard.platform import Platform
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE as UNKNOWN

from tests.discovery.engine_inputs import uses
from tests.fakes import HOST

IMAGE = f"{HOST}/shop/web:1"
AMD64 = Platform("linux", "amd64")
ARM64 = Platform("linux", "arm64")
WINDOWS = Platform("windows", "amd64")
DEFINITIONS = json.dumps([{"name": "web", "image": IMAGE}])


def platform(resource_type: str, inputs: dict[str, Any]) -> Platform | None:
    (use,) = uses(resource_type, inputs)
    return use.platform


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({}, None),
        ({"requiresCompatibilities": ["EC2"]}, None),
        ({"requiresCompatibilities": ["FARGATE"]}, AMD64),
        ({"runtimePlatform": {"cpuArchitecture": "ARM64"}}, ARM64),
        ({"runtimePlatform": {"cpuArchitecture": "X86_64"}}, AMD64),
        ({"runtimePlatform": {"operatingSystemFamily": "LINUX"}}, None),
        ({"runtimePlatform": {"operatingSystemFamily": "LINUX"}, "requiresCompatibilities": ["FARGATE"]}, AMD64),
        ({"runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE", "cpuArchitecture": "X86_64"}}, Platform("windows", "amd64", os_version="10.0.20348")),
        ({"runtimePlatform": UNKNOWN, "requiresCompatibilities": ["FARGATE"]}, None),
        ({"runtimePlatform": {"cpuArchitecture": UNKNOWN}}, None),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("resource_type", "definitions"),
    [
        ("aws:ecs/taskDefinition:TaskDefinition", DEFINITIONS),
        ("aws-native:ecs:TaskDefinition", json.loads(DEFINITIONS)),
    ],
)
def test_an_ecs_task_runs_on_its_runtime_platform(
    resource_type: str, definitions: object, inputs: dict[str, Any], expected: Platform | None
) -> None:
    assert platform(resource_type, {"containerDefinitions": definitions, **inputs}) == expected


@pytest.mark.parametrize(
    ("architectures", "expected"),
    [(None, AMD64), ([], AMD64), (["x86_64"], AMD64), (["arm64"], ARM64), (UNKNOWN, None)],
)
def test_a_lambda_function_runs_on_its_first_architecture(
    architectures: object, expected: Platform | None
) -> None:
    inputs = {"imageUri": IMAGE, "architectures": architectures}
    assert platform("aws:lambda/function:Function", inputs) == expected
    native = {"code": {"imageUri": IMAGE}, "architectures": architectures}
    assert platform("aws-native:lambda:Function", native) == expected


@pytest.mark.parametrize("provider", ["aws:apprunner/service", "aws-native:apprunner"])
def test_app_runner_has_only_linux_amd64(provider: str) -> None:
    inputs = {"sourceConfiguration": {"imageRepository": {"imageIdentifier": IMAGE}}}
    assert platform(f"{provider}:Service", inputs) == AMD64


@pytest.mark.parametrize(
    ("capabilities", "properties", "expected"),
    [
        (None, {}, None),
        (["EC2"], {"runtimePlatform": {"cpuArchitecture": "ARM64"}}, None),
        (["FARGATE"], {}, AMD64),
        (["FARGATE"], {"runtimePlatform": {"cpuArchitecture": "ARM64"}}, ARM64),
    ],
)
def test_a_batch_job_reads_its_runtime_platform_on_fargate_only(
    capabilities: object, properties: dict[str, Any], expected: Platform | None
) -> None:
    container = {"image": IMAGE, **properties}
    assert (
        platform(
            "aws:batch/jobDefinition:JobDefinition",
            {"containerProperties": json.dumps(container), "platformCapabilities": capabilities},
        )
        == expected
    )
    assert (
        platform(
            "aws-native:batch:JobDefinition",
            {"containerProperties": container, "platformCapabilities": capabilities},
        )
        == expected
    )


def affinity(*terms: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "affinity": {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [{"matchExpressions": term} for term in terms]
                }
            }
        }
    }


def arch(*values: str, operator: str = "In") -> dict[str, Any]:
    return {"key": "kubernetes.io/arch", "operator": operator, "values": list(values)}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, None),
        ({"nodeSelector": {"kubernetes.io/arch": "arm64"}}, ARM64),
        ({"nodeSelector": {"beta.kubernetes.io/arch": "amd64"}}, AMD64),
        ({"nodeSelector": {"kubernetes.io/os": "linux"}}, None),
        ({"nodeSelector": {"kubernetes.io/os": "windows"}}, WINDOWS),
        ({"os": {"name": "windows"}}, WINDOWS),
        ({"nodeSelector": UNKNOWN}, None),
        (affinity([arch("arm64")]), ARM64),
        (affinity([arch("arm64")], [arch("arm64")]), ARM64),
        (affinity([arch("arm64", "amd64")]), None),
        (affinity([arch("arm64")], [arch("amd64")]), None),
        (affinity([arch("arm64")], []), None),
        (affinity([arch("arm64", operator="NotIn")]), None),
        (affinity([]), None),
        (affinity([arch(UNKNOWN)]), None),
        (affinity([arch("arm64", UNKNOWN)]), None),
        (affinity([arch("arm64")], [arch(UNKNOWN)]), None),
        ({"affinity": UNKNOWN, "nodeSelector": {"kubernetes.io/arch": "arm64"}}, None),
        ({"affinity": {"nodeAffinity": UNKNOWN}}, None),
        ({"nodeSelector": UNKNOWN, **affinity([arch("arm64")])}, None),
        ({"nodeSelector": {"kubernetes.io/arch": UNKNOWN}}, None),
        ({"nodeSelector": {"kubernetes.io/arch": "amd64", "kubernetes.io/os": UNKNOWN}}, None),
        ({"nodeSelector": {"kubernetes.io/arch": "amd64"}, "os": {"name": UNKNOWN}}, None),
        (
            {
                "nodeSelector": {"kubernetes.io/arch": "amd64"},
                **affinity([{**arch("linux", "windows"), "key": "kubernetes.io/os"}]),
            },
            None,
        ),
    ],
)
def test_a_pod_runs_where_its_selector_and_required_affinity_leave_one_architecture(
    spec: dict[str, Any], expected: Platform | None
) -> None:
    pod = {"spec": {"containers": [{"name": "web", "image": IMAGE}], **spec}}
    assert platform("kubernetes:core/v1:Pod", pod) == expected
    volume = {"spec": {"volumes": [{"image": {"reference": IMAGE}}], **spec}}
    assert platform("kubernetes:core/v1:Pod", volume) == expected


SPARK = "spark.kubernetes.container.image"
SPARK_NODE = "spark.kubernetes.node.selector.kubernetes.io/arch"
SUBMIT = f"--conf {SPARK}={IMAGE} --conf {SPARK_NODE}=amd64"
MANIFEST = {
    "Platform": {"os": "linux", "architecture": "aarch64"},
    "Artifacts": [{"Uri": f"docker:{IMAGE}"}],
}
PROCESSING = {
    "AppSpecification": {"ImageUri": IMAGE},
    "ProcessingResources": {"ClusterConfig": {"InstanceType": "ml.r6g.large"}},
}
QUALITY_JOB = {
    "dataQualityAppSpecification": {"imageUri": IMAGE},
    "jobResources": {"clusterConfig": {"instanceType": "ml.m5.xlarge"}},
}


def training(**resources: object) -> dict[str, object]:
    return {"algorithmSpecification": {"trainingImage": IMAGE}, "resourceConfig": resources}


@pytest.mark.parametrize(
    ("resource_type", "inputs", "expected"),
    [
        ("aws:emrserverless/application:Application",      {"imageConfiguration": {"imageUri": IMAGE}, "architecture": "ARM64"}, ARM64),
        ("aws:emrserverless/application:Application",      {"imageConfiguration": {"imageUri": IMAGE}, "architecture": UNKNOWN}, None),
        ("aws-native:bedrockagentcore:Runtime",            {"agentRuntimeArtifact": {"containerConfiguration": {"containerUri": IMAGE}}}, ARM64),
        ("aws-native:bedrockagentcore:Runtime",            {"agentRuntimeArtifact": {"containerConfiguration": {"containerUri": IMAGE}}, "capacityProviderConfiguration": {}}, None),
        ("aws:codebuild/project:Project",                  {"environment": {"image": IMAGE, "type": "ARM_LAMBDA_CONTAINER"}}, ARM64),
        ("aws:codebuild/project:Project",                  {"environment": {"image": IMAGE, "type": "LINUX_GPU_CONTAINER"}}, AMD64),
        ("aws:codebuild/project:Project",                  {"environment": {"image": IMAGE, "type": "WINDOWS_SERVER_2022_CONTAINER"}}, WINDOWS),
        ("aws:codebuild/project:Project",                  {"environment": {"image": IMAGE, "type": "LINUX_CONTAINER", "fleet": {"fleetArn": "x"}}}, None),
        ("aws:codebuild/project:Project",                  {"source": {"buildspec": f"batch: {{build-list: [{{env: {{image: '{IMAGE}', type: ARM_CONTAINER}}}}]}}"}}, ARM64),
        ("aws-native:elasticbeanstalk:ApplicationVersion", {"imageConfiguration": {"build": {"buildpack": IMAGE, "architecture": "arm64"}}}, ARM64),
        ("aws:sagemaker/dataQualityJobDefinition:DataQualityJobDefinition", QUALITY_JOB, AMD64),
        ("aws:sagemaker/trainingJob:TrainingJob",          training(instanceType="ml.c7g.xlarge"), ARM64),
        ("aws:sagemaker/trainingJob:TrainingJob",          training(instanceType="ml.g5.xlarge"), AMD64),
        ("aws:sagemaker/trainingJob:TrainingJob",          training(instanceType="ml.g5g.xlarge"), ARM64),
        ("aws:sagemaker/trainingJob:TrainingJob",            training(instanceGroups=[{"instanceType": "ml.m5.large"}, {"instanceType": "ml.m7g.large"}]), None),
        ("aws:sagemaker/trainingJob:TrainingJob",          training(instanceType=UNKNOWN), None),
        ("aws:sagemaker/algorithm:Algorithm",              {"trainingSpecification": {"trainingImage": IMAGE, "supportedTrainingInstanceTypes": ["ml.m5.large", "ml.p3.2xlarge"]}}, AMD64),
        ("aws:sagemaker/algorithm:Algorithm",              {"inferenceSpecification": {"containers": [{"image": IMAGE}], "supportedTransformInstanceTypes": ["ml.c6g.large"]}}, ARM64),
        ("aws-native:sagemaker:InferenceComponent",        {"specifications": [{"container": {"image": IMAGE}, "instanceType": "ml.m6gd.large"}]}, ARM64),
        ("aws:sagemaker/pipeline:Pipeline",                  {"pipelineDefinition": json.dumps({"Steps": [{"Arguments": PROCESSING}]})}, ARM64),
        ("aws-native:batch:JobDefinition",                 {"nodeProperties": {"nodeRangeProperties": [{"container": {"image": IMAGE, "instanceType": "c6gn.large"}}]}}, ARM64),
        ("aws-native:batch:JobDefinition",                 {"nodeProperties": {"nodeRangeProperties": [{"container": {"image": IMAGE}, "instanceTypes": ["optimal"]}]}}, None),
        ("aws-native:emrcontainers:JobTemplate",           {"jobTemplateData": {"configurationOverrides": {"applicationConfiguration": [{"properties": {SPARK: IMAGE, SPARK_NODE: "arm64"}}]}}}, ARM64),
        ("aws:emrcontainers/jobTemplate:JobTemplate",        {"jobTemplateData": {"jobDriver": {"sparkSubmitJobDriver": {"sparkSubmitParameters": SUBMIT}}}}, AMD64),
        ("aws-native:greengrassv2:ComponentVersion",         {"inlineRecipe": json.dumps({"Manifests": [MANIFEST]})}, ARM64),
        ("docker:index/container:Container",               {"image": IMAGE, "platform": "linux/arm64"}, ARM64),
        ("docker:index/remoteImage:RemoteImage",           {"build": {"additionalContexts": [f"base=docker-image://{IMAGE}"], "platform": "linux/arm64"}}, ARM64),
        ("docker:index/service:Service",                   {"taskSpec": {"containerSpec": {"image": IMAGE}, "placement": {"platforms": [{"os": "linux", "architecture": "aarch64"}]}}}, ARM64),
        ("docker-build:index:Image",                       {"dockerfile": {"inline": f"FROM {IMAGE}"}, "platforms": ["linux/arm64"]}, ARM64),
        ("docker-build:index:Image",                       {"dockerfile": {"inline": f"FROM {IMAGE}"}, "platforms": ["linux/arm64", "linux/amd64"]}, None),
        ("docker-build:index:Image",                       {"dockerfile": {"inline": f"FROM --platform=linux/amd64 {IMAGE}"}, "platforms": ["linux/arm64"]}, AMD64),
        ("awsx:ecs:FargateService",                        {"taskDefinitionArgs": {"container": {"image": IMAGE}, "runtimePlatform": {"cpuArchitecture": "ARM64"}}}, ARM64),
        ("awsx:ecs:EC2Service",                            {"taskDefinitionArgs": {"containers": {"web": {"image": IMAGE}}}}, None),
    ],
)  # fmt: skip
def test_every_provider_has_its_own_way_to_name_a_platform(
    resource_type: str, inputs: dict[str, Any], expected: Platform | None
) -> None:
    assert platform(resource_type, inputs) == expected
