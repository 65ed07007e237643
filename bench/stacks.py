"""The resources of a benchmark's stack, and the state that has them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from typing_extensions import assert_never

from bench.cells import StackShape
from bench.images import Layout, make_image

_PROVIDER = "urn:pulumi:dev::bench::pulumi:providers:aws::default"
_FUNCTION = "aws:lambda/function:Function"
_TASK = "aws:ecs/taskDefinition:TaskDefinition"
_BUCKET = "aws:s3/bucket:Bucket"
_FARGATE = {
    "requiresCompatibilities": ["FARGATE"],
    "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
}


def resources(stack: StackShape) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield type and inputs of each resource.

    Task definitions of Amazon ECS, whose platform is not in their inputs, so that any platform of
    an image may do; those of indexes run on Fargate. Functions of AWS Lambda run on a platform
    that is known. Without images: buckets, with the inputs that buckets have.
    """
    images = [make_image(number, stack.layout).reference for number in range(stack.images)]
    for number in range(stack.resources):
        if not images:
            yield _BUCKET, _bucket(number)
            continue
        image = images[number % len(images)]
        match stack.layout:
            case Layout.FUNCTION:
                yield _FUNCTION, _function(number, image)
            case Layout.INDEX:
                yield _TASK, _task(number, image) | _FARGATE
            case Layout.OWN | Layout.SHARED:
                yield _TASK, _task(number, image)
            case _:
                assert_never(stack.layout)


def write_state(stack: StackShape, path: Path) -> Path:
    """Write what `pulumi stack export` writes of the stack; return ``path``."""
    listed: list[dict[str, Any]] = [
        {
            "urn": "urn:pulumi:dev::bench::pulumi:pulumi:Stack::bench-dev",
            "custom": False,
            "type": "pulumi:pulumi:Stack",
        },
        {
            "urn": _PROVIDER,
            "custom": True,
            "id": "1",
            "type": "pulumi:providers:aws",
            "inputs": {"region": "eu-west-1"},
            "outputs": {"region": "eu-west-1"},
        },
    ]
    listed += (
        {
            "urn": f"urn:pulumi:dev::bench::{kind}::r{number}",
            "custom": True,
            "id": str(number),
            "type": kind,
            "inputs": inputs,
            "outputs": inputs,
            "provider": f"{_PROVIDER}::1",
        }
        for number, (kind, inputs) in enumerate(resources(stack))
    )
    manifest = {"time": "2026-01-01T00:00:00Z", "magic": "", "version": "v3"}
    deployment = {"manifest": manifest, "resources": listed}
    path.write_text(json.dumps({"version": 3, "deployment": deployment}))
    return path


def _function(number: int, image: str) -> Mapping[str, Any]:
    return {
        "packageType": "Image",
        "imageUri": image,
        "role": "arn:aws:iam::123456789012:role/function",
        "memorySize": 512,
        "timeout": 30,
        "environment": {"variables": {"LOG_LEVEL": "info", "QUEUE": f"queue-{number}"}},
        "tags": {"team": "bench", "number": str(number)},
    }


def _task(number: int, image: str) -> dict[str, Any]:
    container = {"name": "app", "image": image, "essential": True, "memory": 512}
    return {
        "family": f"task{number}",
        "cpu": "256",
        "memory": "512",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["EC2"],
        "containerDefinitions": json.dumps([container]),
    }


def _bucket(number: int) -> Mapping[str, Any]:
    statement = {
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::bucket-{number}/*",
    }
    return {
        "bucket": f"bucket-{number}",
        "forceDestroy": False,
        "policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        "lifecycleRules": [
            {
                "id": "cold",
                "enabled": True,
                "transitions": [{"days": 30, "storageClass": "GLACIER"}],
            }
        ],
        "website": {"indexDocument": "index.html"},
        "tags": {f"tag{each}": f"value {each}" for each in range(6)},
    }
