"""A table, for people at a terminal: what needs attention, by source, and the counts."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator

from layerguard.enforcement import Finding, Group, grouped
from layerguard.legible import legible_line
from layerguard.verdict import Code, ManifestReport, State
from rich.console import Console, RenderableType
from rich.console import Group as Lines
from rich.table import Table
from rich.text import Text

from layerguard_cli.reports.audit_report import AuditedSource, AuditReport, spared
from layerguard_cli.reports.formats import TableLayout

_STYLES = {
    State.UNAVAILABLE: "bold red",
    State.UNDETERMINED: "bold yellow",
    State.PENDING: "bold cyan",
    State.SKIPPED: "dim",
    State.AVAILABLE: "green",
}
_LAYERS = 3  # bad layers of one manifest
_DIGEST = len("sha256:") + 12  # characters of a digest, as Docker shortens it
_COMMAND = re.compile(r"(?:\s|\x1b\[[0-9;]*m)*(?=::)")
_UNLIMITED = 100_000  # columns, for a file or a pipe, in which no line is wrapped


def render(report: AuditReport, layout: TableLayout) -> str:
    """Return a table for each source that has rows, then the counts."""
    target = io.StringIO()
    console = Console(
        file=target,
        width=layout.width or _UNLIMITED,
        force_terminal=layout.color,
        color_system="standard" if layout.color else None,
        highlight=False,
        legacy_windows=False,
    )
    for audited in report.sources:
        rows = list(_rows(audited, layout))
        if rows:
            kind = audited.source.kind.value.replace("-", " ")
            console.print(
                _plain(f"{audited.source.name} ({kind})", "bold"), _table(rows), "", sep="\n"
            )
    console.print(
        _plain(f"{report.outcome}.", "bold"), _counts(report), _plain(report.numbers), sep="\n"
    )
    return "".join(f"{_no_command(line)}\n" for line in target.getvalue().splitlines())


def _no_command(line: str) -> str:
    """Return ``line``, which wrapping may have begun with what a CI system takes for a command."""
    begin = _COMMAND.match(line)
    if begin is None:
        return line.rstrip()
    before, _, after = begin[0].rpartition(" ")
    return f"{before}{after}\\{line[begin.end() :].rstrip()}"


def _table(rows: Iterable[tuple[Text, RenderableType]]) -> Table:
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _rows(audited: AuditedSource, layout: TableLayout) -> Iterator[tuple[Text, RenderableType]]:
    for problem in audited.source.problems:
        yield Text("not read", _STYLES[State.UNDETERMINED]), _plain(problem)
    if audited.unanswered:
        count = len(audited.unanswered)
        uses = "1 image use" if count == 1 else f"{count:,} image uses"
        yield (
            Text("not checked", _STYLES[State.UNDETERMINED]),
            _plain(f"{uses} that the audit did not come to."),
        )
    for group in grouped(audited.by_urgency if layout.every_use else audited.open_findings):
        first, *others = group.findings
        state = first.verdict.state
        yield Text(state.value, _STYLES[state]), _images(group) if others else _image(first)


def _images(group: Group) -> Lines:
    """What several image uses share, then where they are."""
    first = group.findings[0]
    cause, *rest = group.cause
    return Lines(
        _plain(f"{len(group.findings):,} image uses", "bold"),
        _plain(f"{first.verdict.code.text}: {cause}"),
        *map(_plain, rest),
        *map(_plain, filter(None, [spared(first)])),
        *(_plain(place, "dim") for place in group.places),
    )


def _image(finding: Finding) -> Lines:
    """The reference, where it is used, the verdict on it and the next step."""
    use, verdict = finding.use, finding.verdict
    name = use.urn.rpartition("::")[2]
    resource = f"{use.resource_type} {name}, " if name else ""
    container = f', container "{use.container}"' if use.container else ""
    lines = []
    if verdict.reason != Code.AVAILABLE.meaning:
        lines.append(f"{verdict.code.text}: {verdict.reason}")
    if why := spared(finding):
        lines.append(why)
    for manifest in verdict.manifests:
        lines += _layers(manifest)
    if verdict.next_step:
        lines.append(f"next step: {verdict.next_step}")
    return Lines(
        _plain(use.text or "reference not known", "bold"),
        _plain(f"{resource}{use.path}{container}", "dim"),
        *map(_plain, lines),
    )


def _layers(manifest: ManifestReport) -> Iterator[str]:
    """Yield how many layers are bad, and a few of them by the beginnings of their digests."""
    bad = manifest.bad
    if not bad:
        return
    platform = f" for {manifest.platform}" if manifest.platform else ""
    yield f"{len(bad)} of {len(manifest.blobs)} layers not available{platform}:"
    for blob in bad[:_LAYERS]:
        yield f"  {str(blob.digest)[:_DIGEST]} {blob.description}"
    if len(bad) > _LAYERS:
        yield f"  and {len(bad) - _LAYERS:,} more"


def _counts(report: AuditReport) -> Text:
    counts = [
        Text(f"{count:,} {state.value}", _STYLES[state] if count else "dim")
        for state, count in report.counts.items()
    ]
    return Text(", ").join(counts)


def _plain(text: str, style: str = "") -> Text:
    """Return ``text`` on one line: nothing in it is markup or a control sequence."""
    return Text(legible_line(text), style)
