"""The registry: what inspection asks of ECR, and how it is asked.

``Registry`` is the seam: the pack and the command line use ``ecr.Ecr`` behind it, the tests of
logic a fake. Only this package imports boto3, and only when the first question is asked.
"""

from layerguard.registry.answers import Availability, ImageAnswer, LayerAnswer, Registry
from layerguard.registry.ecr import Ecr
from layerguard.registry.identity import OrdinaryChain
from layerguard.registry.permissions import ACTIONS, PERMISSIONS

__all__ = [
    "ACTIONS",
    "PERMISSIONS",
    "Availability",
    "Ecr",
    "ImageAnswer",
    "LayerAnswer",
    "OrdinaryChain",
    "Registry",
]
