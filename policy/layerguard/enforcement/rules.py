"""What a team's settings change: whom to ask as, which rules count, and who is exempt."""

from __future__ import annotations

from dataclasses import replace

from layerguard.discovery import ImageUse, Voice, runtimes
from layerguard.enforcement.finding import Finding
from layerguard.reference import ImageReference
from layerguard.settings import Exemption, RuleLevel, Settings, Undetermined
from layerguard.verdict import Code, State, Verdict


def configured(use: ImageUse, settings: Settings) -> ImageUse:
    """Return ``use`` as ``settings`` want it inspected.

    An identity of the settings wins over that of the resource's provider, known or not. Without
    platform rules every runnable platform is checked; without runtime rules any runtime takes any
    image.
    """
    if settings.platform_rules is RuleLevel.OFF:
        use = replace(use, platform=None)
    if settings.runtime_rules is RuleLevel.OFF:
        use = replace(use, runtime=runtimes.ANY)
    if isinstance(use.target, ImageReference):
        identity = settings.identity_for(use.target.repository.account)
        if identity is not None:
            use = replace(use, identity=identity)
        elif use.unasked is not None:
            use = replace(use, target=use.unasked)
    return use


def under(settings: Settings, finding: Finding) -> Finding:
    """Return ``finding`` with what ``settings`` make of it: an exemption, or a notice."""
    exemption = _exemption(settings, finding.use)
    if exemption is not None:
        return replace(finding, verdict=_exempt(finding.verdict, exemption), voice=Voice.NOTICE)
    code = finding.verdict.code
    quiet = (code is Code.RUNTIME_REJECTS and settings.runtime_rules is RuleLevel.NOTICE) or (
        code is Code.PLATFORM_MISSING and settings.platform_rules is RuleLevel.NOTICE
    )
    return replace(finding, voice=Voice.NOTICE) if quiet else finding


def stops(settings: Settings, finding: Finding) -> bool:
    """Tell whether a gate turns ``finding`` into a violation."""
    state = finding.verdict.state
    return finding.voice is Voice.GATE and (
        state is State.UNAVAILABLE
        or (state is State.UNDETERMINED and settings.undetermined is Undetermined.FAIL)
    )


def _exemption(settings: Settings, use: ImageUse) -> Exemption | None:
    canonical = str(use.target) if isinstance(use.target, ImageReference) else None
    return next(
        (each for each in settings.exempt_resources if each.fits(use.urn)),
        next((each for each in settings.exempt if each.fits(use.text, canonical)), None),
    )


def _exempt(verdict: Verdict, exemption: Exemption) -> Verdict:
    found = (
        ""
        if verdict.state in (State.AVAILABLE, State.SKIPPED)
        else f" Without that it would be {verdict.code.text}: {verdict.reason}"
    )
    reason = f"The configuration exempts it: {exemption.reason.rstrip('.')}.{found}"
    return replace(verdict, code=Code.EXEMPT, reason=reason, next_step="")
