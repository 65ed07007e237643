"""The graph of a stack's resources: parents and dependencies, as the engine has them at the end."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Protocol

_FIRST_STEP = re.compile(r"[^.\[]+")


class GraphResource(Protocol):
    """A resource of a stack, as the policy SDK hands it over."""

    @property
    def urn(self) -> str:
        """The name of the resource."""

    @property
    def parent(self) -> GraphResource | None:
        """The component that the resource belongs to."""

    @property
    def dependencies(self) -> Sequence[GraphResource]:
        """The resources that are made before this one."""

    @property
    def property_dependencies(self) -> Mapping[str, Sequence[GraphResource]]:
        """The resources that the value of each property comes from."""


class ResourceGraph:
    """The resources of a stack and what connects them, by their URNs."""

    def __init__(self, resources: Iterable[GraphResource]) -> None:
        self._resources = {resource.urn: resource for resource in resources}

    def descendants(self, urn: str) -> frozenset[str]:
        """Return the children of a resource, their children, and so on."""
        return _reachable(urn, self._children)

    def transitive_dependencies(self, urn: str) -> frozenset[str]:
        """Return the resources that must be there before a resource is made."""
        return _reachable(urn, self._dependencies)

    def sources_of(self, urn: str, path: str) -> tuple[str, ...]:
        """Return the resources that the value of the property at ``path`` comes from."""
        resource = self._resources.get(urn)
        step = _FIRST_STEP.match(path)
        if resource is None or step is None:
            return ()
        return tuple(each.urn for each in resource.property_dependencies.get(step[0], ()))

    @cached_property
    def _children(self) -> Mapping[str, list[str]]:
        children: dict[str, list[str]] = {}
        for urn, resource in self._resources.items():
            if resource.parent:
                children.setdefault(resource.parent.urn, []).append(urn)
        return children

    @cached_property
    def _dependencies(self) -> Mapping[str, list[str]]:
        return {
            urn: [each.urn for each in resource.dependencies]
            for urn, resource in self._resources.items()
        }


def _reachable(start: str, steps: Mapping[str, list[str]]) -> frozenset[str]:
    found: set[str] = set()
    ahead = list(steps.get(start, ()))
    while ahead:
        urn = ahead.pop()
        if urn not in found:
            found.add(urn)
            ahead += steps.get(urn, ())
    return frozenset(found)
