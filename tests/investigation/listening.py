"""A listener that keeps what it hears."""

from __future__ import annotations

import threading

from layerguard.investigation.investigator import Effort
from layerguard.verdict import Verdict


class Heard:
    """Keeps how often an inspection began, and what came of it."""

    def __init__(self) -> None:
        self.began = 0
        self.efforts: list[Effort] = []
        self._verdicts: list[Verdict] = []
        self._has_ended = threading.Event()

    def begun(self) -> None:
        self.began += 1

    def ended(self, verdict: Verdict, effort: Effort) -> None:
        self._verdicts.append(verdict)
        self.efforts.append(effort)
        self._has_ended.set()

    @property
    def verdict(self) -> Verdict:
        """The verdict, when it is there."""
        assert self._has_ended.wait(20)
        (verdict,) = self._verdicts
        return verdict
