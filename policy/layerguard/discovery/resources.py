"""The discovered: what the resources of a run bring, as they come up and when all are there."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from layerguard.discovery import ImageUse, discover
from layerguard.discovery.components import is_component
from layerguard.discovery.placement import placement
from layerguard.discovery.provider import NotKnownYet, provider_identity
from layerguard.discovery.provisions import Provision, provisions
from layerguard.discovery.resource_graph import GraphResource, ResourceGraph
from layerguard.discovery.tree import Tree, plain
from layerguard.verdict import Code, Verdict


class EngineProvider(Protocol):
    """What the policy SDK says of the provider of a resource."""

    @property
    def resource_type(self) -> str:
        """Its type token."""

    @property
    def props(self) -> Mapping[str, object]:
        """Its inputs."""


class EngineResource(Protocol):
    """What the policy SDK says of a resource that comes up."""

    @property
    def urn(self) -> str:
        """The name of the resource."""

    @property
    def resource_type(self) -> str:
        """Its type token."""

    @property
    def props(self) -> Mapping[str, object]:
        """Its inputs, or its outputs where only these are there."""

    @property
    def provider(self) -> EngineProvider | None:
        """The provider that makes it; a component has none."""


class EngineStackResource(EngineResource, GraphResource, Protocol):
    """What the policy SDK says of a resource when the whole stack is there."""


@dataclass(frozen=True, slots=True)
class DiscoveredResource:
    """What one resource brings: the images that it uses, and what it puts into ECR."""

    uses: tuple[ImageUse, ...]
    provisions: tuple[Provision, ...] = ()
    component: bool = False


class DiscoveredResources:
    """Keeps what each resource brings. Safe to use from many threads.

    ``sentinels`` are the strings that stand for unknown values, ``environment`` has the region of
    providers that do not say one.
    """

    def __init__(self, sentinels: Collection[str], environment: Mapping[str, str]) -> None:
        self._sentinels = sentinels
        self._environment = environment
        self._lock = threading.Lock()
        self._seen: dict[str, DiscoveredResource] = {}

    def see(self, resource: EngineResource) -> DiscoveredResource:
        """Read a resource. A bug in reading one is an image use of its own: it stops nobody."""
        try:
            seen = self._read(resource)
        except Exception as error:
            kind = resource.resource_type
            verdict = Verdict(
                Code.INTERNAL_ERROR,
                f"This is a bug of Layerguard, in reading a {kind}: "
                f"{type(error).__name__}: {error}",
            )
            use = ImageUse(resource.urn, kind, "(all inputs)", None, None, verdict, None)
            seen = DiscoveredResource((use,))
        with self._lock:
            self._seen[resource.urn] = seen
        return seen

    @property
    def uses(self) -> tuple[ImageUse, ...]:
        """Every image use seen so far."""
        with self._lock:
            return tuple(use for seen in self._seen.values() for use in seen.uses)

    @property
    def provisions(self) -> tuple[Provision, ...]:
        """Everything seen so far that the stack puts into ECR."""
        with self._lock:
            return tuple(each for seen in self._seen.values() for each in seen.provisions)

    def of_stack(
        self, resources: Iterable[EngineStackResource], *, read_unseen: bool
    ) -> DiscoveredStack:
        """Return what the resources of the whole stack bring.

        The inputs that were seen as each came up count. A resource that was not seen (its policy
        is disabled, or it is no target of this update) is read from the stack, if wanted.
        """
        resources = tuple(resources)
        found: dict[str, DiscoveredResource] = {}
        for resource in resources:
            seen = self._seen.get(resource.urn)
            if seen is None and read_unseen:
                seen = self.see(resource)
            found[resource.urn] = seen or DiscoveredResource(())
        return DiscoveredStack(found, ResourceGraph(resources))

    def _read(self, resource: EngineResource) -> DiscoveredResource:
        urn, kind, inputs = resource.urn, resource.resource_type, resource.props
        provider = resource.provider
        made_by = plain(provider.props if provider else None, self._sentinels)
        here = placement(made_by, self._environment)
        uses = discover(urn, kind, inputs, self._sentinels, here)
        if uses and provider:
            uses = _asked_as(uses, provider.resource_type, made_by)
        return DiscoveredResource(
            uses,
            provisions(urn, kind, inputs, self._sentinels, here),
            is_component(kind, has_provider=provider is not None),
        )


def _asked_as(
    uses: tuple[ImageUse, ...], provider_type: str, provider: Tree
) -> tuple[ImageUse, ...]:
    """Return ``uses`` to be asked about as their resource's provider does everything else."""
    try:
        identity = provider_identity(provider_type, provider)
    except NotKnownYet:
        unknown = Verdict(
            Code.UNKNOWN_IN_PREVIEW,
            "The credentials of the resource's provider are outputs of a resource that does not "
            "exist yet, so nobody can be asked as this provider.",
            "nothing to do: the image is checked during the update, before its resource is "
            "created.",
        )
        return tuple(replace(use, identity_unknown=unknown) for use in uses)
    return tuple(replace(use, identity=identity) for use in uses)


@dataclass(frozen=True)
class DiscoveredStack:
    """What the resources of a whole stack bring, and what connects them."""

    seen: Mapping[str, DiscoveredResource]
    graph: ResourceGraph

    def uses(self) -> Iterator[ImageUse]:
        """Yield every use once: a component's only where none of its children has the image."""
        for urn, seen in self.seen.items():
            below = self._targets_below(urn) if seen.component and seen.uses else set()
            yield from (use for use in seen.uses if use.target not in below)

    def is_component(self, urn: str) -> bool:
        """Tell whether a resource groups others."""
        return self.seen[urn].component

    def _targets_below(self, urn: str) -> set[object]:
        return {
            use.target for child in self.graph.descendants(urn) for use in self.seen[child].uses
        }
