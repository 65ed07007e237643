"""The registry: what checking asks of ECR, and how it is asked.

``Registry`` is the seam: the pack and the command line use ``ecr.Ecr`` behind it, the tests of
logic a fake. Only this package imports boto3 and botocore, and only when the first question is
asked; what asks is imported from ``ecr`` and ``clients`` by name, because the gates do not need it.
"""

from layerguard.registry.answers import (
    Availability,
    ImageAnswer,
    ImageListing,
    LayerAnswer,
    ListedImage,
    Registry,
    RegistryError,
    RepositoryNames,
)
from layerguard.registry.permissions import ACTIONS, PERMISSIONS

__all__ = [
    "ACTIONS",
    "PERMISSIONS",
    "Availability",
    "ImageAnswer",
    "ImageListing",
    "LayerAnswer",
    "ListedImage",
    "Registry",
    "RegistryError",
    "RepositoryNames",
]
