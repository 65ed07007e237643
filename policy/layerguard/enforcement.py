"""Enforcement: what a gate does about an image use, decided in this one place.

``decide`` is a pure function from an image use, its verdict, the settings and what the run knows to
a ``Finding``. The first row of ``RULES`` that applies says what is done, and why in a sentence,
which is also what the notice says about an image that did not stop the deployment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TypeAlias

from layerguard.aws_registries import AwsRegistry, aws_registry
from layerguard.discovery import ImageUse, Naming, ResourceGraph, runtimes
from layerguard.discovery.provisions import Provides, Provision
from layerguard.discovery.runtimes import Candidate, Refusal
from layerguard.identity import without_credentials
from layerguard.legible import legible_lines
from layerguard.reference import ImageReference
from layerguard.registry.redaction import Redaction
from layerguard.settings import Exemption, RuleLevel, Settings, Undetermined
from layerguard.verdict import Code, Follows, State, Verdict, bug_in

MAX_GROUPED = 20
"""Image uses that a message about a group names."""


class Enforcement(Enum):
    """What a gate does about a finding."""

    BLOCK = "block"
    WARN = "warn"
    NONE = "none"


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


@dataclass(frozen=True, slots=True)
class Run:
    """What a run knows of its stack.

    ``provisions`` are the images and repositories that the stack itself puts into ECR, ``graph``
    what connects its resources, and ``components`` the URNs of those that only group others.
    """

    mode: Mode = Mode.ANALYZE
    provisions: tuple[Provision, ...] = ()
    graph: ResourceGraph = field(default_factory=lambda: ResourceGraph(()))
    components: frozenset[str] = frozenset()

    def makes(self, use: ImageUse) -> bool:
        """Tell whether the resource itself puts the image there, by which it then is."""
        return isinstance(use.target, ImageReference) and any(
            each.urn == use.urn and each.covers(use.target) for each in self.provisions
        )

    def pushes(self, target: ImageReference | Verdict) -> bool:
        """Tell whether a resource of the stack pushes the image, so that it may still change."""
        return isinstance(target, ImageReference) and any(
            each.provides is Provides.IMAGE and each.covers(target) for each in self.provisions
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """An image use, its verdict, what is done about it, and why in a sentence."""

    use: ImageUse
    verdict: Verdict
    enforcement: Enforcement
    why: str

    @property
    def headline(self) -> str:
        """``CODE: TITLE OF THE USE``."""
        return f"{self.verdict.code.text}: {self.use.title}"

    @property
    def lines(self) -> tuple[str, ...]:
        """The headline, and below it what explains the verdict and why it did not stop."""
        return (
            self.headline,
            *(f"  {line}" for line in self.verdict.lines),
            *([f"  not stopped: {self.why}"] if self.is_spared else ()),
        )

    @property
    def is_spared(self) -> bool:
        """Whether another configuration, or a surer place, would have stopped the deployment."""
        return self.enforcement is Enforcement.WARN and self.verdict.state in _MAY_BLOCK

    @property
    def place(self) -> str:
        """``TYPE NAME: PROPERTY PATH: REFERENCE AS WRITTEN``."""
        name = self.use.urn.rpartition("::")[2]
        resource = f"{self.use.resource_type} {name}: " if name else ""
        text = f": {self.use.text}" if self.use.text else ""
        return f"{resource}{self.use.path}{text}"

    @property
    def message(self) -> str:
        """The lines as one legible text, for the engine, a terminal or a log."""
        return legible_lines(self.lines)


@dataclass(frozen=True, slots=True)
class Group:
    """Findings that one message is enough for: one cause, one next step, several image uses."""

    findings: tuple[Finding, ...]

    @property
    def message(self) -> str:
        """The cause and the next step, then the image uses, as one legible text."""
        first = self.findings[0]
        return legible_lines(
            [
                f"{first.verdict.code.text}: {len(self.findings)} image uses",
                *(f"  {line}" for line in self.cause),
                *([f"  not stopped: {first.why}"] if first.is_spared else []),
                "  image uses:",
                *(f"    {place}" for place in self.places),
            ]
        )

    @property
    def cause(self) -> tuple[str, ...]:
        """The reason that they share, and the next step."""
        verdict = self.findings[0].verdict
        return (
            verdict.reason,
            *([f"next step: {verdict.next_step}"] if verdict.next_step else []),
            *(["the same for the other repositories"] if self._is_of_many else []),
        )

    @property
    def places(self) -> tuple[str, ...]:
        """The places of at most ``MAX_GROUPED`` of them, and how many there are besides."""
        more = len(self.findings) - MAX_GROUPED
        return (
            *(finding.place for finding in self.findings[:MAX_GROUPED]),
            *([f"and {more:,} more"] if more > 0 else []),
        )

    @property
    def _is_of_many(self) -> bool:
        """Whether the reason or the next step names the repository of the first use alone."""
        first = self.findings[0].verdict
        words = {(each.verdict.reason, each.verdict.next_step) for each in self.findings}
        return first.state is not State.PENDING and len(words) > 1


def grouped(findings: Iterable[Finding]) -> tuple[Group, ...]:
    """Return ``findings`` in groups, in their order, each where its first one stands.

    Those whose cause is not of one image share a group with their equals: of the same code, the
    same registry, and the same reason and next step but for the name of the repository. What is
    pending may have different reasons: what each waits for.
    """
    groups: dict[object, list[Finding]] = {}
    for number, finding in enumerate(findings):
        shared = Follows.CAUSE_IS_SHARED in finding.verdict.code.follows
        groups.setdefault(_cause(finding) if shared else number, []).append(finding)
    return tuple(Group(tuple(each)) for each in groups.values())


def _cause(finding: Finding) -> tuple[object, ...]:
    verdict, target = finding.verdict, finding.use.target
    words = [verdict.next_step, *([] if verdict.state is State.PENDING else [verdict.reason])]
    if not isinstance(target, ImageReference):
        return verdict.code, finding.why, *words
    there = target.repository
    same = (text.replace(there.name, "") for text in words)
    return verdict.code, finding.why, there.account, there.region, *same


Apply: TypeAlias = Callable[[ImageUse, Settings], ImageUse]
"""Returns a use as the settings want it checked."""
Decide: TypeAlias = Callable[[ImageUse, Verdict, Settings, Run], Finding]
"""Returns what is done about a use and the verdict on its image."""


@dataclass(frozen=True, slots=True)
class _Case:
    """What the rows of ``RULES`` look at."""

    use: ImageUse
    verdict: Verdict
    refusal: Refusal | None
    settings: Settings
    run: Run

    @property
    def code(self) -> Code:
        return self.verdict.code

    @property
    def state(self) -> State:
        return self.verdict.state


@dataclass(frozen=True, slots=True)
class Rule:
    """A row: when it applies, what is then done, and why."""

    applies: Callable[[_Case], bool]
    enforcement: Enforcement
    why: str


def _is_notice(level: RuleLevel) -> bool:
    return level is RuleLevel.NOTICE


_OF_A_ROLE = "sts:AssumeRole"
_MAY_BLOCK = (State.UNAVAILABLE, State.UNDETERMINED)
# fmt: off
RULES = (
    Rule(lambda case: case.code is Code.EXEMPT,                 Enforcement.WARN,  "The configuration exempts it."),
    Rule(lambda case: not case.verdict.is_certain and not (case.state is State.UNAVAILABLE and case.settings.undetermined is Undetermined.FAIL),
                                                                Enforcement.WARN,  "Container runtimes differ in what they do with this image."),
    Rule(lambda case: case.state is State.AVAILABLE,            Enforcement.NONE,  "Every layer is in ECR."),
    Rule(lambda case: case.state is State.SKIPPED,              Enforcement.NONE,  "It is not checked."),
    Rule(lambda case: case.state is State.PENDING and case.run.mode is Mode.PREVIEW,
                                                                Enforcement.WARN,   "It cannot be known before the update, which checks it."),
    Rule(lambda case: case.use.naming is Naming.OPTIONAL,       Enforcement.WARN,  "It is a cache, which may be absent."),
    Rule(lambda case: case.use.naming is Naming.DORMANT,        Enforcement.WARN,  "Nothing pulls it before it is scaled up, resumed or enabled."),
    Rule(lambda case: case.use.naming is Naming.FOUND and case.run.makes(case.use),
                                                                Enforcement.WARN,  "Its own resource pushes it."),
    Rule(lambda case: case.use.naming is Naming.CARRIED,        Enforcement.WARN,  "The text is only handed on, so it is not certain that anything pulls it."),
    Rule(lambda case: case.use.naming is Naming.FOUND and case.code is Code.NOT_AN_IMAGE and case.settings.undetermined is not Undetermined.FAIL,
                                                                Enforcement.WARN,  "It is not certain that a container is to run it: a chart or another artifact may stand there."),
    Rule(lambda case: case.run.mode is Mode.UPDATE and case.use.urn in case.run.components,
                                                                Enforcement.WARN,  "Its resource is a component, whose children were checked when they came up."),
    Rule(lambda case: case.code is Code.PLATFORM_MISSING and case.use.platform_is_presumed,
                                                                Enforcement.WARN,  "The platform that this runtime pulls is not documented."),
    Rule(lambda case: case.code is Code.PLATFORM_MISSING and _is_notice(case.settings.platform_rules),
                                                                Enforcement.WARN,  "The option platformRules is 'notice'."),
    Rule(lambda case: case.code is Code.RUNTIME_REJECTS and case.refusal is not None and not case.refusal.certain,
                                                                Enforcement.WARN,  "That the runtime refuses it is reported or likely, and not documented."),
    Rule(lambda case: case.code is Code.RUNTIME_REJECTS and _is_notice(case.settings.runtime_rules),
                                                                Enforcement.WARN,  "The option runtimeRules is 'notice'."),
    Rule(lambda case: case.state is State.UNAVAILABLE and case.verdict.is_certain,
                                                                Enforcement.BLOCK, "It is proven that the image cannot be pulled."),
    Rule(lambda case: case.settings.undetermined is Undetermined.FAIL,
                                                                Enforcement.BLOCK, "The option undetermined is 'fail'."),
    Rule(lambda _: True,                                        Enforcement.WARN,  "The option undetermined is 'notice'."),
)
# fmt: on


def decide(use: ImageUse, verdict: Verdict, settings: Settings, run: Run) -> Finding:
    """Return what is done about ``use``, on whose image ``verdict`` is."""
    verdict = _with_artifact(use, verdict)
    refusal = _refusal(use, verdict)
    verdict = _with_refusal(verdict, refusal, use)
    verdict = _with_provision(use, _with_owner(use, verdict), run)
    verdict = _with_exemption(use, verdict, settings)
    rule = _rule(_Case(use, verdict, refusal, settings, run))
    return _without_account(Finding(use, verdict, rule.enforcement, rule.why))


def may_block(use: ImageUse, run: Run) -> bool:
    """Tell whether any verdict on ``use`` could stop the deployment."""
    worst = Verdict(Code.LAYER_MISSING, "")
    return _rule(_Case(use, worst, None, Settings(), run)).enforcement is Enforcement.BLOCK


def _rule(case: _Case) -> Rule:
    return next(rule for rule in RULES if rule.applies(case))


def decide_or_bug(
    use: ImageUse, verdict: Verdict, settings: Settings, run: Run, step: Decide = decide
) -> Finding:
    """Return what ``step`` decides; a bug in it is the finding on this use alone."""
    try:
        return step(use, verdict, settings, run)
    except Exception as error:
        fails = settings.undetermined is Undetermined.FAIL and may_block(use, run)
        enforcement = Enforcement.BLOCK if fails else Enforcement.WARN
        verdict = bug_in("deciding", error, use.platform)
        return _without_account(Finding(use, verdict, enforcement, "Layerguard has a bug."))


def apply_or_bug(use: ImageUse, settings: Settings, step: Apply | None = None) -> ImageUse:
    """Return ``use`` as ``step`` returns it; a bug in it is the verdict on this use alone."""
    try:
        return (step or apply_settings)(use, settings)
    except Exception as error:
        return replace(use, target=bug_in("applying the settings", error, use.platform))


def apply_settings(use: ImageUse, settings: Settings) -> ImageUse:
    """Return ``use`` as ``settings`` want it checked.

    An identity of the settings wins over that of the resource's provider, known or not. Without
    platform rules every runnable platform is checked; without runtime rules any runtime takes any
    image. Nothing is asked at an endpoint that the stack chose, unless the settings trust it.
    """
    if settings.platform_rules is RuleLevel.OFF:
        use = replace(use, platform=None)
    if settings.runtime_rules is RuleLevel.OFF:
        use = replace(use, runtime=runtimes.ANY)
    if not isinstance(use.target, ImageReference):
        return use
    identity = settings.identity_for(use.target.repository.account)
    if identity is not None:
        return replace(use, identity=identity)
    if use.identity_unknown is not None:
        return replace(use, target=use.identity_unknown)
    endpoint = use.identity.ecr_endpoint
    if endpoint is not None and not settings.trusts(endpoint):
        return replace(use, target=_untrusted(Redaction(use.identity)(endpoint)))
    return use


def _untrusted(endpoint: str) -> Verdict:
    code = Code.ENDPOINT_UNTRUSTED
    reason = f"The resource's provider names {without_credentials(endpoint)} as ECR's endpoint."
    return Verdict(code, f"{code.meaning} {reason}", code.next_step)


def _with_artifact(use: ImageUse, verdict: Verdict) -> Verdict:
    """Return ``verdict``, or that an artifact is there, where the runtime mounts artifacts."""
    if verdict.code is not Code.NOT_AN_IMAGE or not use.runtime.mounts_artifacts:
        return verdict
    code = Code.AVAILABLE
    return replace(verdict, code=code, reason=code.meaning, next_step="", is_certain=True)


def _refusal(use: ImageUse, verdict: Verdict) -> Refusal | None:
    """Return why the use's runtime refuses the image, every reason in one, the certain first."""
    reference = use.target if isinstance(use.target, ImageReference) else None
    # The rules are about references: a place without one has a verdict of its own.
    if use.text is None or (reference is None and verdict.code is not Code.NOT_PRIVATE_ECR):
        return None
    candidate = Candidate(
        use.text,
        reference,
        use.placement,
        verdict.form,
        verdict.compressed,
        use.storage_gib,
    )
    refusals = use.runtime.refusals(candidate)
    if not refusals:
        return None
    reasons = " ".join(dict.fromkeys(refusal.reason for refusal in refusals))
    return replace(refusals[0], reason=reasons)


