"""The source: something outside a running deployment that names images, and what was read of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from layerguard.discovery import ImageUse


class SourceKind(Enum):
    """What a source is."""

    STACK_EXPORT = "stack-export"
    PREVIEW = "preview"
    STACK = "stack"
    KUBERNETES = "kubernetes"
    REFERENCES = "references"


@dataclass(frozen=True, slots=True)
class Source:
    """What was read of one source, a stack or a file.

    ``name`` is the stack's name where it has one, else the path as it was given. ``problems`` are
    sentences about what of it could not be read: an audit with any is not a clean one.
    """

    name: str
    kind: SourceKind
    uses: tuple[ImageUse, ...]
    problems: tuple[str, ...] = ()
