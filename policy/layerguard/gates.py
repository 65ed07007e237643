"""The gates: policies that turn findings into violations.

With ``policies`` the only importer of ``pulumi_policy``, and the only error boundary. A bug in a
step that concerns one image or one resource becomes a finding on it; a bug in a gate itself becomes
a violation of that gate where the team fails closed, and otherwise a notice. No exception leaves.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TextIO

from pulumi_policy import ReportViolation, ResourceValidationArgs, StackValidationArgs, proxy

from layerguard.bug import bug_text, log_bug
from layerguard.checking.checker import Checker, Summary, request_for
from layerguard.checking.limits import Limits
from layerguard.checking.prefetch import Prefetch, PrefetchFile
from layerguard.discovery import ImageUse
from layerguard.discovery.resources import (
    DiscoveredResources,
    DiscoveredStack,
    Read,
    read_resource,
)
from layerguard.enforcement import (
    Apply,
    Decide,
    Enforcement,
    Finding,
    Mode,
    Run,
    apply_or_bug,
    apply_settings,
    decide,
    decide_or_bug,
    grouped,
    may_block,
)
from layerguard.errors import SettingsInvalid
from layerguard.identity import ORDINARY, Identity
from layerguard.legible import legible_line, legible_lines
from layerguard.reference import ImageReference
from layerguard.settings import Settings, Undetermined
from layerguard.verdict import Code, Verdict, bug_in

_log = logging.getLogger(__name__)

SENTINELS = frozenset(value for name, value in vars(proxy).items() if name.startswith("UNKNOWN_"))
"""The strings that stand for unknown values in what the SDK hands over."""


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of a run, each a function: a test may plant a fault into any of them."""

    read: Read = read_resource
    apply_settings: Apply = apply_settings
    decide: Decide = decide
    render: Callable[[Finding], str] = lambda finding: finding.message
    prefetch_file: Callable[[Mapping[str, str]], PrefetchFile] = PrefetchFile.of
    summarise: Callable[[Summary], str] = str


