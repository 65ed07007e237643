"""The backend: runs checks in the background, each question asked once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from layerguard.checking.limits import Limits
from layerguard.identity import Identity
from layerguard.platform import Platform
from layerguard.reference import ImageReference, Repository
from layerguard.verdict import Code, Verdict, next_step_after


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """What to check: the image, the platform that is wanted, and the identity that asks."""

    identity: Identity
    reference: ImageReference
    platform: Platform | None

    def failure(self, code: Code, reason: str) -> Verdict:
        """Return the verdict of a check that did not come to one."""
        next_step = next_step_after(code, self.reference, None, self.platform)
        return Verdict(code, reason, next_step, wanted=self.platform)


@dataclass(frozen=True, slots=True)
class Counters:
    """What a backend did so far: calls sent, endpoints asked.

    ``foreign_endpoints`` are the URLs of endpoints that are not AWS's own.
    """

    calls: int = 0
    foreign_endpoints: frozenset[str] = frozenset()

    def and_later(self, later: Counters) -> Counters:
        """Return the counters after ``later``: none goes back where a backend took over."""
        return Counters(
            max(self.calls, later.calls),
            self.foreign_endpoints | later.foreign_endpoints,
        )


class CheckListener(Protocol):
    """Receives the results of one check. Called from any thread; must return quickly."""

    def decided(self, verdict: Verdict, counters: Counters, *, explaining: bool) -> None:
        """Take the verdict, which is final; where ``explaining``, ``explained`` may follow."""

    def explained(self, verdict: Verdict) -> None:
        """Take the same verdict with a better reason and next step."""


class CheckBackend(Protocol):
    """Runs checks in the background, in this process or another. Thread-safe."""

    def limit(self, limits: Limits, cache_prefixes: Collection[str]) -> None:
        """Set the limits, and the prefixes of pull-through caches that are known.

        A check that is under way keeps the limits that it started with.
        """

    def start(self, request: CheckRequest, listener: CheckListener) -> None:
        """Start a check in the background; return at once."""

    def prioritise(self, request: CheckRequest) -> None:
        """Send the questions of ``request``, which was started, before all others."""

    def forget(self, repository: Repository) -> None:
        """Drop the answers about a repository, whose images may have changed."""

    def close(self) -> None:
        """End every check; nothing that is left keeps the process alive."""
