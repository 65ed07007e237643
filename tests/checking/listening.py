"""A listener that keeps what it hears."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace

from layerguard.checking.backend import Counters
from layerguard.verdict import Code, Verdict


class Heard:
    """Keeps how often a check began, and what came of it."""

    def __init__(self) -> None:
        self.began = 0
        self.efforts: list[Counters] = []
        self._verdicts: list[Verdict] = []
        self._has_ended = threading.Event()

    def begun(self) -> None:
        self.began += 1

    def ended(self, verdict: Verdict, effort: Counters) -> None:
        self._verdicts.append(verdict)
        self.efforts.append(effort)
        self._has_ended.set()

    @property
    def verdict(self) -> Verdict:
        """The verdict, when it is there."""
        assert self._has_ended.wait(20)
        (verdict,) = self._verdicts
        return verdict


def without_what_is_there(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Return the verdicts as a child tells them: of what is available without its layers."""
    return [
        replace(each, manifests=()) if each.code is Code.AVAILABLE else each for each in verdicts
    ]
