"""The source: something outside a running deployment that names images, and what was read of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from layerguard.discovery import ImageUse
from layerguard.discovery.provisions import Provision
from layerguard.discovery.resource_graph import ResourceGraph
from layerguard.enforcement.finding import Finding
from layerguard.enforcement.provenance import foreseen


class SourceKind(Enum):
    """What a source is."""

    STACK_EXPORT = "stack-export"
    PREVIEW = "preview"
    STACK = "stack"
    KUBERNETES = "kubernetes"
    REFERENCES = "references"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Source:
    """What was read of one source, a stack or a file.

    ``name`` is the stack's name where it has one, else the path as it was given. ``problems`` are
    sentences about what of it could not be read: an audit with any is not a clean one. A preview
    has the ``stack`` that it foresees, and what this puts into ECR.
    """

    name: str
    kind: SourceKind
    uses: tuple[ImageUse, ...]
    problems: tuple[str, ...] = ()
    stack: ResourceGraph | None = field(default=None, compare=False, repr=False)
    provisions: tuple[Provision, ...] = ()

    def foreseen(self, finding: Finding) -> Finding:
        """Return ``finding``, pending where the update that a preview foresees mends it."""
        return finding if self.stack is None else foreseen(finding, self.provisions, self.stack)
