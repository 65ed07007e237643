"""The images that a sandbox is filled with: three builds of a small shop."""

from dataclasses import dataclass

from sandbox.ecr.images import docker_image, image_index, oci_image
from sandbox.ecr.registry import Pushed
from sandbox.ecr.server import SandboxEcr


@dataclass(frozen=True, slots=True)
class Samples:
    """The sample images as pushed.

    `api` is an index for linux/amd64 and linux/arm64 with an attestation of each, as buildx builds
    by default; `worker` is a Docker v2 image, and `web` an OCI image, both for linux/amd64.
    """

    api: Pushed
    worker: Pushed
    web: Pushed


def fill(ecr: SandboxEcr, account: str = "123456789012", region: str = "eu-west-1") -> Samples:
    """Push the sample images into one registry."""
    registry = ecr.registry(account, region)
    api = image_index([oci_image("api", "amd64"), oci_image("api", "arm64")], attestations=True)
    return Samples(
        api=registry.push("shop/api", api, tag="1.4"),
        worker=registry.push("shop/worker", docker_image("worker", layers=4), tag="2.0"),
        web=registry.push("shop/web", oci_image("web"), tag="7"),
    )
