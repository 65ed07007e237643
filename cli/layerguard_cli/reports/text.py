"""Plain text: one paragraph a finding, then the summary."""

from __future__ import annotations

from collections.abc import Iterable

from layerguard.checking.checker import Summary
from layerguard.enforcement.finding import Finding


def render(findings: Iterable[Finding], summary: Summary) -> str:
    """Return the findings in their order, each with its explanation, and the summary line."""
    return "\n".join((*(finding.message for finding in findings), str(summary)))
