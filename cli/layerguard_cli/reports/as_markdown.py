"""Markdown, for a comment on a pull request: the counts, and what is not available.

Source: GitHub Flavored Markdown, sections "Tables (extension)" and "Entity and numeric character
references".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from layerguard.enforcement import Finding, Group, grouped
from layerguard.legible import legible_line
from layerguard.verdict import ManifestReport, State

from layerguard_cli.reports.audit_report import AuditReport, spared

MAX_LENGTH = 60_000
"""The characters of a report at most: a comment on GitHub has at most 65,536."""

_MARKS = {
    State.UNAVAILABLE: "❌",
    State.UNDETERMINED: "⚠️",
    State.PENDING: "⏳",
    State.SKIPPED: "⚪",
    State.AVAILABLE: "✅",
}
_RESERVE = 200  # characters for the sentence about what does not fit
_TEXT = 500  # characters of one text
_LAYERS = 20  # bad layers of one manifest
_MANIFESTS = 5  # manifests of one image


def render(report: AuditReport) -> str:
    """Return the report in at most ``MAX_LENGTH`` characters, and how much does not fit."""
    text = ""
    left = sum(len(audited.open_findings) for audited in report.sources)
    for block, images in _blocks(report):
        if len(text) + len(block) > MAX_LENGTH - _RESERVE:
            more = f": {left:,} more image uses that are not available" if left else ""
            return f"{text}\n\n**There is more than fits into this comment{more}.**\n"
        text += block
        left -= images
    return f"{text}\n"


def _blocks(report: AuditReport) -> Iterator[tuple[str, int]]:
    """Yield what fits as a whole or not at all, and how many images it lists."""
    yield _head(report), 0
    for audited in report.sources:
        if not (audited.open_findings or audited.source.problems or audited.unanswered):
            continue
        yield f"\n\n### {_code(audited.source.name)}", 0
        if audited.unanswered:
            yield f"\n\n- image uses that were not checked: {len(audited.unanswered):,}", 0
        for problem in audited.source.problems:
            yield f"\n\n- not read: {_prose(problem)}", 0
        if audited.open_findings:
            yield "\n\n| verdict | where | image | why, and what to do |\n|---|---|---|---|", 0
        for group in grouped(audited.open_findings):
            first, *others = group.findings
            cells = _shared_cells(group) if others else _cells(first)
            yield f"\n| {' | '.join(cells)} |", len(group.findings)


def _head(report: AuditReport) -> str:
    counts = report.counts
    return "\n".join(
        (
            f"## {_MARKS[report.worst]} Layerguard: {report.outcome}",
            "",
            f"| {' | '.join(f'{_MARKS[state]} {state.value}' for state in counts)} |",
            f"|{'---:|' * len(counts)}",
            f"| {' | '.join(f'{count:,}' for count in counts.values())} |",
            "",
            report.numbers,
        )
    )


def _shared_cells(group: Group) -> Iterator[str]:
    first = group.findings[0]
    yield f"{_MARKS[first.verdict.state]} **{first.verdict.code.text}**"
    yield f"{len(group.findings):,} image uses"
    yield "<br>".join(map(_code, group.places))
    yield "<br>".join(map(_prose, filter(None, [*group.cause, spared(first)])))


def _cells(finding: Finding) -> Iterator[str]:
    use, verdict = finding.use, finding.verdict
    yield f"{_MARKS[verdict.state]} **{verdict.code.text}**"
    names = (use.urn.rpartition("::")[2], use.path, use.container)
    yield "<br>".join(_code(name) for name in names if name)
    yield "not known" if use.text is None else _code(use.text)
    steps = [_prose(verdict.reason)]
    if why := spared(finding):
        steps.append(_prose(why))
    if verdict.next_step:
        steps.append(f"**next step:** {_prose(verdict.next_step)}")
    bad = [manifest for manifest in verdict.manifests if manifest.bad]
    layers = "".join(_layers(manifest) for manifest in bad[:_MANIFESTS])
    yield "<br>".join(steps) + layers + _more(len(bad) - _MANIFESTS, "manifests")


def _layers(manifest: ManifestReport) -> str:
    bad = manifest.bad
    platform = f" for {_prose(str(manifest.platform))}" if manifest.platform else ""
    summary = f"{len(bad)} of {len(manifest.blobs)} layers not available{platform}"
    rows = "<br>".join(_prose(str(blob)) for blob in bad[:_LAYERS])
    rest = _more(len(bad) - _LAYERS, "layers")
    return f"<details><summary>{summary}</summary>{rows}{rest}</details>"


def _more(count: int, what: str) -> str:
    return f"<br>and {count:,} more {what}" if count > 0 else ""


def _code(text: str) -> str:
    return f"<code>{_escaped(_clipped(text))}</code>"


def _prose(text: str) -> str:
    """Escape ``text``, and let no name or number in it notify a user or link to an issue."""
    return _escaped(re.sub(r"(?<!\w)([@#])(?=\w)", "\\1\u200b", _clipped(text)))


def _clipped(text: str) -> str:
    return legible_line(text, _TEXT)


def _escaped(text: str) -> str:
    """Return ``text`` with nothing in it that has a meaning in Markdown."""
    return re.sub(r"[!-'*+:-@\[-`{-~]", lambda found: f"&#{ord(found[0])};", text)
