"""The child process of ``apart``: reads what to inspect from stdin, writes verdicts to stdout."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from typing import Any, BinaryIO

from layerguard.investigation.investigator import Effort, HereInvestigator, Investigator
from layerguard.registry import Ecr, OrdinaryChain
from layerguard.verdict import Verdict


class Voice:
    """Tells the parent of one inspection."""

    def __init__(self, number: int, out: BinaryIO, lock: threading.Lock) -> None:
        self._number, self._out, self._lock = number, out, lock
        self._has_begun = False

    def begun(self) -> None:
        """Tell once that the first question was sent."""
        if not self._has_begun:
            self._has_begun = True
            self._tell("begun")

    def ended(self, verdict: Verdict, effort: Effort) -> None:
        """Tell the verdict."""
        self._tell("ended", verdict, effort)

    def _tell(self, word: str, *rest: Any) -> None:
        message = pickle.dumps((word, self._number, *rest))
        with self._lock:
            self._out.write(message)
            self._out.flush()


def serve(investigator: Investigator, told: BinaryIO, out: BinaryIO) -> None:
    """Do what the parent says until it says no more."""
    lock = threading.Lock()
    while True:
        try:
            word, *rest = pickle.load(told)
        except EOFError:
            return
        match word:
            case "limit":
                investigator.limit(*rest)
            case "start":
                number, subject = rest
                investigator.start(subject, Voice(number, out, lock))
            case "forget":
                investigator.forget(*rest)


if __name__ == "__main__":
    # Ctrl-C is for the parent to answer, and the parent's end is this process's too.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    chain = OrdinaryChain()
    chain.get_ready()
    serve(HereInvestigator(Ecr(chain)), sys.stdin.buffer, sys.stdout.buffer)
    os._exit(0)  # threads may hang on answers that nobody waits for
