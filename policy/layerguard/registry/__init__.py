"""The registry: questions to Amazon ECR, and their answers as values.

``Registry`` is the interface: ``ecr.Ecr`` implements it, and the tests of logic use a fake. Only
this package imports boto3 and botocore, and only for the first question. ``ecr`` and ``clients``
are not imported with it, because the gates do not need them.
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
