"""What Terraform's providers call the catalog's resource types, and what only they have."""

from __future__ import annotations

from layerguard.discovery.catalog.row import carrier, document, manifest, not_pulled
from layerguard.discovery.terraform_names import snake_case

HELM_RELEASE = "helm_release"

# A resource type that Pulumi's own providers do not have goes by Terraform's name.
# fmt: off
ROWS = (
    document(HELM_RELEASE,          "values[]"),
    not_pulled(HELM_RELEASE,        "chart"),
    manifest("kubectl_manifest",    "yamlBody:yaml"),
    manifest("kubernetes_manifest", "manifest"),
    carrier("terraform_data",       "input"),
    # What the provider itself writes of the manifest
    not_pulled("kubectl_manifest",  "yamlBodyParsed"),
    not_pulled("kubernetes_manifest", "object"),
)
# fmt: on

_BRIDGED = ("aws", "docker", "nomad")
# Pulumi's own resource in a package that is otherwise bridged.
_PULUMIS_OWN = ("docker:index/image:Image",)
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


def terraform_types(resource_type: str) -> tuple[str, ...]:
    """Return what Terraform's provider calls resources of a type of the catalog, if it has any."""
    package, _, rest = resource_type.partition(":")
    module, _, name = rest.partition(":")
    service = module.partition("/")[0].lower()
    if not rest:
        return (resource_type,)
    if resource_type in _IRREGULAR:
        return (_IRREGULAR[resource_type],)
    if package not in _BRIDGED or resource_type in _PULUMIS_OWN:
        return _KUBERNETES.get(resource_type, ())
    words = (package, *(() if service == "index" else (service,)), snake_case(name))
    return ("_".join(words),)