class Gates:
    """The three policies of one run, and what they share: what each resource brings.

    Where they are ``off``, the notice says that and nothing else happens. The policy server calls
    from several threads; ``_lock`` guards what they share.
    """

    def __init__(
        self,
        mode: Mode,
        checker: Checker,
        off: str | None,
        stderr: TextIO,
        environment: Mapping[str, str] = MappingProxyType({}),
        steps: Steps | None = None,
    ) -> None:
        _log.info("The engine runs the pack in the mode %s", mode.value)
        self._mode = mode
        self._checker = checker
        self._off = off
        self._stderr = stderr
        self._steps = steps or Steps()
        self._environment = environment
        self._discovered = DiscoveredResources(SENTINELS, environment, self._steps.read)
        self._lock = threading.Lock()
        self._settings = Settings()
        self._prefetch: Prefetch | None = None
        self._prefetched: set[Identity] = set()
        self._bugs: list[str] = []
        self._refused: set[str] = set()
        self._summary = ""

    def update_gate(self, args: ResourceValidationArgs, report: ReportViolation) -> None:
        """Stop a resource before it is made; in a preview only start the checks and return."""
        if self._off:
            return
        settings = Settings.parse(args.get_config())
        with self._lock:
            if settings != self._settings:
                _log.info("The configuration is %s", settings)
            self._settings = settings
        self._limit(settings)
        found = self._discovered.discover(args)
        uses = [self._apply(use, settings) for use in found.uses]
        if self._mode is not Mode.UPDATE:
            self._checker.start(uses)
            return
        self._guess(settings, uses)
        run = self._run(components=[args.urn] if found.is_component else ())
        findings = self._findings(self._fresh(uses, run), settings, run)
        blocking = [each for each in findings if each.enforcement is Enforcement.BLOCK]
        for finding in blocking:
            self._report(finding, args.urn, report)
        _log_findings(args.urn, findings)
        if blocking:
            # The engine ends a stopped update without AnalyzeStack, and kills the pack. It waits
            # for this, so that what is not known yet is left out.
            every = [self._apply(use, settings) for use in self._discovered.uses]
            self._sum_up(self._decided(self._checker.known(every), settings, run))

    def preview_gate(self, args: StackValidationArgs, report: ReportViolation) -> None:
        """Report the whole stack's blocking findings; in an update the update gate has done so."""
        if self._off:
            return
        findings = self._of_stack(args)
        _log_findings("the stack", findings)
        if self._mode is not Mode.UPDATE:
            self._report_grouped(findings, Enforcement.BLOCK, report)
        self._sum_up(findings)

    def notice(self, args: StackValidationArgs, report: ReportViolation) -> None:
        """Report what could not be verified and why, so that silence always means checked."""
        if self._off:
            report(self._off, None)
            return
        findings = self._of_stack(args)
        if self._mode is Mode.PREVIEW:
            self._write_prefetch(findings)
        self._report_grouped(findings, Enforcement.WARN, report)
        for endpoint in sorted(self._checker.foreign_endpoints):
            report(
                legible_line(
                    f"ECR was asked at {endpoint}, which is not AWS's own endpoint: the verdicts "
                    "are as true as its answers."
                ),
                None,
            )
        self._report_bugs(report)
        self._sum_up(findings)

    def validate(self, gate: str, args: Any, report: ReportViolation) -> None:
        """Run the method ``gate``; no exception leaves it: one would end the whole operation.

        A wrong configuration is a violation of the policy that has it: of every resource that would
        be made, and otherwise once. A bug is a violation where the team fails closed, and otherwise
        in the notice.
        """
        try:
            getattr(self, gate)(args, report)
        except SettingsInvalid as error:
            _log.warning("The configuration is refused: %s", error)
            if self._mode is Mode.UPDATE or self._is_first(f"{gate} {error}"):
                report(legible_lines(str(error).splitlines()), None)
        except Exception as error:
            text = bug_of_gate(gate.replace("_", " "), error)
            if gate == "notice":
                self._note(text)
                self._report_bugs(report)
            elif self._fails_closed(args):
                report(text, None)
            else:
                self._note(text)

    def _fails_closed(self, args: Any) -> bool:
        config = args.get_config()
        if not config:
            return self._settings.undetermined is Undetermined.FAIL
        return bool(config.get("undetermined") == Undetermined.FAIL.value)

    def _apply(self, use: ImageUse, settings: Settings) -> ImageUse:
        return apply_or_bug(use, settings, self._steps.apply_settings)

    def _fresh(self, uses: Sequence[ImageUse], run: Run) -> list[ImageUse]:
        """Return the uses that may stop their resource, after starting to check all of them.

        What ECR answered about an image before this stack pushed it is no longer true.
        """
        for use in uses:
            if run.pushes(use.target):
                self._checker.forget(use)
        self._checker.start(use for use in uses if not run.pushes(use.target))
        return [use for use in uses if may_block(use, run)]

    def _findings(
        self, uses: Sequence[ImageUse], settings: Settings, run: Run
    ) -> tuple[Finding, ...]:
        verdicts = self._checker.check(uses)
        return self._decided(zip(uses, verdicts, strict=True), settings, run)

    def _decided(
        self, verdicts: Iterable[tuple[ImageUse, Verdict]], settings: Settings, run: Run
    ) -> tuple[Finding, ...]:
        return tuple(
            decide_or_bug(use, verdict, settings, run, self._steps.decide)
            for use, verdict in verdicts
        )

    def _of_stack(self, args: StackValidationArgs) -> tuple[Finding, ...]:
        """Return the finding on every use of the stack's resources."""
        config = args.get_config()
        settings = Settings.parse(config) if config else self._settings
        self._limit(settings)
        stack = self._discovered.of_stack(args.resources, read_unseen=self._mode is not Mode.UPDATE)
        uses = [self._apply(use, settings) for use in stack.uses()]
        return self._findings(uses, settings, self._run(stack))

    def _run(self, stack: DiscoveredStack | None = None, components: Iterable[str] = ()) -> Run:
        provisions = self._discovered.provisions
        if stack is None:
            return Run(self._mode, provisions, components=frozenset(components))
        return Run(self._mode, provisions, stack.graph, stack.components)

    def _limit(self, settings: Settings) -> None:
        # What is not there yet may only come while something is really made, or was made.
        absent = 0.0 if self._mode is Mode.PREVIEW else settings.wait_seconds
        limits = Limits(
            settings.timeout_seconds, settings.total_timeout_seconds, absent, settings.concurrency
        )
        self._checker.limit(limits, settings.pull_through_cache_prefixes)

    def _report_grouped(
        self, findings: Iterable[Finding], enforcement: Enforcement, report: ReportViolation
    ) -> None:
        """Report the findings of this ``enforcement``, a cause that several share once."""
        for group in grouped(each for each in findings if each.enforcement is enforcement):
            if len(group.findings) > 1:
                try:
                    report(group.message, None)
                    continue
                except Exception as error:  # whatever is wrong with the words, each is reported
                    log_bug(bug_text("in rendering a group", error), error)
            for finding in group.findings:
                self._report(finding, finding.use.urn, report)

    def _report(self, finding: Finding, urn: str, report: ReportViolation) -> None:
        """Report ``finding``; whatever is wrong with its words, it is reported."""
        try:
            report(self._steps.render(finding), urn or None)
        except Exception as error:
            text = f"{finding.verdict.code.text}: {finding.use.path}"
            problem = f"  {bug_text('in rendering', error)}"
            log_bug(problem.lstrip(), error)
            report(legible_lines([text, problem]), legible_line(urn) or None)

    def _report_bugs(self, report: ReportViolation) -> None:
        with self._lock:
            bugs, self._bugs = self._bugs, []
        for text in bugs:
            report(text, None)

    def _write_prefetch(self, findings: Iterable[Finding]) -> None:
        run = self._run()
        try:
            self._steps.prefetch_file(self._environment).write(
                Prefetch.of(
                    request_for(each.use, each.use.target)
                    for each in findings
                    # What is pushed only during the update is not worth a question before.
                    if isinstance(each.use.target, ImageReference)
                    and not each.use.is_secret
                    and not run.pushes(each.use.target)
                )
            )
        except Exception as error:
            self._note(bug_of_gate("writing the prefetch file", error))

    def _guess(self, settings: Settings, uses: Iterable[ImageUse]) -> None:
        """Start to check what the preview before asked as the identities known so far."""
        identities = [ORDINARY, *settings.identities.values(), *(use.identity for use in uses)]
        try:
            with self._lock:
                if self._prefetch is None:
                    self._prefetch = self._steps.prefetch_file(self._environment).read()
                prefetch = self._prefetch
                new = [each for each in dict.fromkeys(identities) if each not in self._prefetched]
                self._prefetched.update(new)
            for identity in new:
                requests = prefetch.requests_for(identity)
                _log.info("%d images are asked ahead as %s", len(requests), identity)
                self._checker.prefetch(requests)
        except Exception as error:
            with self._lock:
                self._prefetch = Prefetch()
            self._note(bug_of_gate("reading the prefetch file", error))

    def _sum_up(self, findings: Iterable[Finding]) -> None:
        """Print the run in numbers on stderr; never the same numbers twice."""
        try:
            summary = self._checker.summary(finding.verdict for finding in findings)
            text = self._steps.summarise(summary)
            with self._lock:
                if text == self._summary:
                    return
                self._summary = text
            print(text, file=self._stderr, flush=True)
        except Exception as error:
            self._note(bug_of_gate("summing up", error))

    def _note(self, text: str) -> None:
        with self._lock:
            if text not in self._bugs:
                self._bugs.append(text)

    def _is_first(self, refused: str) -> bool:
        with self._lock:
            is_first = refused not in self._refused
            self._refused.add(refused)
            return is_first


def _log_findings(where: str, findings: Sequence[Finding]) -> None:
    if _log.isEnabledFor(logging.INFO) and findings:
        numbers = Counter(finding.enforcement.value for finding in findings)
        counts = ", ".join(f"{numbers[each.value]} {each.value}" for each in Enforcement)
        _log.info("Findings on %s: %s", where, counts)
        for finding in findings:
            if finding.enforcement is not Enforcement.NONE:
                _log.info("%s: %s (%s)", finding.enforcement.value, finding.headline, finding.why)


def bug_of_gate(where: str, error: Exception) -> str:
    """Return the violation that reports a bug in a gate."""
    headline, *rest = bug_in(where, error).lines
    return legible_lines(
        [f"{Code.INTERNAL_ERROR.text}: {headline}", *(f"  {line}" for line in rest)]
    )
