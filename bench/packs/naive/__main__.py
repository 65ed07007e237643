"""A pack that asks ECR about one image after the other: the obvious way to write this check.

It takes any text that looks like an ECR image anywhere in a resource, gets its manifest, and asks
whether each layer is there. It blocks the engine while it does.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence

import boto3
from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
)

IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com/"
    r"(?P<repository>[a-z0-9._/-]+)(?::(?P<tag>[\w.-]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
ecr = boto3.client("ecr")


def strings(value: object) -> Iterator[str]:
    """Yield every text in a resource's inputs."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from strings(each)
    elif isinstance(value, Sequence):
        for each in value:
            yield from strings(each)


def missing_layers(image: "re.Match[str]") -> list[str]:
    """Return the layers of an image that ECR does not have."""
    asked = {"imageDigest": image["digest"]} if image["digest"] else {}
    if not asked:
        asked = {"imageTag": image["tag"] or "latest"}
    where = {"registryId": image["account"], "repositoryName": image["repository"]}
    found = ecr.batch_get_image(**where, imageIds=[asked])
    if not found["images"]:
        return ["the image itself"]
    manifest = json.loads(found["images"][0]["imageManifest"])
    if "manifests" in manifest:
        return []
    digests = [layer["digest"] for layer in manifest["layers"]]
    layers = ecr.batch_check_layer_availability(**where, layerDigests=digests)["layers"]
    return [each["layerDigest"] for each in layers if each["layerAvailability"] != "AVAILABLE"]


def check(args: ResourceValidationArgs, report: ReportViolation) -> None:
    """Report each image of a resource that is not whole."""
    for text in strings(args.props):
        for image in IMAGE.finditer(text):
            missing = missing_layers(image)
            if missing:
                report(f"{image[0]} is not whole: {', '.join(missing)}", args.urn)


PolicyPack(
    "naive",
    [
        ResourceValidationPolicy(
            "ecr-layers-exist",
            "Every layer of every Amazon ECR image exists.",
            check,
            EnforcementLevel.MANDATORY,
        )
    ],
)
