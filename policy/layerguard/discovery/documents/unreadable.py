"""The one way in which a reader of documents fails."""

from __future__ import annotations


class DocumentUnreadable(ValueError):
    """A document does not parse, or is larger than any that its service takes."""
