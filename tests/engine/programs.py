"""Small programs for the engine: resources of any type with raw inputs; and the policies' names."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pulumi

UPDATE, PREVIEW, NOTICE = (
    "ecr-layers-available",
    "ecr-layers-available-preview",
    "ecr-layers-unverified",
)
FAIL: Mapping[str, Any] = {UPDATE: {"undetermined": "fail"}}
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


TASK = "aws:ecs/taskDefinition:TaskDefinition"
HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


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


def recorded() -> None:
    """The stack of the recordings in tests/cli/sources/recorded."""
    role = [{"roleArn": "arn:aws:iam::123456789012:role/deploy"}]
    assuming = pulumi.ProviderResource(
        "aws", "auditor", {"region": "eu-west-1", "assumeRoles": role}
    )
    secret = pulumi.Output.secret("not-a-real-key")
    with_keys = pulumi.ProviderResource(
        "aws", "keys", {"region": "eu-west-1", "accessKey": "AKIAEXAMPLE", "secretKey": secret}
    )
    web = {"name": "web", "image": f"{HOST}/shop/web:1.4.2"}
    proxy = {"name": "proxy", "image": "public.ecr.aws/nginx/nginx:1.27"}
    token = {"name": "TOKEN", "value": "hidden-from-you"}
    report = {"name": "web", "image": f"{HOST}/shop/report:1.4.2", "environment": [token]}
    function("worker", f"{HOST}/shop/worker:1.4.2", provider=assuming)
    function("as-keys", f"{HOST}/shop/worker:1.4.2", provider=with_keys)
    for name, containers in (
        ("web", json.dumps([web, proxy])),
        ("secretive", pulumi.Output.secret(json.dumps([report]))),
    ):
        resource(TASK, name, {"family": name, "containerDefinitions": containers})
    repository = resource("aws:ecr/repository:Repository", "cart", {"name": "shop/cart"})
    pushed = {"tags": [f"{HOST}/shop/cart:1"], "push": True}
    push = resource("docker-build:index:Image", "cart", pushed, depends_on=[repository])
    function("cart", f"{HOST}/shop/cart:1", depends_on=[push])
    function("later", repository.id.apply(lambda name: f"{HOST}/{name}:2"))
    pods = {"metadata": {"name": "web"}, "spec": {"template": {"spec": {"containers": [web]}}}}
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", **pods}
    resource("kubernetes:apps/v1:Deployment", "web", deployment)
    group = pulumi.ComponentResource("acme:index:Group", "group", {"image": web["image"]})
    function("grouped", web["image"], parent=group)
