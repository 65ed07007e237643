"""The backend: finds out about many images at a time, each question asked once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from layerguard.checking.limits import Limits
from layerguard.identity import Identity
from layerguard.platform import Platform
from layerguard.reference import ImageReference, Repository
from layerguard.verdict import Verdict


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """What a check is about: who asks for what, to run on which platform."""

    identity: Identity
    reference: ImageReference
    platform: Platform | None


@dataclass(frozen=True, slots=True)
class Counters:
    """What was done so far: how many layers were asked about, and calls sent."""

    layers: int = 0
    calls: int = 0


class CheckListener(Protocol):
    """Hears of a check. Called from any thread, and never for long."""

    def begun(self) -> None:
        """The first question was sent; may be called again, or not where the end comes at once."""

    def ended(self, verdict: Verdict, effort: Counters) -> None:
        """The check is over; ``effort`` is that of all checks so far."""


class CheckBackend(Protocol):
    """Inspects images, here or elsewhere. Safe to use from many threads."""

    def limit(self, limits: Limits, cache_prefixes: Collection[str]) -> None:
        """Set the limits, and the prefixes of pull-through caches that are known.

        What began before goes on with the limits that it had.
        """

    def start(self, subject: CheckRequest, listener: CheckListener) -> None:
        """Begin a check in the background; return at once."""

    def prioritise(self, subject: CheckRequest) -> None:
        """Ask about ``subject``, whose check has begun, before all others."""

    def forget(self, repository: Repository) -> None:
        """Drop what is known of a repository, whose images may have changed."""

    def close(self) -> None:
        """Drop what has not ended; nothing that goes on keeps the process alive."""
