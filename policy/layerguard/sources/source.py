"""The source: something outside a running deployment that names images, and what was read of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from layerguard.discovery import ImageUse
from layerguard.discovery.provisions import Provision
from layerguard.inspection import Judgement
from layerguard.inspection.provenance import foreseen
from layerguard.inspection.stack import Stack


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
    stack: Stack | None = field(default=None, compare=False, repr=False)
    provisions: tuple[Provision, ...] = ()

    def foreseen(self, judgement: Judgement) -> Judgement:
        """Return ``judgement``, pending where the update that a preview foresees mends it."""
        return judgement if self.stack is None else foreseen(judgement, self.provisions, self.stack)
