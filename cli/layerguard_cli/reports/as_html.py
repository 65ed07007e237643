"""HTML, for people: one page that needs nothing else, with every image's layers drawn to size."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from layerguard import __version__
from layerguard.discovery import ImageUse
from layerguard.enforcement import Finding
from layerguard.legible import legible_line
from layerguard.verdict import BlobState, CheckedBlob, ManifestReport, State

from layerguard_cli.reports.audit_report import AuditedSource, AuditReport, spared
from layerguard_cli.reports.html_style import STYLE

_MARKS = {
    State.UNAVAILABLE: "✕",
    State.UNDETERMINED: "?",
    State.PENDING: "…",
    State.SKIPPED: "○",
    State.AVAILABLE: "✓",
}
_LETTERS = {
    BlobState.AVAILABLE: "✓",
    BlobState.UNAVAILABLE: "✕",
    BlobState.ARCHIVED: "A",
    BlobState.UNACCOUNTED: "?",
    BlobState.UNKNOWN: "·",
}
_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def render(report: AuditReport) -> str:
    """Return a page without scripts and without anything to load.

    The sources are in their order, and in each the most urgent images are first.
    """
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Layerguard: {_text(report.outcome)}</title>
<style>{STYLE}</style>
</head>
<body>
{_header(report)}
<main>
{_lines(_section(number, audited) for number, audited in enumerate(report.sources))}
</main>
<footer>Made by Layerguard {__version__}.</footer>
</body>
</html>
"""


def _header(report: AuditReport) -> str:
    counts = (
        f'<div class="{state.value}{"" if count else " zero"}">'
        f"<dt>{_MARKS[state]} {state.value}</dt><dd>{count:,}</dd></div>"
        for state, count in report.counts.items()
    )
    legend = (f"<li>{_segment(state)}{state.value.lower()}</li>" for state in BlobState)
    return f"""<header>
<p class="eyebrow">Layerguard audit of {report.began:%Y-%m-%d, %H:%M} UTC</p>
<h1>{_text(report.outcome)}.</h1>
{_incomplete(report)}
<dl class="counts">
{_lines(counts)}
</dl>
<p class="facts">{report.numbers}</p>
<ul class="legend" aria-label="States of a layer">
{_lines(legend)}
</ul>
</header>"""


def _incomplete(report: AuditReport) -> str:
    if report.complete and not report.unanswered:
        return ""
    return (
        '<p class="notice"><strong>This audit is not complete.</strong> It was interrupted before '
        f"its end. Image uses that were not checked: {report.unanswered:,}.</p>"
    )


def _section(number: int, audited: AuditedSource) -> str:
    source = audited.source
    kind = source.kind.value.replace("-", " ")
    unanswered = (f"<li>{_where(use)}</li>" for use in audited.unanswered)
    problems = (f"<li>{_text(problem)}</li>" for problem in source.problems)
    return f"""<section aria-labelledby="source-{number}">
<h2 id="source-{number}">{_text(source.name)}</h2>
<p class="soft">{kind}, image uses: {audited.uses:,}</p>
{_notice("Not read in full", problems)}{_notice("Not checked", unanswered)}
{_lines(_article(finding) for finding in audited.by_urgency)}
</section>"""


def _notice(title: str, items: Iterable[str]) -> str:
    listed = _lines(items)
    if not listed:
        return ""
    return f'<div class="notice"><strong>{title}</strong><ul>\n{listed}\n</ul></div>'


def _article(finding: Finding) -> str:
    use, verdict = finding.use, finding.verdict
    reference = "reference not known" if use.text is None else f"<code>{_text(use.text)}</code>"
    step = f'<p class="step">Next step: {_text(verdict.next_step)}</p>' if verdict.next_step else ""
    names_more = verdict.code.text != verdict.state.value
    code = f' <code class="soft">{verdict.code.text}</code>' if names_more else ""
    why = spared(finding)
    notice = f", {_text(why)}" if why else ""
    facts = (
        f"<dt>{name}</dt><dd><code>{_text(str(value))}</code></dd>"
        for name, value in (
            ("resource", use.urn),
            ("property", use.path),
            ("container", use.container),
            ("platform", use.platform),
            ("digest", verdict.digest),
        )
        if value
    )
    return f"""<article class="{verdict.state.value}">
<h3>{reference}</h3>
<p class="verdict"><span class="badge">{_MARKS[verdict.state]} {verdict.state.value}</span>\
{code}{notice}</p>
<p>{_text(verdict.reason)}</p>
{step}
{_lines(_figure(manifest) for manifest in verdict.manifests)}
<dl class="facts-of">
{_lines(facts)}
</dl>
</article>"""


def _figure(manifest: ManifestReport) -> str:
    """The layers as a bar, as wide as they are large, and a table of the bad ones."""
    total = sum(blob.size or 0 for blob in manifest.blobs)
    platform = str(manifest.platform) if manifest.platform else "all layers"
    bad = manifest.bad
    extent = f"{len(manifest.blobs)} layers with the config, {_size(total)}"
    words = (f"{blob.role} {blob.state.value.lower()}, {_bytes(blob)}" for blob in bad)
    label = f"{platform}: {extent}; {'; '.join(words) or 'all available'}."
    bar = "".join(_segment(blob.state, blob) for blob in manifest.blobs)
    return f"""<figure>
<figcaption><span>{_text(platform)}</span><span>{extent}</span></figcaption>
<div class="bar" role="img" aria-label="{_text(label)}" style="--layers:{len(manifest.blobs)}">\
{bar}</div>
{_table(bad)}
</figure>"""


def _segment(state: BlobState, blob: CheckedBlob | None = None) -> str:
    """A segment of a bar, or of the legend if there is no layer."""
    name, letter = state.name.lower(), f"<b>{_LETTERS[state]}</b>"
    if blob is None:
        return f'<span class="layer {name}" aria-hidden="true">{letter}</span>'
    return (
        f'<span class="layer {name}" style="flex-grow:{blob.size or 0}" '
        f'title="{_text(str(blob))}">{letter}</span>'
    )


def _table(bad: Iterable[CheckedBlob]) -> str:
    rows = _lines(
        f"<tr><td><code>{blob.digest}</code></td><td>{_text(blob.role)}</td>"
        f"<td>{_LETTERS[blob.state]} {blob.state.value.lower()}</td>"
        f'<td class="number">{_bytes(blob)}</td></tr>'
        for blob in bad
    )
    if not rows:
        return ""
    return f"""<table>
<caption>Layers that are not available</caption>
<thead><tr><th scope="col">digest</th><th scope="col">place</th><th scope="col">state</th>\
<th scope="col" class="number">size</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>"""


def _where(use: ImageUse) -> str:
    text = f": <code>{_text(use.text)}</code>" if use.text else ""
    return f"<code>{_text(use.path)}</code>{text}"


def _bytes(blob: CheckedBlob) -> str:
    return "unknown" if blob.size is None else f"{blob.size:,} bytes"


def _size(size: float) -> str:
    """The size in the largest decimal unit in which it is at least 1."""
    units = iter(_UNITS)
    unit = next(units)
    while size >= 1000 and unit != _UNITS[-1]:
        size, unit = size / 1000, next(units)
    return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"


def _lines(parts: Iterable[str]) -> str:
    return "\n".join(parts)


def _text(text: str) -> str:
    return escape(legible_line(text))
