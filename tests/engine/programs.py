"""Small programs for the engine: resources of any type with raw inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pulumi

FUNCTION = "aws:lambda/function:Function"
SERVICE = "aws:apprunner/service:Service"
# Where each of them names its image.
PLACES = {
    FUNCTION: "imageUri",
    SERVICE: "sourceConfiguration.imageRepository.imageIdentifier",
}


def inputs(kind: str, image: pulumi.Input[str]) -> dict[str, Any]:
    """Return the inputs with which a resource of this type uses an image."""
    if kind == FUNCTION:
        return {"packageType": "Image", "imageUri": image}
    repository = {"imageIdentifier": image, "imageRepositoryType": "ECR"}
    return {"sourceConfiguration": {"imageRepository": repository}}


def resource(
    resource_type: str, name: str, values: Mapping[str, Any], **options: Any
) -> pulumi.CustomResource:
    return pulumi.CustomResource(
        resource_type, name, dict(values), pulumi.ResourceOptions(**options)
    )


def function(name: str, image: pulumi.Input[str], **options: Any) -> pulumi.CustomResource:
    return resource(FUNCTION, name, inputs(FUNCTION, image), **options)


def functions(**images: str) -> Callable[[], None]:
    """Return a program that makes a Lambda function for each image, one after the other."""
    return users({name: (FUNCTION, image) for name, image in images.items()})


def users(images: Mapping[str, tuple[str, str]]) -> Callable[[], None]:
    """Return a program that makes a resource of a type for each image, one after the other."""

    def program() -> None:
        before: list[pulumi.Resource] = []
        for name, (kind, image) in images.items():
            before.append(resource(kind, name, inputs(kind, image), depends_on=before[-1:]))

    return program
