"""The resources of a stack as the engine writes them down, and the image uses among them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from layerguard.discovery import ImageUse
from layerguard.discovery.outputs import are_declared, as_inputs
from layerguard.discovery.resources import DiscoveredResources
from layerguard.enforcement import Mode, Run

from layerguard_cli.sources.engine_json import UNKNOWN

_DEFAULT_PROVIDER = "default"


@dataclass(frozen=True, slots=True)
class RecordedProvider:
    """The provider of a resource: its type token and its inputs."""

    resource_type: str
    props: Mapping[str, object]


@dataclass(frozen=True, slots=True, eq=False)
class RecordedResource:
    """A resource as a state or a step has it, among the others of its stack by their URNs.

    Default providers are no steps of a preview: their inputs are in ``config``, the configuration
    of the stack.
    """

    record: Mapping[str, Any]
    others: Mapping[str, RecordedResource]
    config: Mapping[str, Any]

    @property
    def urn(self) -> str:
        """The name of the resource."""
        return str(self.record["urn"])

    @property
    def resource_type(self) -> str:
        """Its type token."""
        return str(self.record["type"])

    @property
    def props(self) -> Mapping[str, object]:
        """Its inputs; of one that was read, imported or found, and not declared, its outputs."""
        inputs = _object(self.record.get("inputs"))
        is_made = self.record.get("custom") is True or self.record.get("external") is True
        if are_declared(inputs) or not is_made:
            return inputs
        return as_inputs(self.resource_type, self.record.get("outputs"))

    @property
    def provider(self) -> RecordedProvider | None:
        """The provider that makes it; a component has none."""
        reference = self.record.get("provider")
        if not isinstance(reference, str) or not reference:
            return None
        urn = reference.rpartition("::")[0]
        known = self.others.get(urn)
        if known:
            return RecordedProvider(known.resource_type, known.props)
        qualified, _, name = urn.rpartition("::")
        resource_type = qualified.rpartition("::")[2].rpartition("$")[2]
        prefix = f"{resource_type.rpartition(':')[2]}:"
        config = self.config if name.startswith(_DEFAULT_PROVIDER) else {}
        inputs = {key[len(prefix) :]: config[key] for key in config if key.startswith(prefix)}
        return RecordedProvider(resource_type, inputs)

    @property
    def parent(self) -> RecordedResource | None:
        """The component that the resource belongs to."""
        return self.others.get(str(self.record.get("parent")))

    @property
    def dependencies(self) -> Sequence[RecordedResource]:
        """The resources that are made before this one."""
        return self._named(self.record.get("dependencies"))

    @property
    def property_dependencies(self) -> Mapping[str, Sequence[RecordedResource]]:
        """The resources that the value of each property comes from."""
        named = _object(self.record.get("propertyDependencies"))
        return {key: self._named(urns) for key, urns in named.items()}

    def _named(self, urns: object) -> Sequence[RecordedResource]:
        urns = urns if isinstance(urns, list) else []
        return [self.others[urn] for urn in urns if isinstance(urn, str) and urn in self.others]


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was read of a stack: its ``name`` if it has resources, and their image uses.

    ``run`` is what a gate knows of the stack in this mode; ``unread`` are sentences about what
    could not be read.
    """

    name: str | None
    uses: tuple[ImageUse, ...]
    run: Run
    unread: tuple[str, ...]


def read_resources(
    mode: Mode,
    records: Iterable[Any],
    environment: Mapping[str, str],
    config: Mapping[str, Any],
) -> Recorded:
    """Return the image uses of a stack's resources, as the gates discover them in ``mode``.

    A resource that awaits its deletion, or was deleted to be replaced, is not part of the stack.
    ``environment`` has the region of providers without one of their own.
    """
    resources: dict[str, RecordedResource] = {}
    unread: list[str] = []
    for number, record in enumerate(records, 1):
        fields = _object(record)
        if not isinstance(fields.get("urn"), str) or not isinstance(fields.get("type"), str):
            unread.append(f"Resource {number} has no URN or no type.")
        elif not (fields.get("delete") is True or fields.get("pendingReplacement") is True):
            resources[fields["urn"]] = RecordedResource(fields, resources, config)
    discovered = DiscoveredResources(UNKNOWN, environment)
    for resource in resources.values():
        discovered.discover(resource)
    found = discovered.of_stack(resources.values(), read_unseen=False)
    # What is deployed waits for nothing: only a preview needs the others of its stack.
    is_preview = mode is Mode.PREVIEW
    run = (
        Run(mode, discovered.provisions, found.graph, found.components) if is_preview else Run(mode)
    )
    return Recorded(_stack_name(resources), tuple(found.uses()), run, tuple(unread))


def _stack_name(urns: Iterable[str]) -> str | None:
    """Return ``PROJECT/STACK``; a URN is ``urn:pulumi:STACK::PROJECT::TYPE::NAME``."""
    parts = next(iter(urns), "").split("::")
    stack = parts[0].removeprefix("urn:pulumi:")
    return f"{parts[1]}/{stack}" if len(parts) > 3 else None


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
