"""The audit: every source is read, every image checked, and what is known is reported."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

from layerguard.checking.checker import Checker
from layerguard.discovery import ImageUse
from layerguard.enforcement import apply_or_bug, decide_or_bug
from layerguard.platform import Platform
from layerguard.settings import Settings
from layerguard.verdict import Verdict

from layerguard_cli.audit.progress import ProgressBar
from layerguard_cli.reports.audit_report import AuditedSource, AuditReport
from layerguard_cli.sources.places import Reader, unreadable
from layerguard_cli.sources.running_stack import Pulumi
from layerguard_cli.sources.source import Source, SourceUnreadable

T = TypeVar("T")
_log = logging.getLogger("layerguard.discovery")
_SIGNAL_CHECK = 0.5  # seconds until a signal that came just before a wait is noticed


def read_sources(
    places: Iterable[str], stacks: Iterable[str], reader: Reader, pulumi: Pulumi, bar: ProgressBar
) -> Iterator[Source]:
    """Yield the sources in their order; the second of one name is named with its place."""
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


def audit_sources(
    sources: Iterable[Source],
    checker: Checker,
    bar: ProgressBar,
    settings: Settings,
    platform: Platform | None,
) -> AuditReport:
    """Return what is known at the end, or when KeyboardInterrupt is raised.

    ``platform`` is that of the images whose source has none. The images of one source are checked
    while the next is read.
    """
    began = datetime.now(timezone.utc)
    read: list[Source] = []
    verdicts: dict[ImageUse, Verdict] = {}
    complete = False
    try:
        with bar:
            for source in sources:
                uses = tuple(_prepared(use, settings, platform) for use in source.uses)
                _log.info("%s: %d image uses", source.name, len(uses))
                checker.start(uses)
                read.append(replace(source, uses=uses))
            distinct = tuple(dict.fromkeys(use for source in read for use in source.uses))
            bar.asking(len(distinct))
            for use, verdict in _from_a_thread(checker.check_each(distinct)):
                verdicts[use] = verdict
                bar.answered()
        complete = True
    except KeyboardInterrupt:
        checker.close()
    audited = tuple(_audited(source, verdicts, settings) for source in read)
    summary = checker.summary([each.verdict for source in audited for each in source.findings])
    return AuditReport(audited, summary, began, complete)


def _audited(
    source: Source, verdicts: Mapping[ImageUse, Verdict], settings: Settings
) -> AuditedSource:
    return AuditedSource.of(
        source,
        (
            decide_or_bug(use, verdicts[use], settings, source.run) if use in verdicts else None
            for use in source.uses
        ),
    )


def _prepared(use: ImageUse, settings: Settings, platform: Platform | None) -> ImageUse:
    return apply_or_bug(replace(use, platform=use.platform or platform), settings)


def _from_a_thread(items: Iterator[T]) -> Iterator[T]:
    """Yield ``items``, for which a thread waits.

    KeyboardInterrupt, which only the main thread gets, may break the locks that ``items`` waits
    on. SimpleQueue has none of Python's.
    """
    ready: SimpleQueue[T | BaseException | None] = SimpleQueue()

    def produce() -> None:
        try:
            for item in items:
                ready.put(item)
            ready.put(None)
        except BaseException as error:
            ready.put(error)

    Thread(target=produce, daemon=True).start()
    while True:
        try:
            item = ready.get(timeout=_SIGNAL_CHECK)
        except Empty:
            continue
        if item is None:
            return
        if isinstance(item, BaseException):
            raise item
        yield item
