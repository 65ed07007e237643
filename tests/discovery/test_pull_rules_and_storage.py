"""When a runtime pulls an image, and how much room it has for it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from layerguard.discovery import Naming
from layerguard.verdict import Code, Verdict
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from tests.discovery.engine_inputs import uses
from tests.fakes import HOST

WEB = f"{HOST}/shop/web:1"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
RELEASE = "kubernetes:helm.sh/v3:Release"
TASK = "aws:ecs/taskDefinition:TaskDefinition"


def pod(**container: Any) -> dict[str, Any]:
    return {"spec": {"containers": [{"image": WEB, **container}]}}


@pytest.mark.parametrize(
    ("resource_type", "inputs", "naming"),
    [
        (DEPLOYMENT, {"spec": {"template": pod()}}, Naming.PULLED),
        (DEPLOYMENT, {"spec": {"replicas": 1, "template": pod()}}, Naming.PULLED),
        (DEPLOYMENT, {"spec": {"replicas": 0, "template": pod()}}, Naming.DORMANT),
        (DEPLOYMENT, {"spec": {"replicas": 0.0, "template": pod()}}, Naming.DORMANT),
        (DEPLOYMENT, {"spec": {"replicas": False, "template": pod()}}, Naming.PULLED),
        (DEPLOYMENT, {"spec": {"replicas": UNKNOWN_STRING_VALUE, "template": pod()}}, Naming.PULLED),
        ("kubernetes:apps/v1:StatefulSetPatch", {"spec": {"replicas": 0, "template": pod()}}, Naming.DORMANT),
        ("kubernetes:apps/v1:DeploymentList", {"items": [{"spec": {"replicas": 0, "template": pod()}}]}, Naming.DORMANT),
        ("kubernetes:batch/v1:Job", {"spec": {"suspend": True, "template": pod()}}, Naming.DORMANT),
        ("kubernetes:batch/v1:CronJob", {"spec": {"suspend": True, "jobTemplate": {"spec": {"template": pod()}}}}, Naming.DORMANT),
        ("kubernetes:batch/v1:CronJob", {"spec": {"suspend": False, "jobTemplate": {"spec": {"template": pod()}}}}, Naming.PULLED),
        ("kubernetes:core/v1:Pod", pod(imagePullPolicy="Never"), Naming.ON_NODE),
        ("kubernetes:core/v1:Pod", pod(imagePullPolicy="Always"), Naming.PULLED),
        ("kubernetes:core/v1:Pod", {"spec": {"volumes": [{"image": {"reference": WEB, "pullPolicy": "Never"}}]}}, Naming.ON_NODE),
        # A custom resource that runs pods, whose images are found among its strings
        ("kubernetes:argoproj.io/v1alpha1:Rollout", {"spec": {"replicas": 0, "template": pod()}}, Naming.DORMANT),
        ("kubernetes:argoproj.io/v1alpha1:Rollout", {"spec": {"replicas": 2, "template": pod()}}, Naming.FOUND),
        ("kubernetes:argoproj.io/v1alpha1:Rollout", {"spec": {"template": pod(imagePullPolicy="Never")}}, Naming.ON_NODE),
        # What charts and operators leave out
        (RELEASE, {"values": {"metrics": {"enabled": False, "image": WEB}}}, Naming.DORMANT),
        (RELEASE, {"values": {"metrics": {"enabled": True, "image": WEB}}}, Naming.FOUND),
        (RELEASE, {"values": {"enabled": False, "server": {"enabled": True, "image": {"repository": WEB[:-2], "tag": "1"}}}}, Naming.DORMANT),
        (RELEASE, {"values": {"web": {"image": WEB}, "metrics": {"enabled": False}}}, Naming.FOUND),
        (RELEASE, {"values": {"enabled": "false", "image": WEB}}, Naming.FOUND),
        (RELEASE, {"values": {"replicaCount": 0, "image": WEB}}, Naming.DORMANT),
        ("kubernetes:helm.sh/v4:Chart", {"valueYamlFiles": [f"metrics: {{enabled: false, image: '{WEB}'}}"]}, Naming.DORMANT),
        ("helm_release", {"values": [{"metrics": {"enabled": False, "image": WEB}}]}, Naming.DORMANT),
        ("aws:eks/addon:Addon", {"configurationValues": json.dumps({"agent": {"enabled": False, "image": WEB}})}, Naming.DORMANT),
        ("aws:batch/jobDefinition:JobDefinition", {"eksProperties": {"podProperties": {"containers": [{"image": WEB, "imagePullPolicy": "Never"}]}}}, Naming.ON_NODE),
        ("docker:index/service:Service", {"mode": {"replicated": {"replicas": 0}}, "taskSpec": {"containerSpec": {"image": WEB}}}, Naming.DORMANT),
        ("docker:index/service:Service", {"mode": {"global": True}, "taskSpec": {"containerSpec": {"image": WEB}}}, Naming.PULLED),
    ],
)  # fmt: skip
def test_a_runtime_pulls_an_image_now_later_or_never(
    resource_type: str, inputs: dict[str, Any], naming: Naming
) -> None:
    (use,) = uses(resource_type, inputs)
    assert use.naming is naming
    is_skipped = isinstance(use.target, Verdict) and use.target.code is Code.NOT_PULLED
    assert is_skipped is (naming is Naming.ON_NODE)


@pytest.mark.parametrize(
    ("resource_type", "inputs", "expected"),
    [
        (TASK, {"requiresCompatibilities": ["FARGATE"]}, 20.0),
        (TASK, {"requiresCompatibilities": ["FARGATE"], "ephemeralStorage": {"sizeInGib": 60}}, 60.0),
        (TASK, {"requiresCompatibilities": ["FARGATE"], "ephemeralStorage": {"sizeInGib": "60"}}, 60.0),
        (TASK, {"requiresCompatibilities": ["FARGATE"], "ephemeralStorage": {"sizeInGib": UNKNOWN_STRING_VALUE}}, None),
        (TASK, {"requiresCompatibilities": ["FARGATE"], "ephemeralStorage": {"sizeInGib": "x"}}, None),
        (TASK, {"requiresCompatibilities": ["FARGATE"], "ephemeralStorage": UNKNOWN_STRING_VALUE}, None),
        (TASK, {"requiresCompatibilities": ["EC2", "FARGATE"]}, None),
        (TASK, {"requiresCompatibilities": UNKNOWN_STRING_VALUE}, None),
        (TASK, {}, None),
    ],
)  # fmt: skip
def test_a_task_on_fargate_alone_has_its_ephemeral_storage(
    resource_type: str, inputs: dict[str, Any], expected: float | None
) -> None:
    definitions = json.dumps([{"image": WEB}])
    (use,) = uses(resource_type, {"containerDefinitions": definitions, **inputs})
    assert use.storage_gib == expected


@pytest.mark.parametrize(
    ("resource_type", "inputs", "expected"),
    [
        ("aws-native:ecs:TaskDefinition", {"containerDefinitions": [{"image": WEB}], "requiresCompatibilities": ["FARGATE"], "ephemeralStorage": {"sizeInGiB": 30}}, 30.0),
        ("awsx:ecs:FargateTaskDefinition", {"container": {"image": WEB}, "ephemeralStorage": {"sizeInGib": 30}}, 30.0),
        ("awsx:ecs:FargateService", {"taskDefinitionArgs": {"container": {"image": WEB}, "ephemeralStorage": {"sizeInGib": 30}}}, 30.0),
        ("awsx:ecs:FargateService", {"taskDefinitionArgs": {"container": {"image": WEB}}}, 20.0),
        ("awsx:ecs:EC2TaskDefinition", {"container": {"image": WEB}}, None),
        ("aws:batch/jobDefinition:JobDefinition", {"platformCapabilities": ["FARGATE"], "containerProperties": json.dumps({"image": WEB, "ephemeralStorage": {"sizeInGiB": 40}})}, 40.0),
        ("aws:batch/jobDefinition:JobDefinition", {"containerProperties": json.dumps({"image": WEB})}, None),
        ("kubernetes:core/v1:Pod", pod(), None),
    ],
)  # fmt: skip
def test_every_way_to_fargate_has_it(
    resource_type: str, inputs: dict[str, Any], expected: float | None
) -> None:
    (use,) = uses(resource_type, inputs)
    assert use.storage_gib == expected