def _with_refusal(verdict: Verdict, refusal: Refusal | None, use: ImageUse) -> Verdict:
    """Return ``verdict``, or that the runtime refuses the image; no reason is lost.

    What the image itself lacks goes before what a runtime refuses, and what is certain before what
    is only likely.
    """
    if refusal is None:
        return verdict
    presumed = verdict.code is Code.PLATFORM_MISSING and use.platform_is_presumed
    is_weaker = (presumed or not verdict.is_certain) and refusal.certain
    stands = verdict.state is State.UNAVAILABLE and not is_weaker
    unsure = verdict.state is State.UNDETERMINED and not refusal.certain
    if stands or unsure:
        return replace(verdict, reason=f"{verdict.reason} {refusal.reason}")
    is_fine = verdict.state in (State.AVAILABLE, State.SKIPPED) and verdict.is_certain
    known = "" if is_fine else f" {verdict.reason}"
    return replace(
        verdict,
        code=Code.RUNTIME_REJECTS,
        reason=f"{refusal.reason}{known}",
        next_step=refusal.next_step,
        is_certain=True,
    )


def _with_owner(use: ImageUse, verdict: Verdict) -> Verdict:
    """Return ``verdict``; where a registry of AWS's own denies, with what its reader can do.

    Its repository policies cannot be changed, and many of them allow pulls and not the question.
    """
    if verdict.code is not Code.ACCESS_DENIED or not isinstance(use.target, ImageReference):
        return verdict
    if _OF_A_ROLE in verdict.reason:  # the registry was not asked at all
        return verdict
    there = use.target.repository
    registry = aws_registry(there.account)
    if registry is None:
        return verdict
    serves = registry.accounts.get(there.region)
    reason = f"The registry is AWS's own ({registry.name}), which only AWS can change."
    next_step = (
        f"nothing to change there: exempt the image (option exempt), or copy it into a repository "
        f"of your own; {serves} is the account that serves {there.region}."
        if serves == there.account
        else f"refer to the registry of the region: account {serves} serves {there.region}, "
        f"not {there.account}."
        if serves
        else f"look up in AWS's documentation which account serves {there.region}; {there.account} "
        f"serves {_regions_of(registry, there.account)}."
    )
    return replace(verdict, reason=f"{verdict.reason} {reason}", next_step=next_step)


