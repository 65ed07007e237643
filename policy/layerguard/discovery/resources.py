"""What the resources of a run bring, as each comes up and when the whole stack is there."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

from layerguard import log
from layerguard.discovery.bugs import Bugs
from layerguard.discovery.components import is_component
from layerguard.discovery.image_use import ImageUse, verdict_of
from layerguard.discovery.outputs import are_declared, as_inputs
from layerguard.discovery.placement import NOWHERE, placement_of
from layerguard.discovery.provider import NotKnown, provider_identity
from layerguard.discovery.provisions import Provision, provisions, written
from layerguard.discovery.resource_graph import GraphResource, ResourceGraph
from layerguard.discovery.spellings import as_in_catalog, terraform_type
from layerguard.discovery.tree import Mark, Tree, plain
from layerguard.discovery.walker import discover
from layerguard.identity import Identity
from layerguard.reference import ImageReference
from layerguard.verdict import Code, State, Verdict, bug_in

_log = logging.getLogger("layerguard.discovery")


class EngineProvider(Protocol):
    """The provider of a resource, as the policy SDK hands it over."""

    @property
    def resource_type(self) -> str:
        """Its type token."""

    @property
    def props(self) -> Mapping[str, object]:
        """Its inputs."""


class EngineResource(Protocol):
    """A resource that comes up, as the policy SDK hands it over."""

    @property
    def urn(self) -> str:
        """The name of the resource."""

    @property
    def resource_type(self) -> str:
        """Its type token."""

    @property
    def props(self) -> Mapping[str, object]:
        """Its inputs."""

    @property
    def provider(self) -> EngineProvider | None:
        """The provider that makes it; a component has none."""


class EngineStackResource(EngineResource, GraphResource, Protocol):
    """A resource of the whole stack, as the policy SDK hands it over: ``props`` are its outputs."""


@dataclass(frozen=True, slots=True)
class _FromOutputs:
    """A resource whose outputs are read in place of its inputs."""

    resource: EngineResource
    sentinels: Collection[str]

    @property
    def urn(self) -> str:
        return self.resource.urn

    @property
    def resource_type(self) -> str:
        return self.resource.resource_type

    @property
    def props(self) -> Mapping[str, object]:
        return as_inputs(self.resource_type, plain(self.resource.props, self.sentinels))

    @property
    def provider(self) -> EngineProvider | None:
        return self.resource.provider


@dataclass(frozen=True, slots=True)
class DiscoveredResource:
    """What one resource brings: the images that it uses, and what it puts into ECR.

    One that the stack only reads has no inputs: its outputs say what it is.
    """

    uses: tuple[ImageUse, ...]
    provisions: tuple[Provision, ...] = ()
    is_component: bool = False
    is_declared: bool = True

    @property
    def is_only_read(self) -> bool:
        """Tell whether what the resource is stands in its outputs."""
        return not self.is_declared and not self.is_component

    @property
    def counts(self) -> tuple[int, int]:
        """How many uses and provisions there are."""
        return len(self.uses), len(self.provisions)


@dataclass(frozen=True, slots=True)
class DiscoveredStack:
    """What the resources of a whole stack bring, by their URNs, and what connects them."""

    resources: Mapping[str, DiscoveredResource]
    graph: ResourceGraph

    @property
    def components(self) -> frozenset[str]:
        """The URNs of the resources that only group others."""
        return frozenset(urn for urn, each in self.resources.items() if each.is_component)

    def uses(self) -> Iterator[ImageUse]:
        """Yield every use once: a component's only where none of its children has the image."""
        for urn, resource in self.resources.items():
            below = self._targets_below(urn) if resource.is_component and resource.uses else set()
            yield from (use for use in resource.uses if use.target not in below)

    def _targets_below(self, urn: str) -> set[object]:
        children = (self.resources[child] for child in self.graph.descendants(urn))
        return {use.target for child in children for use in child.uses if _is_known(use.target)}


def _is_known(target: ImageReference | Verdict) -> bool:
    """Tell whether two uses with this target are about one image, and not only alike in trouble."""
    return isinstance(target, ImageReference) or target.state is not State.UNDETERMINED


Read: TypeAlias = Callable[[EngineResource, Collection[str], Mapping[str, str]], DiscoveredResource]
"""Reads one resource, with the strings that stand for unknown values and the environment."""


