"""The sweep: every source is read, every image asked about, and what is known is reported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timezone
from queue import Empty, SimpleQueue
from threading import Thread

from layerguard.checking.checker import Checker
from layerguard.discovery import ImageUse
from layerguard.enforcement.finding import Finding
from layerguard.enforcement.rules import configured
from layerguard.errors import SourceUnreadable
from layerguard.platform import Platform
from layerguard.settings import Settings

from layerguard_cli.audit.progress import ProgressBar
from layerguard_cli.reports.audit_report import AuditedSource, AuditReport
from layerguard_cli.sources import Source
from layerguard_cli.sources.places import Reader, unreadable
from layerguard_cli.sources.running_stack import Pulumi

_LOOK_AGAIN = 0.5  # seconds until a signal that came just before a wait is seen


def read_sources(
    places: Iterable[str], stacks: Iterable[str], reader: Reader, pulumi: Pulumi, bar: ProgressBar
) -> Iterator[Source]:
    """Yield the sources in their order; one whose name another has already is told by its place."""
    names: set[str] = set()
    for place in dict.fromkeys(places):
        bar.reading(place)
        for path, source in reader.read(place):
            taken = source.name in names
            names.add(source.name)
            yield replace(source, name=f"{source.name} ({path})") if taken else source
    for name in dict.fromkeys(stacks):
        bar.reading(name)
        try:
            yield pulumi.read_stack(name)
        except SourceUnreadable as error:
            yield unreadable(name, error)


def sweep(
    sources: Iterable[Source],
    checker: Checker,
    bar: ProgressBar,
    settings: Settings,
    platform: Platform | None,
) -> AuditReport:
    """Return what is known at the end, or when KeyboardInterrupt comes.

    ``platform`` is that of the images whose source does not say one. ECR is asked about one source
    while the next is read.
    """
    began = datetime.now(timezone.utc)
    read: list[Source] = []
    known: dict[ImageUse, Finding] = {}
    complete = False
    try:
        with bar:
            for source in sources:
                uses = tuple(
                    configured(replace(use, platform=use.platform or platform), settings)
                    for use in source.uses
                )
                checker.start(uses)
                read.append(replace(source, uses=uses))
            distinct = tuple(dict.fromkeys(use for source in read for use in source.uses))
            bar.asking(len(distinct))
            for finding in _handed_over(checker.check_each(distinct)):
                known[finding.use] = finding
                bar.answered()
        complete = True
    except KeyboardInterrupt:
        checker.close()
    audited = tuple(
        AuditedSource(
            source, tuple(source.foreseen(known[use]) for use in source.uses if use in known)
        )
        for source in read
    )
    findings = [finding for each in audited for finding in each.findings]
    return AuditReport(audited, checker.summary(findings), began, complete)


def _handed_over(findings: Iterator[Finding]) -> Iterator[Finding]:
    """Yield ``findings``, for which a thread waits.

    The exception of a signal, which only the main thread gets, breaks the locks of Python's that it
    waits on. This queue has none.
    """
    handed: SimpleQueue[Finding | BaseException | None] = SimpleQueue()

    def hand_over() -> None:
        try:
            for finding in findings:
                handed.put(finding)
            handed.put(None)
        except BaseException as error:
            handed.put(error)

    Thread(target=hand_over, daemon=True).start()
    while True:
        try:
            finding = handed.get(timeout=_LOOK_AGAIN)
        except Empty:
            continue
        if finding is None:
            return
        if isinstance(finding, BaseException):
            raise finding
        yield finding
