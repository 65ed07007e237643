"""Component resources: their children, and not they, are what the stack makes."""

from __future__ import annotations

from layerguard.discovery.spellings import terraform_type

# Their resources belong to a provider; a component of theirs is named below.
_PROVIDERS = (
    "aws",
    "aws-native",
    "docker",
    "docker-build",
    "helm",
    "kubectl",
    "kubernetes",
    "nomad",
)
_COMPONENT_PACKAGES = ("awsx", "eks")
_COMPONENT_MODULES = ("kubernetes:helm.sh/v4", "kubernetes:kustomize/v2", "kubernetes:yaml/v2")


def is_component(resource_type: str, *, has_provider: bool) -> bool:
    """Tell whether a resource of this type groups others instead of being made itself.

    The engine does not say it; a resource without a provider is one, unless its type belongs to a
    provider whose resources are known.
    """
    package = resource_type.partition(":")[0]
    module = resource_type.rpartition(":")[0]
    if package in _COMPONENT_PACKAGES or module in _COMPONENT_MODULES:
        return True
    if terraform_type(resource_type):
        return False
    return not has_provider and package not in _PROVIDERS
