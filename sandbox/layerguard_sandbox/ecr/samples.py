"""The images that a sandbox is filled with: those of the sample stack, a small shop."""

from dataclasses import dataclass

from layerguard_sandbox.ecr.images import docker_image, image_index, oci_image
from layerguard_sandbox.ecr.registry import Pushed
from layerguard_sandbox.ecr.server import SandboxEcr

TAG = "1.4.2"


@dataclass(frozen=True, slots=True)
class Samples:
    """The sample images as pushed.

    `web` is an index for linux/amd64 and linux/arm64 with an attestation of each, as buildx builds
    by default; `worker` is a Docker v2 image, and `report` an OCI image, both for linux/amd64.
    """

    web: Pushed
    worker: Pushed
    report: Pushed


def fill(ecr: SandboxEcr, account: str = "123456789012", region: str = "eu-west-1") -> Samples:
    """Push the sample images into one registry."""
    registry = ecr.registry(account, region)
    web = image_index([oci_image("web", "amd64"), oci_image("web", "arm64")], attestations=True)
    return Samples(
        web=registry.push("shop/web", web, tag=TAG),
        worker=registry.push("shop/worker", docker_image("worker", layers=4), tag=TAG),
        report=registry.push("shop/report", oci_image("report"), tag=TAG),
    )
