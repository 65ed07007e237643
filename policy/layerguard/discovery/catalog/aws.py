"""Rows of the classic AWS provider (pulumi-aws)."""

from layerguard.discovery import platforms
from layerguard.discovery.catalog.row import Row
from layerguard.discovery.catalog.shapes import BATCH_ECS, BATCH_EKS

_APP_RUNNER = "aws:apprunner/service:Service"
_BATCH = "aws:batch/jobDefinition:JobDefinition"
_ECS = "aws:ecs/taskDefinition:TaskDefinition"
_LAMBDA = "aws:lambda/function:Function"
_NODES = "nodeProperties:json.nodeRangeProperties[]"

# fmt: off
ROWS = (
    #   resource type  property path                                                    platform
    Row(_APP_RUNNER,   "sourceConfiguration.imageRepository.imageIdentifier",           platforms.linux_amd64),
    Row(_BATCH,        "containerProperties:json.image",                                platforms.batch_job),
    Row(_BATCH,        f"ecsProperties:json.{BATCH_ECS}",                               platforms.batch_job),
    *(Row(_BATCH,      f"eksProperties.{path}",                                         platforms.undecided) for path in BATCH_EKS),
    Row(_BATCH,        f"{_NODES}.container.image",                                     platforms.batch_job),
    Row(_BATCH,        f"{_NODES}.ecsProperties.{BATCH_ECS}",                           platforms.batch_job),
    *(Row(_BATCH,      f"{_NODES}.eksProperties.{path}",                                platforms.undecided) for path in BATCH_EKS),
    Row(_ECS,          "containerDefinitions:json[].image",                             platforms.ecs_task),
    Row(_LAMBDA,       "imageUri",                                                      platforms.lambda_function),
)
# fmt: on
