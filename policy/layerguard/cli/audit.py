"""``layerguard audit``: every image that stacks, previews, manifests and lists name."""

from __future__ import annotations

import argparse
import io
import os
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from layerguard.cli.exits import INTERRUPTED, UNDETERMINED, exit_code
from layerguard.cli.whole_file import refusal, write_whole
from layerguard.verdict import State

if TYPE_CHECKING:
    from layerguard.cli.progress import ProgressBar
    from layerguard.discovery import ImageUse
    from layerguard.inspection import Inspector, Judgement
    from layerguard.report.audit import AuditReport
    from layerguard.sources import Source

_TABLE = "table"
_FORMATS = (_TABLE, "json", "junit", "sarif", "markdown", "html")

_DESCRIPTION = """\
Reads what stacks reference and checks every image: what pulumi stack export and pulumi preview
--json print, Kubernetes manifests in YAML or JSON, and lists with a reference a line. What a file
is, its content says. Every resource is asked about as its own provider, as the policy pack asks.
A folder is read with the folders in it: every file that ends in .json, .jsonl, .yaml or .yml."""

_EXAMPLES = """\
examples:
  layerguard audit exports/
  layerguard audit --stack acme/shop/production --stack acme/shop/staging
  pulumi preview --json --show-sames | layerguard audit --format markdown -
  helm template charts/shop | layerguard audit -
  layerguard audit --format sarif --out layerguard.sarif exports/ deploy.yaml references.txt"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sources, and what is made of them."""
    parser.description = _DESCRIPTION
    parser.epilog = _EXAMPLES
    parser.add_argument(
        "sources",
        nargs="*",
        metavar="SOURCE",
        help="a file or a folder; - is standard input",
    )
    parser.add_argument(
        "--stack",
        action="append",
        default=[],
        metavar="NAME",
        help="a running stack, whose state pulumi stack export gives; its secrets stay encrypted; "
        "can be given again",
    )
    parser.add_argument(
        "--format", choices=_FORMATS, default=_TABLE, help="what to print (default: table)"
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="list what is available or skipped in the table, too",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="write it to a file, whole or not at all, and nothing to standard output",
    )


def run(arguments: argparse.Namespace, stdin: TextIO, stdout: TextIO, stderr: TextIO) -> int:
    """Audit the sources, say what was found and return the exit code."""
    from layerguard.cli.progress import ProgressBar
    from layerguard.inspection import Inspector
    from layerguard.registry import Ecr, OrdinaryChain

    wrong = _wrong(arguments)
    if wrong:
        print(f"layerguard: {wrong}", file=stderr)
        return UNDETERMINED
    with _interrupted_by_sigterm():
        inspector = Inspector(Ecr(OrdinaryChain()))
        try:
            report = _audit(arguments, inspector, stdin, ProgressBar(stderr))
        finally:
            inspector.close()
        if not _write(arguments, report, stdout, stderr):
            return UNDETERMINED
    if not report.complete:
        return INTERRUPTED
    states = [judgement.verdict.state for judgement in report.judgements]
    return exit_code([*states, *([State.UNDETERMINED] if report.problems else [])])


def _wrong(arguments: argparse.Namespace) -> str | None:
    if not arguments.sources and not arguments.stack:
        return "there is nothing to audit: give a SOURCE or a --stack."
    if arguments.all and arguments.format != _TABLE:
        return "--all is for the table; the other formats have every image."
    return arguments.out and refusal(arguments.out)


@contextmanager
def _interrupted_by_sigterm() -> Iterator[None]:
    """Take SIGTERM for Ctrl-C: who ends a job is told, too, what is known so far."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _audit(
    arguments: argparse.Namespace, inspector: Inspector, stdin: TextIO, bar: ProgressBar
) -> AuditReport:
    """Return what is known at the end, or when the audit is interrupted."""
    from datetime import datetime, timezone

    from layerguard.inspection.rules import configured
    from layerguard.report.audit import AuditedSource, AuditReport
    from layerguard.settings import Settings

    settings = Settings()
    began = datetime.now(timezone.utc)
    sources: list[Source] = []
    known: dict[ImageUse, Judgement] = {}
    complete = False
    try:
        with bar:
            for source in _sources(arguments, stdin, os.environ, bar):
                uses = tuple(configured(use, settings) for use in source.uses)
                sources.append(replace(source, uses=uses))
                inspector.start(uses)
            uses = tuple(dict.fromkeys(use for source in sources for use in source.uses))
            bar.asking(len(uses))
            for judgement in inspector.judge_each(uses):
                known[judgement.use] = judgement
                bar.answered()
        complete = True
    except KeyboardInterrupt:
        inspector.close()
    audited = tuple(
        AuditedSource(
            source, tuple(source.foreseen(known[use]) for use in source.uses if use in known)
        )
        for source in sources
    )
    judgements = [judgement for each in audited for judgement in each.judgements]
    return AuditReport(audited, inspector.summary(judgements), began, complete)


def _sources(
    arguments: argparse.Namespace, stdin: TextIO, environment: Mapping[str, str], bar: ProgressBar
) -> Iterator[Source]:
    """Yield the sources in their order; one whose name another has already is told by its place."""
    from layerguard.errors import SourceUnreadable
    from layerguard.sources.places import Reader, unreadable
    from layerguard.sources.stack import Pulumi

    reader = Reader(stdin.buffer, environment, bar.note)
    pulumi = Pulumi(shutil.which("pulumi"), environment)
    names: set[str] = set()
    for place in dict.fromkeys(arguments.sources):
        bar.reading(place)
        for path, source in reader.read(place):
            yield (
                replace(source, name=f"{source.name} ({path})") if source.name in names else source
            )
            names.add(source.name)
    for name in dict.fromkeys(arguments.stack):
        bar.reading(name)
        try:
            yield pulumi.read_stack(name)
        except SourceUnreadable as error:
            yield unreadable(name, error)


def _write(
    arguments: argparse.Namespace, report: AuditReport, stdout: TextIO, stderr: TextIO
) -> bool:
    """Write the report, and tell whether that was possible."""
    is_table = arguments.format == _TABLE
    if arguments.out is None:
        if isinstance(stdout, io.TextIOWrapper):
            # Documents say of themselves that they are UTF-8; a terminal has what it has.
            if is_table:
                stdout.reconfigure(errors="replace")
            else:
                stdout.reconfigure(encoding="utf-8")
        stdout.write(_rendered(arguments, report, stdout))
    else:
        try:
            write_whole(arguments.out, _rendered(arguments, report, None))
        except OSError as error:
            print(f"layerguard: {arguments.out}: {error.strerror}.", file=stderr)
            return False
    if arguments.out or not is_table:
        print(report.summary, file=stderr)
    return True


def _rendered(arguments: argparse.Namespace, report: AuditReport, stdout: TextIO | None) -> str:
    from layerguard.report import as_html, as_json, as_junit, as_markdown, as_sarif, as_table

    if arguments.format == _TABLE:
        terminal = stdout is not None and stdout.isatty()
        return as_table.render(
            report,
            everything=arguments.all,
            width=shutil.get_terminal_size().columns if terminal else None,
            color=terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb",
        )
    renderers: Mapping[str, Callable[[AuditReport], str]] = {
        "html": as_html.render,
        "json": as_json.render,
        "junit": as_junit.render,
        "markdown": as_markdown.render,
        "sarif": as_sarif.render,
    }
    return renderers[arguments.format](report)
