"""Platforms: what a runtime will pull, decided by the resource around the image."""

from __future__ import annotations

import json
from typing import Any

import pytest
from layerguard.discovery import discover
from layerguard.manifest import Platform

from tests.fakes import HOST

IMAGE = f"{HOST}/shop/web:1"
AMD64 = Platform("linux", "amd64")
ARM64 = Platform("linux", "arm64")
WINDOWS = Platform("windows", "amd64")
DEFINITIONS = json.dumps([{"name": "web", "image": IMAGE}])
UNKNOWN = "an unknown value"


def platform(resource_type: str, inputs: dict[str, Any]) -> Platform | None:
    (use,) = discover("urn", resource_type, inputs, {UNKNOWN})
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
        (
            {
                "runtimePlatform": {"operatingSystemFamily": "LINUX"},
                "requiresCompatibilities": ["FARGATE"],
            },
            AMD64,
        ),
        (
            {
                "runtimePlatform": {
                    "operatingSystemFamily": "WINDOWS_SERVER_2022_CORE",
                    "cpuArchitecture": "X86_64",
                }
            },
            Platform("windows", "amd64", os_version="10.0.20348"),
        ),
        ({"runtimePlatform": UNKNOWN, "requiresCompatibilities": ["FARGATE"]}, None),
        ({"runtimePlatform": {"cpuArchitecture": UNKNOWN}}, None),
    ],
)
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
