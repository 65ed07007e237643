"""Amazon SageMaker: the instance types of jobs, of trainings and of what a model supports."""

from __future__ import annotations

from layerguard.discovery.path import Leaf, find
from layerguard.discovery.platforms.inputs import elements, of_instances
from layerguard.discovery.tree import member, reach
from layerguard.platform import Platform


def sagemaker_job(leaf: Leaf) -> Platform | None:
    """Linux on the architecture of the job's instance type: arm64 for Graviton, else amd64."""
    return of_instances(
        each.value
        for path in (
            "jobResources.clusterConfig.instanceType",
            "processingResources.clusterConfig.instanceType",
            "monitoringScheduleConfig.monitoringJobDefinition"
            ".monitoringResources.clusterConfig.instanceType",
        )
        for each in find(leaf.root, path)
    )


def sagemaker_step(leaf: Leaf) -> Platform | None:
    """Linux on the architecture of the step's instance type: arm64 for Graviton, else amd64."""
    processing = reach(leaf.nearest("ProcessingResources"), "ClusterConfig", "InstanceType")
    return sagemaker_training(leaf) if processing is None else of_instances([processing])


def sagemaker_supported(leaf: Leaf) -> Platform | None:
    """Linux on the one architecture of all the supported instance types, where there is one."""
    keys = (
        ("supportedTrainingInstanceTypes",)
        if leaf.path.endswith("rainingImage")
        else ("supportedRealtimeInferenceInstanceTypes", "supportedTransformInstanceTypes")
    )
    return of_instances(each for key in keys for each in elements(leaf.nearest(key)))


def sagemaker_training(leaf: Leaf) -> Platform | None:
    """Linux on the architecture of the training's instances: arm64 for Graviton, else amd64."""
    resources = (
        leaf.nearest(key) for key in ("resourceConfig", "hyperParameterTuningResourceConfig")
    )
    known = [each for each in resources if each is not None]
    groups = [
        member(group, "instanceType")
        for each in known
        for key in ("instanceGroups", "instanceConfigs")
        for group in elements(member(each, key))
    ]
    single = (member(each, "instanceType") for each in known)
    return of_instances([*(each for each in single if each is not None), *groups])


def sagemaker_variant(leaf: Leaf) -> Platform | None:
    """Linux on the architecture of the specification's own instance type; undecided without one."""
    kind = leaf.nearest("instanceType")
    return None if kind is None else of_instances([kind])
