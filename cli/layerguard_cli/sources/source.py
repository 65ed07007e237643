"""The source: something outside a running deployment that names images, and what was read of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from layerguard.discovery import ImageUse
from layerguard.enforcement import Run
from layerguard.errors import LayerguardError


class SourceUnreadable(LayerguardError):
    """A source cannot be read; the text is the reason, and quotes nothing that may be a secret."""


class NotASource(SourceUnreadable):
    """It can be read, and is of no kind that an audit knows."""


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

    ``name`` is the stack's name if it has one, otherwise the path as it was given. ``problems`` are
    sentences about what of it could not be read: an audit with any is not a clean one. ``run`` is
    what a gate would know of the stack; of a preview this is what the update will bring.
    """

    name: str
    kind: SourceKind
    uses: tuple[ImageUse, ...]
    problems: tuple[str, ...] = ()
    run: Run = field(default_factory=Run, compare=False, repr=False)
