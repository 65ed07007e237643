"""Rows of the AWS Cloud Control provider (pulumi-aws-native)."""

from layerguard.discovery import platforms
from layerguard.discovery.catalog.row import Row
from layerguard.discovery.catalog.shapes import BATCH_ECS, BATCH_EKS

_APP_RUNNER = "aws-native:apprunner:Service"
_BATCH = "aws-native:batch:JobDefinition"
_ECS = "aws-native:ecs:TaskDefinition"
_LAMBDA = "aws-native:lambda:Function"
_NODES = "nodeProperties.nodeRangeProperties[]"

# fmt: off
ROWS = (
    #   resource type  property path                                                    platform
    Row(_APP_RUNNER,   "sourceConfiguration.imageRepository.imageIdentifier",           platforms.linux_amd64),
    Row(_BATCH,        "containerProperties.image",                                     platforms.batch_job),
    Row(_BATCH,        f"ecsProperties.{BATCH_ECS}",                                    platforms.batch_job),
    *(Row(_BATCH,      f"eksProperties.{path}",                                         platforms.undecided) for path in BATCH_EKS),
    Row(_BATCH,        f"{_NODES}.container.image",                                     platforms.batch_job),
    Row(_BATCH,        f"{_NODES}.ecsProperties.{BATCH_ECS}",                           platforms.batch_job),
    *(Row(_BATCH,      f"{_NODES}.eksProperties.{path}",                                platforms.undecided) for path in BATCH_EKS),
    Row(_ECS,          "containerDefinitions[].image",                                  platforms.ecs_task),
    Row(_LAMBDA,       "code.imageUri",                                                 platforms.lambda_function),
)
# fmt: on
