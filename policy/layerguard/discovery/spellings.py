"""The other type tokens under which the catalog's resource types come, each with what it stands for.

A Terraform provider's resource comes in four ways: bridged by Pulumi with a name of its own
(``aws:ecs/taskDefinition:TaskDefinition``, the catalog's), bridged while the program runs
(``aws:index/ecsTaskDefinition:EcsTaskDefinition``), in a Terraform state that Pulumi Cloud keeps
(``pulumi:terraform:aws_ecs_task_definition``), and in a Terraform module
(``MODULE:tf:aws_ecs_task_definition``, where any package is the module).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

from layerguard.discovery.catalog import ROWS
from layerguard.discovery.helm_release import with_merged_values
from layerguard.discovery.provisions import REPOSITORY_NAMES
from layerguard.discovery.terraform import in_terraforms_spelling, snake_case
from layerguard.discovery.tree import Tree

_BRIDGED = ("aws", "docker", "helm", "kubectl", "kubernetes", "nomad")
"""The packages of the catalog whose resources are those of a Terraform provider of that name."""

_HELM_RELEASE = "helm:index/release:Release"
_TERRAFORM_MODULES = ("terraform", "tf")

# The names that no rule gives. Source: pulumi-aws and pulumi-docker, ``provider/resources.go``.
_IRREGULAR = {
    "aws:bedrock/agentcoreAgentRuntime:AgentcoreAgentRuntime":     "aws_bedrockagentcore_agent_runtime",
    "aws:bedrock/agentcoreHarness:AgentcoreHarness":               "aws_bedrockagentcore_harness",
    "aws:cloudcontrol/resource:Resource":                          "aws_cloudcontrolapi_resource",
    "aws:codepipeline/pipeline:Pipeline":                          "aws_codepipeline",
    "aws:ec2/instance:Instance":                                   "aws_instance",
    "aws:ec2/launchConfiguration:LaunchConfiguration":             "aws_launch_configuration",
    "aws:ec2/launchTemplate:LaunchTemplate":                       "aws_launch_template",
    "aws:ec2/spotFleetRequest:SpotFleetRequest":                   "aws_spot_fleet_request",
    "aws:ec2/spotInstanceRequest:SpotInstanceRequest":             "aws_spot_instance_request",
    "aws:serverlessrepository/cloudFormationStack:CloudFormationStack": "aws_serverlessapplicationrepository_cloudformation_stack",
    "docker:index/remoteImage:RemoteImage":                        "docker_image",
}  # fmt: skip
# Kinds of Kubernetes: what Terraform's provider has, with the name of the version or without it.
# Source: its documentation, "Versioned resource names".
_KUBERNETES = {
    "kubernetes:apps/v1:DaemonSet":             ("kubernetes_daemon_set_v1", "kubernetes_daemonset"),
    "kubernetes:apps/v1:Deployment":            ("kubernetes_deployment_v1", "kubernetes_deployment"),
    "kubernetes:apps/v1:StatefulSet":           ("kubernetes_stateful_set_v1", "kubernetes_stateful_set"),
    "kubernetes:batch/v1:CronJob":              ("kubernetes_cron_job_v1", "kubernetes_cron_job"),
    "kubernetes:batch/v1:Job":                  ("kubernetes_job_v1", "kubernetes_job"),
    "kubernetes:core/v1:ConfigMap":             ("kubernetes_config_map_v1", "kubernetes_config_map", "kubernetes_config_map_v1_data"),
    "kubernetes:core/v1:Pod":                   ("kubernetes_pod_v1", "kubernetes_pod"),
    "kubernetes:core/v1:ReplicationController": ("kubernetes_replication_controller_v1", "kubernetes_replication_controller"),
    "kubernetes:core/v1:Secret":                ("kubernetes_secret_v1", "kubernetes_secret", "kubernetes_secret_v1_data"),
}  # fmt: skip
# Pulumi's own resources in packages that are otherwise bridged.
_PULUMIS_OWN = ("docker:index/image:Image",)


def as_in_catalog(resource_type: str, inputs: Tree) -> tuple[str, Tree]:
    """Return the catalog's type for resources that come as ``resource_type``, and their inputs.

    A type of which the catalog has no other spelling, or nothing at all, costs one look into a
    table, and its inputs are as they were.
    """
    known = _table().get(terraform_type(resource_type) or resource_type)
    if known is None:
        return resource_type, inputs
    inputs = in_terraforms_spelling(inputs)
    return known, with_merged_values(inputs) if known == _HELM_RELEASE else inputs


def terraform_type(resource_type: str) -> str:
    """Return Terraform's own name in a token that has one; otherwise an empty string."""
    package, _, rest = resource_type.partition(":")
    module, _, name = rest.partition(":")
    return name if package and module in _TERRAFORM_MODULES else ""


def terraform_types(resource_type: str) -> tuple[str, ...]:
    """Return what Terraform's provider calls resources of a type of the catalog, if it has any."""
    package, module, name = _parts(resource_type)
    if package not in _BRIDGED or resource_type in _PULUMIS_OWN:
        return ()
    if resource_type in _IRREGULAR:
        return (_IRREGULAR[resource_type],)
    if package == "kubernetes" and module != "index":
        return _KUBERNETES.get(resource_type, ())
    service = () if module == "index" else (module.lower(),)
    return ("_".join((package, *service, snake_case(name))),)


def bridged_token(terraform_type: str) -> str:
    """Return the type token of a Terraform resource that is bridged while a program runs."""
    package, _, name = terraform_type.partition("_")
    pascal = "".join(word.capitalize() for word in name.split("_"))
    return f"{package}:index/{pascal[:1].lower()}{pascal[1:]}:{pascal}"


def _parts(resource_type: str) -> tuple[str, str, str]:
    """Return the package, the module without the file in it, and the name."""
    package, _, rest = resource_type.partition(":")
    module, _, name = rest.rpartition(":")
    return package, module.partition("/")[0], re.sub("^[A-Z]", lambda first: first[0].lower(), name)


@cache
def _table() -> Mapping[str, str]:
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
