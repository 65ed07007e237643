"""A row of the catalog: what stands at one property path of one resource type."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from layerguard.discovery import pull_rules, runtimes, split_references, storage
from layerguard.discovery.platforms.rule import PlatformRule, undecided
from layerguard.discovery.pull_rules import PullRule
from layerguard.discovery.runtimes import Runtime
from layerguard.discovery.split_references import ReferenceRule
from layerguard.discovery.storage import StorageRule


class Role(Enum):
    """What stands at the path of a row."""

    PULL = "an image that a runtime pulls"
    OPTIONAL = "an image that is pulled if it is there, such as a build's cache; only a warning"
    DOCUMENT = "a document or values whose strings are read for references"
    CARRIER = "free text, variables or parameters; whole references in it are only a warning"
    TEMPLATE = "a CloudFormation template: images as in the rows of aws-native"
    RESOURCE = "the properties of one CloudFormation resource: images as in the rows of aws-native"
    MANIFEST = "an object of Kubernetes: images as in the rows of its own kind"
    PUSH = "an image that this resource writes"
    NOT_PULLED = "the name of an image, a registry or an artifact that no runtime pulls from there"


@dataclass(frozen=True, slots=True)
class Row:
    """What stands at ``path`` of resources of ``resource_type``.

    ``platform`` decides what will be pulled, ``runtime`` what pulls it, ``pull`` when, and
    ``storage`` the room that it has. ``reference`` reads the reference where it is not the text at
    the path alone.
    """

    resource_type: str
    path: str
    platform: PlatformRule = undecided
    runtime: Runtime = runtimes.ANY
    reference: ReferenceRule = split_references.as_written
    role: Role = Role.PULL
    pull: PullRule = pull_rules.now
    storage: StorageRule = storage.unknown


def optional(resource_type: str, path: str) -> Row:
    """Return the row of a cache: it may be absent."""
    return Row(resource_type, path, role=Role.OPTIONAL)


def document(resource_type: str, path: str) -> Row:
    """Return the row of a document that is read for references."""
    return Row(resource_type, path, role=Role.DOCUMENT)


def carrier(resource_type: str, path: str) -> Row:
    """Return the row of variables or free text."""
    return Row(resource_type, path, role=Role.CARRIER)


def template(resource_type: str, path: str) -> Row:
    """Return the row of a CloudFormation template."""
    return Row(resource_type, path, role=Role.TEMPLATE)


def manifest(resource_type: str, path: str) -> Row:
    """Return the row of an object of Kubernetes; its kind is in it."""
    return Row(resource_type, path, role=Role.MANIFEST)


def push(resource_type: str, path: str) -> Row:
    """Return the row of an image that the resource writes."""
    return Row(resource_type, path, role=Role.PUSH)


def not_pulled(resource_type: str, path: str) -> Row:
    """Return the row of a name that is no image to pull."""
    return Row(resource_type, path, role=Role.NOT_PULLED)


def resource(resource_type: str, path: str) -> Row:
    """Return the row of one CloudFormation resource; its type is in ``typeName`` or ``type``."""
    return Row(resource_type, path, role=Role.RESOURCE)
