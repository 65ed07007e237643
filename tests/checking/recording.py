"""A listener that records the results of a check."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace

from layerguard.checking.backend import CheckBackend, CheckRequest, Counters
from layerguard.identity import ORDINARY, Identity
from layerguard.platform import Platform
from layerguard.verdict import Code, Verdict

from tests.fakes import reference
from tests.processes import PATIENCE


@dataclass
class Clock:
    """A clock that the test moves."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


class Recorder:
    """A ``CheckListener`` that records every result, in order."""

    def __init__(self) -> None:
        self.verdicts: list[Verdict] = []
        self.explanations: list[Verdict] = []
        self.counters = Counters()
        self.is_explaining = False
        self.order: list[str] = []
        self._decided = threading.Event()
        self._explained = threading.Event()

    def decided(self, verdict: Verdict, counters: Counters, *, explaining: bool) -> None:
        self.order.append("decided")
        self.verdicts.append(verdict)
        self.counters, self.is_explaining = counters, explaining
        self._decided.set()

    def explained(self, verdict: Verdict) -> None:
        self.order.append("explained")
        self.explanations.append(verdict)
        self._explained.set()

    @property
    def is_decided(self) -> bool:
        return self._decided.is_set()

    @property
    def verdict(self) -> Verdict:
        """Wait for the verdict, and return it."""
        assert self._decided.wait(PATIENCE)
        (verdict,) = self.verdicts
        return verdict

    @property
    def explanation(self) -> Verdict:
        """Wait for the explanation, and return it."""
        assert self._explained.wait(PATIENCE)
        (explanation,) = self.explanations
        return explanation


def request(
    rest: str = "shop/web:1", identity: Identity = ORDINARY, platform: Platform | None = None
) -> CheckRequest:
    return CheckRequest(identity, reference(rest), platform)


def start(backend: CheckBackend, *requests: CheckRequest) -> list[Recorder]:
    recorders = [Recorder() for _ in requests]
    for each, recorder in zip(requests, recorders, strict=True):
        backend.start(each, recorder)
    return recorders


def check(backend: CheckBackend, *requests: CheckRequest) -> list[Verdict]:
    return [recorder.verdict for recorder in start(backend, *requests)]


def without_available_layers(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Return the verdicts as a worker sends them: available ones without their layers."""
    return [
        replace(each, manifests=()) if each.code is Code.AVAILABLE else each for each in verdicts
    ]