def read_resource(
    resource: EngineResource, sentinels: Collection[str], environment: Mapping[str, str]
) -> DiscoveredResource:
    """Return what ``resource`` brings.

    ``sentinels`` are the strings that stand for unknown values; ``environment`` has the region of
    providers whose inputs do not name one. A bug in one step is an image use of its own, and hides
    nothing that the other steps find.
    """
    urn, kind, provider = resource.urn, resource.resource_type, resource.provider
    bugs = Bugs(urn, kind)
    inputs = plain(resource.props, sentinels)
    known = kind
    with bugs.at(()):
        known, inputs = as_in_catalog(kind, inputs)
    made_by: Tree = None
    placement = NOWHERE
    with bugs.at("(inputs of the provider)"):
        made_by = plain(provider.props if provider else None, sentinels)
        # The environment is that of Pulumi's own providers, and not of Terraform's.
        is_pulumis = provider is not None and not terraform_type(kind)
        placement = placement_of(made_by, environment if is_pulumis else {})
    uses = discover(urn, known, inputs, placement)
    if known != kind:
        uses = tuple(replace(use, resource_type=kind) for use in uses)
    if uses and provider:
        identity = _identity(provider.resource_type, made_by)
        uses = tuple(_with_identity(use, identity) for use in uses)
    provided: tuple[Provision, ...] = ()
    with bugs.at(()):
        provided = (*provisions(urn, known, inputs, placement), *written(uses))
    component = is_component(kind, has_provider=provider is not None)
    if log.is_heard(logging.ERROR):
        _keep_from_the_log(uses)
    return DiscoveredResource((*uses, *bugs.uses), provided, component, are_declared(inputs))


class DiscoveredResources:
    """Keeps what each resource brings. Thread-safe.

    ``read`` reads one resource; ``sentinels`` and ``environment`` are handed to it.
    """

    def __init__(
        self,
        sentinels: Collection[str],
        environment: Mapping[str, str],
        read: Read = read_resource,
    ) -> None:
        self._sentinels = sentinels
        self._environment = environment
        self._read = read
        self._lock = threading.Lock()
        self._discovered: dict[str, DiscoveredResource] = {}
        # Few resources put something into ECR, and every other one is held against them.
        self._provisions: dict[str, tuple[Provision, ...]] = {}

    def discover(self, resource: EngineResource) -> DiscoveredResource:
        """Return what ``resource`` brings, and keep it.

        A bug in reading it is an image use that names the resource: it hides no other resource.
        """
        bugs = Bugs(resource.urn, resource.resource_type)
        found = None
        with bugs.at(()):
            found = self._read(resource, self._sentinels, self._environment)
        found = found or DiscoveredResource(tuple(bugs.uses))
        _log.debug("%s: %d image uses, %d provisions", resource.urn, *found.counts)
        with self._lock:
            self._discovered[resource.urn] = found
            if found.provisions:
                self._provisions[resource.urn] = found.provisions
        return found

    @property
    def uses(self) -> tuple[ImageUse, ...]:
        """Every image use discovered so far."""
        with self._lock:
            return tuple(use for each in self._discovered.values() for use in each.uses)

    @property
    def provisions(self) -> tuple[Provision, ...]:
        """Everything discovered so far that the stack puts into ECR."""
        with self._lock:
            return tuple(each for provided in self._provisions.values() for each in provided)

    def of_stack(
        self, resources: Iterable[EngineStackResource], *, read_unseen: bool
    ) -> DiscoveredStack:
        """Return what the resources of the whole stack bring.

        The inputs with which each one came up count. One that came up without any, or did not come
        up (its policy is disabled, or it is no target of this update), is read from its outputs,
        which ``resources`` have, where ``read_unseen``.
        """
        resources = tuple(resources)
        with self._lock:
            found = {each.urn: self._discovered.get(each.urn) for each in resources}
        for resource in resources:
            known = found[resource.urn]
            if read_unseen and (known is None or known.is_only_read):
                found[resource.urn] = self.discover(_FromOutputs(resource, self._sentinels))
        nothing = DiscoveredResource(())
        brings = {urn: each or nothing for urn, each in found.items()}
        return DiscoveredStack(brings, ResourceGraph(resources))


def _keep_from_the_log(uses: Iterable[ImageUse]) -> None:
    """Hide the secrets of identities, and of a reference that is a secret its account."""
    for use in uses:
        log.HIDDEN.add(use.identity.secrets)
        if use.is_secret:
            log.HIDDEN.add([use.text])
            if isinstance(use.target, ImageReference):
                log.HIDDEN.add([use.target.repository.account])


_NO_IDENTITY = {
    Mark.UNKNOWN: verdict_of(
        Code.UNKNOWN_IN_PREVIEW,
        "The credentials of the resource's provider are outputs of a resource that does not exist "
        "yet, so ECR cannot be asked with them.",
    ),
    Mark.HIDDEN: verdict_of(
        Code.SECRET_NOT_SHOWN,
        "The credentials of the resource's provider are secrets that are not shown here, so ECR "
        "cannot be asked with them.",
    ),
}


def _identity(provider_type: str, provider: Tree) -> Identity | Verdict:
    """Return the identity of the provider, or the verdict where it is not known."""
    try:
        return provider_identity(provider_type, provider)
    except NotKnown as error:
        return _NO_IDENTITY[error.mark]
    except Exception as error:
        return bug_in("reading the credentials of the resource's provider", error)


def _with_identity(use: ImageUse, identity: Identity | Verdict) -> ImageUse:
    """Return ``use``, to be asked about as its resource's provider asks for everything."""
    if isinstance(identity, Identity):
        return replace(use, identity=identity)
    return replace(use, identity_unknown=identity)
