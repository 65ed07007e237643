"""The audit: every source is read, every image checked, and what is known is reported."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

from layerguard.checking.checker import Checker
from layerguard.discovery import ImageUse
from layerguard.enforcement import Finding, apply_or_bug, decide_or_bug
from layerguard.platform import Platform
from layerguard.settings import Settings
from layerguard.verdict import Verdict

from layerguard_cli.audit.progress import ProgressBar
from layerguard_cli.reports.audit_report import AuditedSource, AuditReport
from layerguard_cli.sources.places import Reader, unreadable
from layerguard_cli.sources.running_stack import Pulumi
from layerguard_cli.sources.shard import Shard
from layerguard_cli.sources.source import Source, SourceUnreadable

T = TypeVar("T")
_log = logging.getLogger("layerguard.discovery")
_SIGNAL_CHECK = 0.5  # seconds until a signal that came just before a wait is noticed
# Image uses that are read ahead of the verdicts: enough to keep every call to ECR busy.
_AHEAD = 2_000


def read_sources(
    places: Iterable[str],
    stacks: Iterable[str],
    reader: Reader,
    pulumi: Pulumi,
    bar: ProgressBar,
    shard: Shard,
) -> Iterator[Source]:
    """Yield the sources in their order; the second of one name is named with its place."""
    names: set[str] = set()
    for place in dict.fromkeys(places):
        bar.reading(place)
        for path, source in reader.read(place):
            taken = source.name in names
            names.add(source.name)
            yield replace(source, name=f"{source.name} ({path})") if taken else source
    for name in filter(shard.takes, dict.fromkeys(stacks)):
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
    keeps: Callable[[Finding], bool] = lambda _: True,
) -> AuditReport:
    """Return what is known at the end, or when KeyboardInterrupt is raised.

    ``platform`` is that of the images whose source has none. The images of one source are checked
    while the next is read. A finding that the report does not ``keep`` is only counted, and its
    image use forgotten: the memory grows with what is reported, not with what is read.
    """
    audit = _Audit(checker, settings, keeps)
    began = datetime.now(timezone.utc)
    complete = False
    try:
        with bar:
            for source in sources:
                uses = [_prepared(use, settings, platform) for use in source.uses]
                _log.info("%s: %d image uses", source.name, len(uses))
                audit.read(source, uses)
                while audit.uses_ahead > _AHEAD:
                    audit.decide_first(lambda: None)
            bar.asking(audit.uses_ahead)
            while audit.ahead:
                audit.decide_first(bar.answered)
        complete = True
    except KeyboardInterrupt:
        checker.close()
        audit.decide_known()
    return audit.report(began, complete=complete)


class _Audit:
    """The sources that were read, in their order: those with findings, then those ``ahead``."""

    def __init__(
        self, checker: Checker, settings: Settings, keeps: Callable[[Finding], bool]
    ) -> None:
        self.ahead: deque[Source] = deque()
        self.uses_ahead = 0
        self._checker = checker
        self._settings = settings
        self._keeps = keeps
        self._known: dict[ImageUse, Verdict] = {}
        self._audited: list[AuditedSource] = []
        self._verdicts: list[Verdict] = []

    def read(self, source: Source, uses: Iterable[ImageUse]) -> None:
        """Take a source, and start to check its images."""
        source = replace(source, uses=tuple(uses))
        self._checker.start(source.uses)
        self.ahead.append(source)
        self.uses_ahead += len(source.uses)

    def decide_first(self, answered: Callable[[], None]) -> None:
        """Wait for the verdicts on the first source ahead, and decide about its uses."""
        distinct = tuple(dict.fromkeys(self.ahead[0].uses))
        self._known = {}
        for use, verdict in _from_a_thread(self._checker.check_each(distinct)):
            self._known[use] = verdict
            answered()
        self._decide(self._known)

    def decide_known(self) -> None:
        """Decide about what is known by now, and wait for nothing."""
        while self.ahead:
            self._decide(self._known | dict(self._checker.known(self.ahead[0].uses)))
            self._known = {}

    def report(self, began: datetime, *, complete: bool) -> AuditReport:
        """Return the report on all sources that have findings."""
        summary = self._checker.summary(self._verdicts)
        return AuditReport(tuple(self._audited), summary, began, complete)

    def _decide(self, verdicts: Mapping[ImageUse, Verdict]) -> None:
        source = self.ahead.popleft()
        self.uses_ahead -= len(source.uses)
        audited = AuditedSource.of(
            source,
            (
                decide_or_bug(use, verdicts[use], self._settings, source.run)
                if use in verdicts
                else None
                for use in source.uses
            ),
        )
        self._verdicts += (each.verdict for each in audited.findings)
        self._audited.append(audited.keeping(self._keeps))


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
