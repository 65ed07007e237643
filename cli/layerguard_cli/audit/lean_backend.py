"""A backend whose verdicts on available images do without what no report of theirs shows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from layerguard.checking.backend import CheckBackend, CheckListener, CheckRequest, Counters
from layerguard.checking.limits import Limits
from layerguard.reference import Repository
from layerguard.verdict import Code, Verdict


@dataclass(frozen=True, slots=True)
class LeanBackend:
    """Leaves the list of its layers out of the verdict on an image that has them all.

    It is most of what a verdict takes in memory, and a run keeps every verdict to its end.
    """

    backend: CheckBackend

    def limit(self, limits: Limits, cache_prefixes: Collection[str]) -> None:
        """Set the limits, and the prefixes of pull-through caches that are known."""
        self.backend.limit(limits, cache_prefixes)

    def start(self, request: CheckRequest, listener: CheckListener) -> None:
        """Start a check in the background; return at once."""
        self.backend.start(request, _LeanListener(listener))

    def prioritise(self, request: CheckRequest) -> None:
        """Send the questions of ``request`` before all others."""
        self.backend.prioritise(request)

    def forget(self, repository: Repository) -> None:
        """Drop the answers about a repository."""
        self.backend.forget(repository)

    def close(self) -> None:
        """End every check."""
        self.backend.close()


@dataclass(frozen=True, slots=True)
class _LeanListener:
    """Hands what it receives on to ``listener``."""

    listener: CheckListener

    def decided(self, verdict: Verdict, counters: Counters, *, explaining: bool) -> None:
        if verdict.code is Code.AVAILABLE:
            verdict = replace(verdict, manifests=())
        self.listener.decided(verdict, counters, explaining=explaining)

    def explained(self, verdict: Verdict) -> None:
        self.listener.explained(verdict)
