"""The audit report: what is known of every image of every source, for the renderers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from layerguard.checking.checker import Summary
from layerguard.discovery import ImageUse
from layerguard.enforcement import Enforcement, Finding, Run
from layerguard.verdict import State

from layerguard_cli.sources.source import Source, SourceKind

# What needs attention, the worst first, and then the rest.
_URGENCY = (
    State.UNAVAILABLE,
    State.UNDETERMINED,
    State.PENDING,
    State.SKIPPED,
    State.AVAILABLE,
)
_OPEN = _URGENCY[:3]
# Sources whose name is that of a stack, or of which nothing is known.
_NO_FILES = (
    SourceKind.PREVIEW,
    SourceKind.PULUMI_CHECKPOINT,
    SourceKind.STACK,
    SourceKind.STACK_EXPORT,
    SourceKind.UNREADABLE,
)
_STDIN = "-"
INTERRUPTED = "The audit was interrupted before its end."


@dataclass(frozen=True, slots=True)
class AuditedSource:
    """A source, and the findings on its uses in their order.

    ``unanswered`` are the uses that an interrupted audit did not come to. ``counted`` is how many
    findings there were of each state that are not kept.
    """

    source: Source
    findings: tuple[Finding, ...]
    unanswered: tuple[ImageUse, ...]
    counted: Mapping[State, int] = field(default_factory=dict)

    @classmethod
    def of(cls, source: Source, findings: Iterable[Finding | None]) -> AuditedSource:
        """Return ``source`` with the finding on each of its uses, None if there is none.

        ``decide`` has masked a secret reference; one without a finding is dropped.
        """
        findings = tuple(findings)
        unanswered = (
            replace(use, text=None) if use.is_secret else use
            for use, finding in zip(source.uses, findings, strict=True)
            if finding is None
        )
        return cls(source, tuple(each for each in findings if each), tuple(unanswered))

    def keeping(self, keeps: Callable[[Finding], bool]) -> AuditedSource:
        """Return the source with the findings that ``keeps`` takes; the others are counted.

        What is only needed to decide is not part of it.
        """
        kept = tuple(filter(keeps, self.findings))
        states = Counter(each.verdict.state for each in self.findings)
        counted = states - Counter(each.verdict.state for each in kept)
        uses = tuple(each.use for each in kept)
        return AuditedSource(
            replace(self.source, uses=uses, run=Run()), kept, self.unanswered, counted
        )

    @property
    def uses(self) -> int:
        """How many image uses the source has."""
        return len(self.findings) + len(self.unanswered) + sum(self.counted.values())

    @property
    def file(self) -> str | None:
        """The path of the file that was read, as it was given; None for a stack or a pipe."""
        is_file = self.source.kind not in _NO_FILES and self.source.name != _STDIN
        return self.source.name if is_file else None

    @property
    def by_urgency(self) -> tuple[Finding, ...]:
        """The findings, the most urgent state first, and of one state in their order."""
        return tuple(sorted(self.findings, key=lambda each: _URGENCY.index(each.verdict.state)))

    @property
    def open_findings(self) -> tuple[Finding, ...]:
        """What is unavailable, then undetermined, then pending, each in its order."""
        return tuple(each for each in self.by_urgency if each.verdict.state in _OPEN)


@dataclass(frozen=True, slots=True)
class AuditReport:
    """A whole audit. ``began`` is in UTC; an interrupted audit is not ``complete``."""

    sources: tuple[AuditedSource, ...]
    summary: Summary
    began: datetime
    complete: bool

    @property
    def instant(self) -> str:
        """When it began, to the second, as RFC 3339 has it."""
        return f"{self.began:%Y-%m-%dT%H:%M:%SZ}"

    @property
    def numbers(self) -> str:
        """What was done, in numbers."""
        return (
            f"Images checked: {self.summary.images:,}. Layers: {self.summary.layers:,}. "
            f"Calls to ECR: {self.summary.calls:,}. Seconds: {self.summary.seconds:.1f}."
        )

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings of every source, in their order."""
        return tuple(finding for each in self.sources for finding in each.findings)

    @property
    def counts(self) -> dict[State, int]:
        """How many image uses there are of every state, the most urgent state first."""
        states = Counter(finding.verdict.state for finding in self.findings)
        for each in self.sources:
            states.update(each.counted)
        return {state: states[state] for state in _URGENCY}

    @property
    def unanswered(self) -> int:
        """How many uses of all sources the audit did not come to."""
        return sum(len(each.unanswered) for each in self.sources)

    @property
    def problems(self) -> int:
        """How many sentences describe what of the sources could not be read."""
        return sum(len(each.source.problems) for each in self.sources)

    @property
    def worst(self) -> State:
        """The most urgent state; what was not read or not checked is undetermined."""
        gaps = self.problems or self.unanswered or not self.complete
        seen = {state for state, count in self.counts.items() if count}
        seen |= {State.UNDETERMINED} if gaps else set()
        return next((state for state in _OPEN if state in seen), State.AVAILABLE)

    @property
    def outcome(self) -> str:
        """The result of the audit, in one sentence without its full stop."""
        counts = self.counts
        bad, unknown, later = (counts[state] for state in _OPEN)
        facts = (
            *([f"{_uses(bad)} unavailable"] if bad else ()),
            *([f"{_uses(unknown)} undetermined"] if unknown else ()),
            *([f"{_uses(later)} pending"] if later else ()),
            *(["the sources could not be read in full"] if self.problems else ()),
            *(["the audit is not complete"] if not self.complete or self.unanswered else ()),
        )
        if facts:
            return ", ".join((facts[0][0].upper() + facts[0][1:], *facts[1:]))
        if counts[State.AVAILABLE]:
            return "Every layer of every image in private ECR is available"
        return "There is no image to check"


def needs_attention(finding: Finding) -> bool:
    """Tell whether a finding is about what is unavailable, undetermined or pending."""
    return finding.verdict.state in _OPEN


def spared(finding: Finding) -> str | None:
    """Return why an unavailable image stops no deployment; None if it does, or is not one."""
    if finding.verdict.state is not State.UNAVAILABLE or finding.enforcement is Enforcement.BLOCK:
        return None
    return f"a notice that stops no deployment: {finding.why}"


def _uses(count: int) -> str:
    return "1 image use is" if count == 1 else f"{count:,} image uses are"
