"""Plain text: one paragraph a judgement, then the summary."""

from __future__ import annotations

from collections.abc import Iterable

from layerguard.inspection import Judgement, Summary


def render(judgements: Iterable[Judgement], summary: Summary) -> str:
    """Return the judgements in their order, each with its explanation, and the summary line."""
    return "\n".join((*(judgement.message for judgement in judgements), str(summary)))
