"""Amazon SageMaker: the instance types of jobs, of trainings and of what a model supports."""

from __future__ import annotations

from layerguard.discovery.path import Leaf
from layerguard.discovery.platforms.inputs import elements, of_instances
from layerguard.discovery.tree import Mark, Tree, member, reach
from layerguard.platform import Platform

_CLUSTER = ("clusterConfig", "instanceType")
_INSTANCE_TYPES_OF_JOBS = (
    ("jobResources", *_CLUSTER),
    ("processingResources", *_CLUSTER),
    ("monitoringScheduleConfig", "monitoringJobDefinition", "monitoringResources", *_CLUSTER),
)


def sagemaker_job(leaf: Leaf) -> Platform | None:
    """Linux on the architecture of the job's instance type: arm64 for Graviton, or amd64."""
    return of_instances(*(reach(leaf.root, *keys) for keys in _INSTANCE_TYPES_OF_JOBS))


def sagemaker_step(leaf: Leaf) -> Platform | None:
    """Linux on the architecture of the step's instance type: arm64 for Graviton, or amd64."""
    processing = reach(leaf.nearest("ProcessingResources"), "ClusterConfig", "InstanceType")
    return sagemaker_training(leaf) if processing is None else of_instances(processing)


def sagemaker_supported(leaf: Leaf) -> Platform | None:
    """Linux on the one architecture of all the supported instance types, where there is one."""
    keys = (
        ("supportedTrainingInstanceTypes",)
        if leaf.keys[-1] in ("trainingImage", "TrainingImage")
        else ("supportedRealtimeInferenceInstanceTypes", "supportedTransformInstanceTypes")
    )
    return leaf.once(of_instances, *map(leaf.nearest, keys))


def sagemaker_training(leaf: Leaf) -> Platform | None:
    """Linux on the architecture of the training's instances: arm64 for Graviton, or amd64."""
    keys = ("resourceConfig", "hyperParameterTuningResourceConfig")
    return leaf.once(_of_resources, *map(leaf.nearest, keys))


def _of_resources(*resources: Tree) -> Platform | None:
    single = [member(each, "instanceType") for each in resources]
    groups = [
        member(group, "instanceType") or Mark.UNKNOWN  # a group without a type leaves it open
        for each in resources
        for key in ("instanceGroups", "instanceConfigs")
        for group in elements(member(each, key))
    ]
    return of_instances([*single, *groups])


def sagemaker_variant(leaf: Leaf) -> Platform | None:
    """Linux on the architecture of the specification's own instance type; undecided without one."""
    kind = leaf.nearest("instanceType")
    return None if kind is None else of_instances(kind)
