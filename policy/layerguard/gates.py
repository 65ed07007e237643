"""The gates: policies that turn judgements into violations.

The only module that knows ``pulumi_policy``, and the only error boundary: whatever goes wrong
inside becomes a judgement, never an exception that ends the deployment.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from enum import Enum
from types import MappingProxyType
from typing import Any, TextIO

from pulumi_policy import ReportViolation, ResourceValidationArgs, StackValidationArgs, proxy

from layerguard.discovery import Voice
from layerguard.errors import SettingsInvalid
from layerguard.identity import ORDINARY, Identity
from layerguard.inspection import Inspector, Judgement
from layerguard.inspection.inspector import subject_of
from layerguard.inspection.provenance import during_the_update, foreseen, is_pushed
from layerguard.inspection.rules import configured, stops, under
from layerguard.inspection.survey import Survey
from layerguard.inspection.trail import Trail, TrailFile
from layerguard.investigation.limits import Limits
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
        inspector: Inspector,
        off: str | None,
        stderr: TextIO,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._mode = mode
        self._inspector = inspector
        self._off = off
        self._stderr = stderr
        self._survey = Survey(SENTINELS, environment)
        self._trail_file = TrailFile.of(environment)
        self._trail: Trail | None = None
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
        seen = self._survey.see(args)
        uses = [configured(use, settings) for use in seen.uses]
        if self._mode is not Mode.UPDATE:
            self._inspector.start(uses)
            return
        self._follow_trail(
            [ORDINARY, *settings.identities.values(), *(use.identity for use in uses)]
        )
        provided = self._survey.provisions
        for use in uses:
            if is_pushed(use.target, provided):
                # What ECR said of it before the push is no longer true.
                self._inspector.forget(use)
        # Nobody waits for what only the notice speaks of: a component's images are its children's.
        self._inspector.start(use for use in uses if not is_pushed(use.target, provided))
        gated = [use for use in uses if use.voice is Voice.GATE and not seen.component]
        judged = (under(settings, each) for each in self._inspector.judge(gated))
        violations = [during_the_update(each, provided) for each in judged if stops(settings, each)]
        for judgement in violations:
            report(judgement.message, args.urn)
        if violations:
            # The engine ends a stopped update without AnalyzeStack, and kills the pack.
            every = (configured(use, settings) for use in self._survey.uses)
            self._sum_up([under(settings, each) for each in self._inspector.judge(every)])

    def preview_gate(self, args: StackValidationArgs, report: ReportViolation) -> None:
        """Report the whole stack's unavailable images; in update the update gate has done so."""
        if self._off:
            return
        settings = self._settings(args)
        judgements = self._judge(args, settings)
        if self._mode is not Mode.UPDATE:
            for judgement in judgements:
                if stops(settings, judgement):
                    report(judgement.message, judgement.use.urn)
        self._sum_up(judgements)

    def notice(self, args: StackValidationArgs, report: ReportViolation) -> None:
        """Report what could not be verified and why, so that silence always means checked."""
        if self._off:
            report(self._off, None)
            return
        settings = self._settings(args)
        judgements = self._judge(args, settings)
        if self._mode is Mode.PREVIEW:
            self._leave_trail(judgements)
        for judgement in judgements:
            if _is_noted(judgement) and not stops(settings, judgement):
                report(judgement.message, judgement.use.urn)
        for bug in self._bugs:
            report(bug, None)
        self._sum_up(judgements)

    def _leave_trail(self, judgements: Iterable[Judgement]) -> None:
        provided = self._survey.provisions
        self._trail_file.write(
            Trail.of(
                subject_of(each.use, each.use.target)
                for each in judgements
                # What is pushed only during the update is not worth a question before.
                if isinstance(each.use.target, ImageReference)
                and not is_pushed(each.use.target, provided)
            )
        )

    def _follow_trail(self, identities: Iterable[Identity]) -> None:
        """Begin to ask, as each of ``identities``, what the preview before asked as it."""
        with self._lock:
            self._trail = self._trail or self._trail_file.read()
            news = [each for each in dict.fromkeys(identities) if each not in self._followed]
            self._followed.update(news)
        for identity in news:
            self._inspector.start_ahead(self._trail.leading(identity))

    def _sum_up(self, judgements: Iterable[Judgement]) -> None:
        """Print the run in numbers on stderr; never the same numbers twice."""
        summary = str(self._inspector.summary(judgements))
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

    def _judge(self, args: StackValidationArgs, settings: Settings) -> tuple[Judgement, ...]:
        """Judge every use of the stack's resources, with what the whole stack knows of it."""
        updating = self._mode is Mode.UPDATE
        self._limit(settings)
        survey = self._survey.of_stack(args.resources, read_unseen=not updating)
        uses = (configured(use, settings) for use in survey.uses())
        judgements = tuple(under(settings, each) for each in self._inspector.judge(uses))
        if self._mode is Mode.PREVIEW:
            provided = self._survey.provisions
            return tuple(foreseen(each, provided, survey.stack) for each in judgements)
        # In update nothing waited for a component's images: only the notice may speak of them.
        return tuple(
            replace(each, voice=Voice.NOTICE)
            if updating and survey.is_component(each.use.urn)
            else each
            for each in judgements
        )

    def _limit(self, settings: Settings) -> None:
        # What is not there yet may only come while something is really made, or is long made.
        absent = 0.0 if self._mode is Mode.PREVIEW else settings.wait_seconds
        limits = Limits(
            settings.timeout_seconds, settings.total_timeout_seconds, absent, settings.concurrency
        )
        self._inspector.limit(limits, settings.pull_through_cache_prefixes)

    def _settings(self, args: StackValidationArgs) -> Settings:
        config = args.get_config()
        return Settings.parse(config) if config else self._shared_settings


def _is_noted(judgement: Judgement) -> bool:
    """Tell whether the notice speaks of it where no gate does."""
    state = judgement.verdict.state
    quiet = judgement.voice is Voice.NOTICE and state is State.UNAVAILABLE
    quiet = quiet or judgement.verdict.code is Code.EXEMPT
    return quiet or state in (State.UNDETERMINED, State.PENDING)


def _bug(error: Exception, where: str) -> str:
    return f"This is a bug of Layerguard, in {where}: {type(error).__name__}: {error}"
