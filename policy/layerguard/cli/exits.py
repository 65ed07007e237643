"""The exit codes that every command of judgements keeps."""

from __future__ import annotations

from collections.abc import Iterable

from layerguard.verdict import State

AVAILABLE = 0
UNAVAILABLE = 1
UNDETERMINED = 2


def exit_code(states: Iterable[State]) -> int:
    """Return 1 when something is proven unavailable, else 2 when something is not known, else 0."""
    seen = set(states)
    if State.UNAVAILABLE in seen:
        return UNAVAILABLE
    return AVAILABLE if seen == {State.AVAILABLE} else UNDETERMINED