def _regions_of(registry: AwsRegistry, account: str) -> str:
    return ", ".join(region for region, each in registry.accounts.items() if each == account)


def _with_provision(use: ImageUse, verdict: Verdict, run: Run) -> Verdict:
    """Return ``verdict`` with what the stack itself does about an image that is not there.

    In a preview it is pending; in an update the words say which dependency may be missing.
    """
    if verdict.code is Code.UNKNOWN_IN_PREVIEW:
        known = ", ".join(sorted(run.graph.sources_of(use.urn, use.path)))
        return (
            replace(verdict, reason=f"{verdict.reason} It depends on {known}.")
            if known
            else verdict
        )
    provision = _provision(use, verdict, run)
    if provision is None or run.mode is Mode.ANALYZE:
        return verdict
    does = f"This stack's resource {provision.urn} {provision.provides.value}"
    if run.mode is Mode.UPDATE:
        return replace(
            verdict,
            reason=f"{verdict.reason} {does}, and it is not there now that the resource which "
            "uses it comes up.",
            next_step=f"if the resource does not depend on {provision.urn}, that dependency is "
            "what is missing: add it with dependsOn, or use its output as the image.",
        )
    image = provision.provides is Provides.IMAGE
    code = Code.PUSHED_BY_THIS_STACK if image else Code.REPOSITORY_CREATED_BY_THIS_STACK
    waits = provision.urn in run.graph.transitive_dependencies(use.urn)
    return Verdict(
        code,
        f"{verdict.reason} {does}.",
        code.next_step
        if waits or not image
        else f"let the resource depend on {provision.urn} (dependsOn, or use its output as the "
        "image): without it the update may create the resource before the image is there.",
        verdict.digest,
        verdict.wanted,
    )


