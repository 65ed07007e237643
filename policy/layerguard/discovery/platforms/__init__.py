"""Which platform a runtime will pull, read from the resource around the image.

A rule gets the leaf where the image stands and returns the platform, or None where the resource
does not decide it (then every runnable platform of the image is checked).
Source of the rules: the ``platform`` column of the project's catalog of image properties, made
from the providers' schemas and the AWS and Kubernetes documentation.
"""

from layerguard.discovery.platforms.aws import (
    agent_core,
    batch_job,
    batch_node,
    beanstalk_build,
    code_build,
    ec2_task,
    ecs_task,
    emr_serverless,
    fargate_task,
    greengrass,
    lambda_function,
    spark,
)
from layerguard.discovery.platforms.builds import (
    docker_build,
    docker_classic_build,
    docker_host,
    nomad,
    swarm,
)
from layerguard.discovery.platforms.pods import (
    pod,
)
from layerguard.discovery.platforms.rule import (
    PlatformRule,
    Presumed,
    linux_amd64,
    undecided,
    words,
)
from layerguard.discovery.platforms.sagemaker import (
    sagemaker_job,
    sagemaker_step,
    sagemaker_supported,
    sagemaker_training,
    sagemaker_variant,
)

__all__ = [
    "PlatformRule",
    "Presumed",
    "agent_core",
    "batch_job",
    "batch_node",
    "beanstalk_build",
    "code_build",
    "docker_build",
    "docker_classic_build",
    "docker_host",
    "ec2_task",
    "ecs_task",
    "emr_serverless",
    "fargate_task",
    "greengrass",
    "lambda_function",
    "linux_amd64",
    "nomad",
    "pod",
    "sagemaker_job",
    "sagemaker_step",
    "sagemaker_supported",
    "sagemaker_training",
    "sagemaker_variant",
    "spark",
    "swarm",
    "undecided",
    "words",
]
