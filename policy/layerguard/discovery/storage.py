"""How much room the images of a task have where it runs, in GiB.

Source: Amazon ECS developer guide, "Fargate task ephemeral storage"; AWS Batch API reference,
"EphemeralStorage". On AWS Fargate an image is there compressed and uncompressed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from layerguard.discovery.path import Leaf
from layerguard.discovery.platforms.inputs import strings
from layerguard.discovery.tree import Tree, member

StorageRule: TypeAlias = Callable[[Leaf], "float | None"]

_DEFAULT_GIB = 20.0


def unknown(_leaf: Leaf) -> float | None:
    """Nothing says it."""
    return None


def fargate(leaf: Leaf) -> float | None:
    """The task's ephemeral storage, 20 GiB unless it has more."""
    return leaf.once(_size, leaf.nearest("ephemeralStorage"))


def ecs_task(leaf: Leaf) -> float | None:
    """That of AWS Fargate where the task runs nowhere else."""
    return _where_only_fargate(leaf, "requiresCompatibilities")


def batch_job(leaf: Leaf) -> float | None:
    """That of AWS Fargate where the job runs nowhere else."""
    return _where_only_fargate(leaf, "platformCapabilities")


def _where_only_fargate(leaf: Leaf, key: str) -> float | None:
    runs_on = leaf.once(strings, member(leaf.root, key))
    return fargate(leaf) if runs_on == {"FARGATE"} else None


def _size(storage: Tree) -> float | None:
    if storage is None:
        return _DEFAULT_GIB
    size = member(storage, "sizeInGib") or member(storage, "sizeInGiB")
    try:
        return float(size) if isinstance(size, (str, int, float)) else None
    except ValueError:
        return None
