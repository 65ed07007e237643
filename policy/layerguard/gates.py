"""The gates: policies that turn findings into violations.

The only module that knows ``pulumi_policy``, and the only error boundary: whatever goes wrong
inside becomes a finding, never an exception that ends the deployment.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from enum import Enum
from types import MappingProxyType
from typing import Any, TextIO

from pulumi_policy import ReportViolation, ResourceValidationArgs, StackValidationArgs, proxy

from layerguard.checking.checker import Checker, request_for
from layerguard.checking.limits import Limits
from layerguard.checking.prefetch import Prefetch, PrefetchFile
from layerguard.discovery import Voice
from layerguard.discovery.resources import DiscoveredResources
from layerguard.enforcement.finding import Finding
from layerguard.enforcement.provenance import during_the_update, foreseen, is_pushed
from layerguard.enforcement.rules import configured, stops, under
from layerguard.errors import SettingsInvalid
from layerguard.identity import ORDINARY, Identity
from layerguard.reference import ImageReference
from layerguard.settings import Settings
from layerguard.verdict import Code, State

SENTINELS = frozenset(
    {
        proxy.UNKNOWN_ARCHIVE_VALUE,
        proxy.UNKNOWN_ARRAY_VALUE,
        proxy.UNKNOWN_ASSET_VALUE,
        proxy.UNKNOWN_BOOLEAN_VALUE,
        proxy.UNKNOWN_NUMBER_VALUE,
        proxy.UNKNOWN_OBJECT_VALUE,
        proxy.UNKNOWN_STRING_VALUE,
    }
)


class Mode(Enum):
    """What the engine is doing. A preview and the update after it are two runs of the pack."""

    PREVIEW = "preview"
    UPDATE = "update"
    ANALYZE = "analyze"

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Mode:
        """Return the mode that the engine tells a pack in its environment."""
        dry_run = environment.get("PULUMI_DRY_RUN")
        if dry_run is None:
            return cls.ANALYZE
        return cls.PREVIEW if dry_run == "true" else cls.UPDATE


class Gates:
    """The three policies of one run, and what they share: what each resource brings.

    Where they are ``off``, they say that and nothing else.
    The policy server calls from several threads; ``_lock`` guards what they share.
    """

    def __init__(
        self,
        mode: Mode,
        checker: Checker,
        off: str | None,
        stderr: TextIO,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._mode = mode
        self._checker = checker
        self._off = off
        self._stderr = stderr
        self._discovered = DiscoveredResources(SENTINELS, environment)
        self._prefetch_file = PrefetchFile.of(environment)
        self._prefetch: Prefetch | None = None
        self._followed: set[Identity] = set()
        self._lock = threading.Lock()
        self._shared_settings = Settings()
        self._bugs: list[str] = []
        self._refused: set[str] = set()
        self._summary = ""

    def update_gate(self, args: ResourceValidationArgs, report: ReportViolation) -> None:
        """Stop a resource before it is made; in preview only start the checks and return."""
        if self._off:
            return
        settings = Settings.parse(args.get_config())
        with self._lock:
            self._shared_settings = settings
        self._limit(settings)
        seen = self._discovered.see(args)
        uses = [configured(use, settings) for use in seen.uses]
        if self._mode is not Mode.UPDATE:
            self._checker.start(uses)
            return
        self._start_prefetch(
            [ORDINARY, *settings.identities.values(), *(use.identity for use in uses)]
        )
        provided = self._discovered.provisions
        for use in uses:
            if is_pushed(use.target, provided):
                # What ECR said of it before the push is no longer true.
                self._checker.forget(use)
        # Nobody waits for what only the notice speaks of: a component's images are its children's.
        self._checker.start(use for use in uses if not is_pushed(use.target, provided))
        gated = [use for use in uses if use.voice is Voice.GATE and not seen.component]
        judged = (under(settings, each) for each in self._checker.judge(gated))
        violations = [during_the_update(each, provided) for each in judged if stops(settings, each)]
        for finding in violations:
            report(finding.message, args.urn)
        if violations:
            # The engine ends a stopped update without AnalyzeStack, and kills the pack.
            every = (configured(use, settings) for use in self._discovered.uses)
            self._sum_up([under(settings, each) for each in self._checker.judge(every)])

    def preview_gate(self, args: StackValidationArgs, report: ReportViolation) -> None:
        """Report the whole stack's unavailable images; in update the update gate has done so."""
        if self._off:
            return
        settings = self._settings(args)
        findings = self._judge(args, settings)
        if self._mode is not Mode.UPDATE:
            for finding in findings:
                if stops(settings, finding):
                    report(finding.message, finding.use.urn)
        self._sum_up(findings)

    def notice(self, args: StackValidationArgs, report: ReportViolation) -> None:
        """Report what could not be verified and why, so that silence always means checked."""
        if self._off:
            report(self._off, None)
            return
        settings = self._settings(args)
        findings = self._judge(args, settings)
        if self._mode is Mode.PREVIEW:
            self._write_prefetch(findings)
        for finding in findings:
            if _is_noted(finding) and not stops(settings, finding):
                report(finding.message, finding.use.urn)
        for bug in self._bugs:
            report(bug, None)
        self._sum_up(findings)

    def _write_prefetch(self, findings: Iterable[Finding]) -> None:
        provided = self._discovered.provisions
        self._prefetch_file.write(
            Prefetch.of(
                request_for(each.use, each.use.target)
                for each in findings
                # What is pushed only during the update is not worth a question before.
                if isinstance(each.use.target, ImageReference)
                and not is_pushed(each.use.target, provided)
            )
        )

    def _start_prefetch(self, identities: Iterable[Identity]) -> None:
        """Begin to ask, as each of ``identities``, what the preview before asked as it."""
        with self._lock:
            self._prefetch = self._prefetch or self._prefetch_file.read()
            news = [each for each in dict.fromkeys(identities) if each not in self._followed]
            self._followed.update(news)
        for identity in news:
            self._checker.start_ahead(self._prefetch.leading(identity))

    def _sum_up(self, findings: Iterable[Finding]) -> None:
        """Print the run in numbers on stderr; never the same numbers twice."""
        summary = str(self._checker.summary(findings))
        with self._lock:
            if summary == self._summary:
                return
            self._summary = summary
        print(summary, file=self._stderr, flush=True)

    def guarded(self, validate: Callable[..., None]) -> Callable[..., None]:
        """Return ``validate`` so that no exception leaves it: one would end the whole operation.

        A wrong configuration is a violation of the policy that has it: of every resource that
        would be made, and else once. A bug stops nobody: the notice speaks of it.
        """

        def guarded(args: Any, report: ReportViolation) -> None:
            try:
                validate(args, report)
            except SettingsInvalid as error:
                if self._mode is Mode.UPDATE or self._is_news(f"{validate.__name__} {error}"):
                    report(str(error), None)
            except Exception as error:
                bug = f"{Code.INTERNAL_ERROR.text}: {_bug(error, validate.__name__)}"
                if validate == self.notice:
                    report(bug, None)
                with self._lock:
                    self._bugs.append(bug)

        return guarded

    def _is_news(self, refused: str) -> bool:
        with self._lock:
            news = refused not in self._refused
            self._refused.add(refused)
            return news

    def _judge(self, args: StackValidationArgs, settings: Settings) -> tuple[Finding, ...]:
        """Judge every use of the stack's resources, with what the whole stack knows of it."""
        updating = self._mode is Mode.UPDATE
        self._limit(settings)
        discovered = self._discovered.of_stack(args.resources, read_unseen=not updating)
        uses = (configured(use, settings) for use in discovered.uses())
        findings = tuple(under(settings, each) for each in self._checker.judge(uses))
        if self._mode is Mode.PREVIEW:
            provided = self._discovered.provisions
            return tuple(foreseen(each, provided, discovered.stack) for each in findings)
        # In update nothing waited for a component's images: only the notice may speak of them.
        return tuple(
            replace(each, voice=Voice.NOTICE)
            if updating and discovered.is_component(each.use.urn)
            else each
            for each in findings
        )

    def _limit(self, settings: Settings) -> None:
        # What is not there yet may only come while something is really made, or is long made.
        absent = 0.0 if self._mode is Mode.PREVIEW else settings.wait_seconds
        limits = Limits(
            settings.timeout_seconds, settings.total_timeout_seconds, absent, settings.concurrency
        )
        self._checker.limit(limits, settings.pull_through_cache_prefixes)

    def _settings(self, args: StackValidationArgs) -> Settings:
        config = args.get_config()
        return Settings.parse(config) if config else self._shared_settings


def _is_noted(finding: Finding) -> bool:
    """Tell whether the notice speaks of it where no gate does."""
    state = finding.verdict.state
    quiet = finding.voice is Voice.NOTICE and state is State.UNAVAILABLE
    quiet = quiet or finding.verdict.code is Code.EXEMPT
    return quiet or state in (State.UNDETERMINED, State.PENDING)


def _bug(error: Exception, where: str) -> str:
    return f"This is a bug of Layerguard, in {where}: {type(error).__name__}: {error}"
