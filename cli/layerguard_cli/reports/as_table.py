"""A table, for people at a terminal: what needs attention, by source, and the counts."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator

from layerguard.discovery import Voice
from layerguard.enforcement.finding import Finding
from layerguard.legible import legible
from layerguard.verdict import ManifestReport, State
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from layerguard_cli.reports.audit_report import AuditedSource, AuditReport

_STYLES = {
    State.UNAVAILABLE: "bold red",
    State.UNDETERMINED: "bold yellow",
    State.PENDING: "bold cyan",
    State.SKIPPED: "dim",
    State.AVAILABLE: "green",
}
_LAYERS = 3  # bad layers of one manifest
_DIGEST = len("sha256:") + 12  # characters of a digest, as Docker shortens it
_BESIDE_A_TERMINAL = 100_000  # columns: whoever reads a file or a pipe breaks lines themselves


def render(
    report: AuditReport, *, everything: bool = False, width: int | None = None, color: bool = False
) -> str:
    """Return a table for each source with something in it, then the counts.

    With ``everything`` what is available or skipped has its row, too. Lines are as long as
    ``width``, or as what they say where it is None.
    """
    target = io.StringIO()
    console = Console(
        file=target,
        width=width or _BESIDE_A_TERMINAL,
        force_terminal=color,
        color_system="standard" if color else None,
        highlight=False,
        legacy_windows=False,
    )
    for audited in report.sources:
        rows = list(_rows(audited, everything))
        if rows:
            kind = audited.source.kind.value.replace("-", " ")
            console.print(
                _plain(f"{audited.source.name} ({kind})", "bold"), _table(rows), "", sep="\n"
            )
    console.print(_plain(f"{report.outcome}.", "bold"), _counts(report), _facts(report), sep="\n")
    return "".join(f"{line.rstrip()}\n" for line in target.getvalue().splitlines())


def _table(rows: Iterable[tuple[Text, RenderableType]]) -> Table:
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _rows(audited: AuditedSource, everything: bool) -> Iterator[tuple[Text, RenderableType]]:
    for problem in audited.source.problems:
        yield Text("not read", _STYLES[State.UNDETERMINED]), _plain(problem)
    if audited.unanswered:
        uses = "1 image use" if audited.unanswered == 1 else f"{audited.unanswered:,} image uses"
        yield (
            Text("not checked", _STYLES[State.UNDETERMINED]),
            _plain(f"{uses} that the audit did not come to."),
        )
    for finding in audited.by_urgency if everything else audited.open_findings:
        state = finding.verdict.state
        yield Text(state.value, _STYLES[state]), _image(finding)


def _image(finding: Finding) -> Group:
    """The reference, where it stands, why it is what it is and what to do."""
    use, verdict = finding.use, finding.verdict
    name = use.urn.rpartition("::")[2]
    resource = f"{use.resource_type} {name}, " if name else ""
    container = f', container "{use.container}"' if use.container else ""
    said = []
    if verdict.state is not State.AVAILABLE:
        quiet = finding.voice is Voice.NOTICE and verdict.state is State.UNAVAILABLE
        notice = ", a notice that stops no deployment" if quiet else ""
        said.append(f"{verdict.code.text}{notice}: {verdict.reason}")
    for manifest in verdict.manifests:
        said += _layers(manifest)
    if verdict.next_step:
        said.append(f"next step: {verdict.next_step}")
    return Group(
        _plain(use.text or "reference not known", "bold"),
        _plain(f"{resource}{use.path}{container}", "dim"),
        *map(_plain, said),
    )


def _layers(manifest: ManifestReport) -> Iterator[str]:
    """Yield how many layers are bad, and a few of them by the beginnings of their digests."""
    bad = manifest.bad
    if not bad:
        return
    platform = f" for {manifest.platform}" if manifest.platform else ""
    yield f"{len(bad)} of {len(manifest.blobs)} layers not available{platform}:"
    for blob in bad[:_LAYERS]:
        size = "size unknown" if blob.size is None else f"{blob.size:,} bytes"
        yield f"  {str(blob.digest)[:_DIGEST]} {blob.state.value} ({blob.role}, {size})"
    if len(bad) > _LAYERS:
        yield f"  and {len(bad) - _LAYERS:,} more"


def _counts(report: AuditReport) -> Text:
    counts = [
        Text(f"{count:,} {state.value}", _STYLES[state] if count else "dim")
        for state, count in report.counts.items()
    ]
    return Text(", ").join(counts)


def _facts(report: AuditReport) -> Text:
    numbers = report.summary
    return Text(
        f"Images checked: {numbers.images:,}. Layers: {numbers.layers:,}. "
        f"Calls to ECR: {numbers.calls:,}. Seconds: {numbers.seconds:.1f}."
    )


def _plain(text: str, style: str = "") -> Text:
    """Return text of others as it is: nothing in it is markup, or tells a terminal anything."""
    return Text(" ".join(legible(text).splitlines()), style)
