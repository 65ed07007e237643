"""Rows of the providers around them: docker, docker-build, awsx, eks, nomad."""

from layerguard.discovery import pull_rules, runtimes, split_references, storage
from layerguard.discovery.catalog.row import Row, carrier, document, not_pulled, optional, push
from layerguard.discovery.platforms.aws_services import ec2_task, fargate_task
from layerguard.discovery.platforms.docker import (
    docker_build,
    docker_classic_build,
    docker_host,
    swarm,
)
from layerguard.discovery.platforms.rule import undecided

_BUILD = "docker-build:index:Image"
_CONTAINERS = ("container.image", "containers{*}.image")
_INDEX = "docker-build:index:Index"
_NOMAD = "nomad:index/job:Job"
_REGISTRY_IMAGE = "docker:index/registryImage:RegistryImage"
_REMOTE_IMAGE = "docker:index/remoteImage:RemoteImage"

# fmt: off
ROWS = (
    # An image that a runtime pulls: resource type, property path, platform, runtime, how it is read
    *(Row("awsx:ecs:EC2Service",           f"taskDefinitionArgs.{path}",                           ec2_task)     for path in _CONTAINERS),
    *(Row("awsx:ecs:EC2TaskDefinition",     path,                                                  ec2_task)     for path in _CONTAINERS),
    *(Row("awsx:ecs:FargateService",       f"taskDefinitionArgs.{path}",                           fargate_task, runtimes.ECS, storage=storage.fargate) for path in _CONTAINERS),
    *(Row("awsx:ecs:FargateTaskDefinition", path,                                                  fargate_task, runtimes.ECS, storage=storage.fargate) for path in _CONTAINERS),
    Row("docker:index/buildxBuilder:BuildxBuilder", "dockerContainer.image",                       undecided),
    Row("docker:index/buildxBuilder:BuildxBuilder", "kubernetes.image",                            undecided),
    Row("docker:index/buildxBuilder:BuildxBuilder", "kubernetes.qemu.image",                       undecided),
    Row("docker:index/container:Container", "image",                                               docker_host,  runtimes.ANY, split_references.unless_local),
    Row("docker:index/plugin:Plugin",       "name",                                                undecided),
    Row(_REGISTRY_IMAGE,                    "build.additionalContexts[]:context",                  docker_classic_build),
    Row(_REMOTE_IMAGE,                      "name",                                                docker_host,  runtimes.ANY, split_references.unless_built),
    Row(_REMOTE_IMAGE,                      "build.additionalContexts[]:context",                  docker_classic_build),
    Row("docker:index/service:Service",     "taskSpec.containerSpec.image",                        swarm, pull=pull_rules.swarm),
    Row(_BUILD,                             "context.named{*}.location",                           docker_build, runtimes.ANY, split_references.build_context),
    Row(_BUILD,                             "dockerfile.inline:dockerfile[].image",                docker_build),
    Row(_INDEX,                             "sources[]",                                           undecided),
    Row(_NOMAD,                             "jobspec:nomad.image{*}",                              undecided,  runtimes.ANY, split_references.nomad_image),
    Row(_NOMAD,                             "jobspec:nomad.Job.TaskGroups[].Tasks[].Config.image", undecided,  runtimes.ANY, split_references.nomad_image),
    Row(_NOMAD,                             "jobspec:nomad.TaskGroups[].Tasks[].Config.image",     undecided,  runtimes.ANY, split_references.nomad_image),

    # A cache: it may be absent
    optional("awsx:ecr:Image",             "cacheFrom[]"),
    optional(_REGISTRY_IMAGE,              "build.cacheFroms[]:cache"),
    optional(_REMOTE_IMAGE,                "build.cacheFroms[]:cache"),
    optional("docker:index/image:Image",   "build.cacheFrom.images[]"),
    optional(_BUILD,                       "cacheFrom[].raw:cache"),
    optional(_BUILD,                       "cacheFrom[].registry.ref"),

    # Values that a Dockerfile's FROM may use
    document("awsx:ecr:Image",           "args"),
    document("docker:index/image:Image", "build.args"),
    document(_BUILD,                     "buildArgs"),

    # User data of machines
    document("eks:index:Cluster",          "nodeGroupOptions.nodeUserData:user-data"),
    document("eks:index:Cluster",          "nodeGroupOptions.nodeUserDataOverride:user-data"),
    document("eks:index:Cluster",          "nodeUserData:user-data"),
    document("eks:index:ManagedNodeGroup", "userData:user-data"),
    document("eks:index:NodeGroup",        "nodeUserData:user-data"),
    document("eks:index:NodeGroup",        "nodeUserDataOverride:user-data"),
    document("eks:index:NodeGroupV2",      "nodeUserData:user-data"),
    document("eks:index:NodeGroupV2",      "nodeUserDataOverride:user-data"),

    # Values that are handed on: only a warning
    carrier(_NOMAD, "jobspec:nomad"),

    # An image that the resource writes
    push("awsx:ecr:Image",             "repositoryUrl"),
    push("awsx:ecr:RegistryImage",     "repositoryUrl"),
    push("docker:index/image:Image",   "imageName"),
    push(_REGISTRY_IMAGE,              "name"),
    push(_REGISTRY_IMAGE,              "build.cacheTos[]:cache"),
    push(_REGISTRY_IMAGE,              "build.tags[]"),
    push(_REMOTE_IMAGE,                "build.cacheTos[]:cache"),
    push(_REMOTE_IMAGE,                "build.tags[]"),
    push(_BUILD,                       "cacheTo[].raw:cache"),
    push(_BUILD,                       "cacheTo[].registry.ref"),
    push(_BUILD,                       "exports[].docker.names[]"),
    push(_BUILD,                       "exports[].image.names[]"),
    push(_BUILD,                       "exports[].raw:exporter"),
    push(_BUILD,                       "exports[].registry.names[]"),
    push(_BUILD,                       "tags[]"),
    push(_INDEX,                       "tag"),

    # No image to pull
    not_pulled("awsx:ecr:RegistryImage",   "sourceImage"),
    not_pulled("docker:index/image:Image", "registry"),
    not_pulled("docker:index/tag:Tag",     "sourceImage"),
    not_pulled("docker:index/tag:Tag",     "targetImage"),
    not_pulled(_BUILD,                     "registries"),
    not_pulled(_INDEX,                     "registry"),
)
# fmt: on