def _provision(use: ImageUse, verdict: Verdict, run: Run) -> Provision | None:
    """Return what of the stack puts the image there, where that mends ``verdict``."""
    target = use.target
    if Follows.MENDED_BY_PUSH not in verdict.code.follows or isinstance(target, Verdict):
        return None
    found = [each for each in run.provisions if each.covers(target)]
    images = [each for each in found if each.provides is Provides.IMAGE]
    repositories = found if verdict.code is Code.REPOSITORY_NOT_FOUND else []
    return next(iter([*images, *repositories]), None)


def _with_exemption(use: ImageUse, verdict: Verdict, settings: Settings) -> Verdict:
    exemption = _exemption(use, settings)
    if exemption is None:
        return verdict
    found = (
        ""
        if verdict.state in (State.AVAILABLE, State.SKIPPED)
        else f" Without that it would be {verdict.code.text}: {verdict.reason}"
    )
    reason = f"The configuration exempts it: {exemption.reason.rstrip('.')}.{found}"
    return replace(verdict, code=Code.EXEMPT, reason=reason, next_step="")


def _exemption(use: ImageUse, settings: Settings) -> Exemption | None:
    canonical = str(use.target) if isinstance(use.target, ImageReference) else None
    return next(
        (each for each in settings.exempt_resources if each.fits(use.urn)),
        next((each for each in settings.exempt if each.fits(use.text, canonical)), None),
    )


def _without_account(finding: Finding) -> Finding:
    """Return ``finding``; a reference that is a secret is shown without its account."""
    use, verdict = finding.use, finding.verdict
    if not use.is_secret:
        return finding
    if not isinstance(use.target, ImageReference):
        shown, account = None, ""
    else:
        account = use.target.repository.account
        shown = str(use.target).replace(account, "***")
    hidden = [text for text in (use.text, account) if text]

    def mask(text: str) -> str:
        for secret in hidden:
            text = text.replace(secret, shown or "***" if secret == use.text else "***")
        return text

    verdict = replace(verdict, reason=mask(verdict.reason), next_step=mask(verdict.next_step))
    return replace(finding, use=replace(use, text=shown), verdict=verdict)
