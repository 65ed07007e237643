"""Small programs for the engine: resources of any type with raw inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pulumi

FUNCTION = "aws:lambda/function:Function"


def resource(
    resource_type: str, name: str, inputs: Mapping[str, Any], **options: Any
) -> pulumi.CustomResource:
    return pulumi.CustomResource(
        resource_type, name, dict(inputs), pulumi.ResourceOptions(**options)
    )


def function(name: str, image: pulumi.Input[str], **options: Any) -> pulumi.CustomResource:
    return resource(FUNCTION, name, {"packageType": "Image", "imageUri": image}, **options)


def functions(**images: str) -> Callable[[], None]:
    """Return a program that makes a Lambda function for each image, one after the other."""

    def program() -> None:
        before: list[pulumi.Resource] = []
        for name, image in images.items():
            before.append(function(name, image, depends_on=before[-1:]))

    return program
