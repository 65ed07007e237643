"""The child process of ``apart``: reads what to inspect from stdin, writes verdicts to stdout."""

from __future__ import annotations

import gc
import os
import pickle
import signal
import threading
from dataclasses import replace
from typing import Any, BinaryIO

from layerguard.investigation.investigator import Effort, HereInvestigator, Investigator
from layerguard.registry import Ecr, OrdinaryChain
from layerguard.verdict import Code, Verdict


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
        """Tell the verdict, without the layers of an image that has them all."""
        if verdict.code is Code.AVAILABLE:
            # Nobody speaks of them, and for a large stack they are most of what is told and kept.
            verdict = replace(verdict, manifests=())
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
        except (EOFError, pickle.UnpicklingError):  # the parent may end in the middle of a word
            return
        match word:
            case "limit":
                investigator.limit(*rest)
            case "start":
                number, subject = rest
                investigator.start(subject, Voice(number, out, lock))
            case "forget":
                investigator.forget(*rest)


def pipes() -> tuple[BinaryIO, BinaryIO]:
    """Return stdin and stdout, which nothing else reads or writes from now on.

    A profile may name a program that gets credentials, and such a program inherits both.
    """
    told, out = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)
    return told, out


if __name__ == "__main__":
    # Ctrl-C is for the parent to answer, and the parent's end is this process's too.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    told, out = pipes()
    # A run keeps what it allocates to its end: to look for garbage often cost it 3% of its time.
    gc.set_threshold(50_000, 20, 20)
    chain = OrdinaryChain()
    chain.get_ready()
    serve(HereInvestigator(Ecr(chain)), told, out)
    os._exit(0)  # threads may hang on answers that nobody waits for
