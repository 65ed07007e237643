"""The audit report: what is known of every image of every source, for the renderers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from layerguard.inspection import Judgement, Summary
from layerguard.sources import Source


@dataclass(frozen=True, slots=True)
class AuditedSource:
    """A source and the judgements on its uses, in their order.

    There are fewer judgements than uses where the audit was interrupted.
    """

    source: Source
    judgements: tuple[Judgement, ...]

    @property
    def unanswered(self) -> int:
        """How many uses the audit did not come to."""
        return len(self.source.uses) - len(self.judgements)


@dataclass(frozen=True, slots=True)
class AuditReport:
    """A whole audit. ``began`` is in UTC; an interrupted audit is not ``complete``."""

    sources: tuple[AuditedSource, ...]
    summary: Summary
    began: datetime
    complete: bool

    @property
    def judgements(self) -> tuple[Judgement, ...]:
        """The judgements of every source, in their order."""
        return tuple(judgement for each in self.sources for judgement in each.judgements)
