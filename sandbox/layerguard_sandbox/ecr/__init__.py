"""A local Amazon ECR over HTTP: moto's, with the layer truth that moto lacks.

with SandboxEcr() as ecr:
    samples = fill(ecr)
    ecr.registry("123456789012", "eu-west-1").lose_layer("shop/web", samples.web.layers[0])
    subprocess.run(command, env=ecr.isolate(os.environ))
"""

from layerguard_sandbox.ecr.faults import Answer, Fault, Faults
from layerguard_sandbox.ecr.images import Image, ImageIndex, docker_image, image_index, oci_image
from layerguard_sandbox.ecr.journal import Request
from layerguard_sandbox.ecr.principals import Keys, Principals
from layerguard_sandbox.ecr.registry import Pushed, Registry
from layerguard_sandbox.ecr.samples import Samples, fill
from layerguard_sandbox.ecr.server import SandboxEcr

__all__ = [
    "Answer",
    "Fault",
    "Faults",
    "Image",
    "ImageIndex",
    "Keys",
    "Principals",
    "Pushed",
    "Registry",
    "Request",
    "Samples",
    "SandboxEcr",
    "docker_image",
    "fill",
    "image_index",
    "oci_image",
]
