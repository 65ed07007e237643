"""The other type tokens under which resources of the catalog's types come.

A Terraform provider's resource comes in four ways: bridged by Pulumi with a name of its own
(``aws:ecs/taskDefinition:TaskDefinition``, the catalog's), bridged while the program runs
(``aws:index/ecsTaskDefinition:EcsTaskDefinition``), in a Terraform state that Pulumi Cloud keeps
(``pulumi:terraform:aws_ecs_task_definition``), and in a Terraform module
(``MODULE:tf:aws_ecs_task_definition``, where any package is the module).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from layerguard.discovery.catalog import ROWS
from layerguard.discovery.catalog.terraform import HELM_RELEASE, terraform_types
from layerguard.discovery.helm_release import with_merged_values
from layerguard.discovery.provisions import REPOSITORY_NAMES
from layerguard.discovery.terraform_names import in_terraforms_spelling
from layerguard.discovery.tree import Tree

_TERRAFORM_MODULES = ("terraform", "tf")


def as_in_catalog(resource_type: str, inputs: Tree) -> tuple[str, Tree]:
    """Return the catalog's type for resources that come as ``resource_type``, and their inputs.

    A type of which the catalog has no other spelling, or nothing at all, costs one look into a
    table, and its inputs are as they were.
    """
    known = spellings().get(terraform_type(resource_type) or resource_type)
    if known is None:
        return resource_type, inputs
    inputs = in_terraforms_spelling(inputs)
    return known, with_merged_values(inputs) if known == HELM_RELEASE else inputs


def terraform_type(resource_type: str) -> str:
    """Return Terraform's own name in a token that has one; otherwise an empty string."""
    package, _, rest = resource_type.partition(":")
    module, _, name = rest.partition(":")
    return name if package and module in _TERRAFORM_MODULES else ""


def bridged_token(terraform_type: str) -> str:
    """Return the type token of a Terraform resource that is bridged while a program runs."""
    package, _, name = terraform_type.partition("_")
    pascal = "".join(word.capitalize() for word in name.split("_"))
    return f"{package}:index/{pascal[:1].lower()}{pascal[1:]}:{pascal}"


@cache
def spellings() -> Mapping[str, str]:
    """Return the catalog's type by each other token, Terraform's names without what is before."""
    own = {*(row.resource_type for row in ROWS), *REPOSITORY_NAMES}
    return dict(_spellings(own))


def _spellings(own: set[str]) -> Iterator[tuple[str, str]]:
    for resource_type in own:
        for each in terraform_types(resource_type):
            yield each, resource_type
            bridged = bridged_token(each)
            if bridged not in own or bridged == resource_type:
                yield bridged, resource_type
