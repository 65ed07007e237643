"""The finding: an image use and the verdict on it, in words."""

from __future__ import annotations

from dataclasses import dataclass, replace

from layerguard.discovery import ImageUse, Voice
from layerguard.discovery.runtimes import Candidate, Refusal
from layerguard.reference import ImageReference
from layerguard.verdict import Code, State, Verdict

# Of these the target is no reference, whatever the text is.
_NOTHING_KNOWN = (Code.REFERENCE_INVALID, Code.SECRET_NOT_SHOWN, Code.UNKNOWN_IN_PREVIEW)


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict on one image use, and who speaks of it."""

    use: ImageUse
    verdict: Verdict
    voice: Voice = Voice.GATE

    @property
    def headline(self) -> str:
        """``CODE: PROPERTY PATH (container "NAME"): REFERENCE AS WRITTEN``."""
        container = f' (container "{self.use.container}")' if self.use.container else ""
        text = f": {self.use.text}" if self.use.text else ""
        return f"{self.verdict.code.text}: {self.use.path}{container}{text}"

    @property
    def message(self) -> str:
        """The headline, and below it what explains the verdict."""
        return "\n".join((self.headline, *(f"  {line}" for line in self.verdict.lines)))


def judge(use: ImageUse, verdict: Verdict) -> Finding:
    """Return what ``verdict``, on the image, means for ``use``, whose runtime has its own rules.

    What the image itself lacks goes before what a runtime refuses, and what is certain before
    what is only likely; no reason is lost.
    """
    presumed = use.presumed and verdict.code is Code.PLATFORM_MISSING
    voice = Voice.NOTICE if presumed else use.voice
    refusals = _refusals(use, verdict)
    if not refusals:
        return Finding(use, verdict, voice)
    reasons = " ".join(dict.fromkeys(refusal.reason for refusal in refusals))
    first = refusals[0]
    if verdict.state is State.UNAVAILABLE and not (presumed and first.certain):
        return Finding(use, replace(verdict, reason=f"{verdict.reason} {reasons}"), voice)
    if verdict.state is State.UNDETERMINED and not first.certain:
        return Finding(use, replace(verdict, reason=f"{verdict.reason} {reasons}"), voice)
    known = "" if verdict.state in (State.AVAILABLE, State.SKIPPED) else f" {verdict.reason}"
    rejected = replace(
        verdict,
        code=Code.RUNTIME_REJECTS,
        reason=f"{reasons}{known}",
        next_step=first.next_step,
    )
    return Finding(use, rejected, use.voice if first.certain else Voice.NOTICE)


def _refusals(use: ImageUse, verdict: Verdict) -> tuple[Refusal, ...]:
    if use.text is None or verdict.code in _NOTHING_KNOWN:
        return ()
    reference = use.target if isinstance(use.target, ImageReference) else None
    return use.runtime.refusals(Candidate(use.text, reference, use.placement, verdict.form))
