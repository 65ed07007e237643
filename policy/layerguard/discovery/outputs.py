"""The outputs of a resource in place of inputs that it does not have."""

from __future__ import annotations

from typing import Any

from layerguard.discovery.tree import Tree

_STATUS = "status"


def are_declared(inputs: object) -> bool:
    """Tell whether ``inputs`` say what a resource is; of one that is only read they are empty.

    A region, which is the provider's, and what Pulumi keeps for itself say nothing.
    """
    if not isinstance(inputs, dict):
        return True
    return any(name != "region" and not name.startswith("__") for name in inputs)


def as_inputs(resource_type: str, outputs: Tree) -> dict[str, Tree]:
    """Return what a program would have declared: the ``outputs`` without what was never set.

    A provider's empty text stands for no value. What Pulumi keeps for itself begins with two
    underscores, and the ``status`` of Kubernetes is what a cluster reports of an object.
    """
    result: list[Tree] = [None]
    ahead: list[tuple[Tree, Any, Any]] = [(outputs, result, 0)]
    while ahead:
        value, container, key = ahead.pop()
        if isinstance(value, dict):
            members = {name: each for name, each in value.items() if each != ""}
            container[key] = members
            ahead += ((each, members, name) for name, each in members.items())
        elif isinstance(value, list):
            elements = container[key] = list(value)
            ahead += ((each, elements, position) for position, each in enumerate(value))
    declared = result[0] if isinstance(result[0], dict) else {}
    is_kubernetes = resource_type.startswith("kubernetes:")
    return {
        name: each
        for name, each in declared.items()
        if not name.startswith("__") and not (is_kubernetes and name == _STATUS)
    }
