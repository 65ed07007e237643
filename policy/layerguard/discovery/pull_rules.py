"""When a runtime pulls the image at a place: now, once something is started, or never."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from layerguard.discovery.image_use import Naming
from layerguard.discovery.path import Leaf
from layerguard.discovery.tree import Tree, member, reach

PullRule: TypeAlias = Callable[[Leaf], Naming]


def now(_leaf: Leaf) -> Naming:
    """The runtime pulls it when the resource comes up."""
    return Naming.PULLED


def pod(leaf: Leaf) -> Naming:
    """A pod's image, by its pull policy, its controller's ``replicas`` and its job's ``suspend``.

    Source: Kubernetes documentation, "Images", "Deployments" and "Suspending a Job".
    """
    # An image volume has its own name for the policy.
    if "Never" in (leaf.beside("imagePullPolicy"), leaf.beside("pullPolicy")):
        return Naming.ON_NODE
    is_dormant = _is_zero(leaf.nearest("replicas")) or leaf.nearest("suspend") is True
    return Naming.DORMANT if is_dormant else Naming.PULLED


def by_names(leaf: Leaf) -> Naming:
    """An image at a place that no row knows, by what the members around it are called.

    A pod's names count in every custom resource and component, and what charts and operators
    call ``enabled``. Source: Helm documentation, "Tags and Condition fields in dependencies".
    """
    is_disabled = any(member(each, "enabled") is False for each in leaf.ancestors)
    is_dormant = is_disabled or _is_zero(leaf.nearest("replicaCount"))
    return Naming.DORMANT if is_dormant else pod(leaf)


def swarm(leaf: Leaf) -> Naming:
    """A service's image, by the number of its replicas."""
    replicas = reach(leaf.root, "mode", "replicated", "replicas")
    return Naming.DORMANT if _is_zero(replicas) else Naming.PULLED


def _is_zero(value: Tree) -> bool:
    # Terraform's provider for Kubernetes has the number of replicas as a text.
    return (type(value) in (int, float) and value == 0) or value == "0"
