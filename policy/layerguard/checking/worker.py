"""The child process of ``apart``: reads what to inspect from stdin, writes verdicts to stdout."""

from __future__ import annotations

import gc
import os
import pickle
import signal
import threading
from contextlib import suppress
from dataclasses import replace
from typing import BinaryIO

from layerguard.checking.backend import CheckBackend, Counters
from layerguard.checking.in_process_backend import InProcessBackend
from layerguard.registry.clients import OrdinaryChain
from layerguard.registry.ecr import Ecr
from layerguard.verdict import Code, Verdict

# Seconds after which the parent hears that a check has begun; its limits are longer.
_HEARD_OF = 0.25


class Parent:
    """Tells the parent what becomes of checks, by their numbers. For many threads."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._lock = threading.Lock()
        self._begun: set[int] = set()

    def begun(self, number: int) -> None:
        """Remember to tell that the first question was sent."""
        with self._lock:
            self._begun.add(number)

    def tell_begun(self) -> None:
        """Tell which checks have begun and not ended: of nearly all only the end is told."""
        with self._lock:
            begun, self._begun = self._begun, set()
            if begun:
                self._out.write(b"".join(pickle.dumps(("begun", number)) for number in begun))
                self._out.flush()

    def ended(self, number: int, verdict: Verdict, effort: Counters) -> None:
        """Tell the verdict, without the layers of an image that has them all."""
        if verdict.code is Code.AVAILABLE:
            # Nobody speaks of them, and for a large stack they are most of what is told and kept.
            verdict = replace(verdict, manifests=())
        message = pickle.dumps(("ended", number, verdict, effort))
        with self._lock:
            self._begun.discard(number)
            self._out.write(message)
            self._out.flush()


class Voice:
    """Tells the parent of one check."""

    __slots__ = ("_number", "_parent")

    def __init__(self, number: int, parent: Parent) -> None:
        self._number, self._parent = number, parent

    def begun(self) -> None:
        """Take note that the first question was sent."""
        self._parent.begun(self._number)

    def ended(self, verdict: Verdict, effort: Counters) -> None:
        """Tell the verdict."""
        self._parent.ended(self._number, verdict, effort)


def serve(backend: CheckBackend, told: BinaryIO, out: BinaryIO) -> None:
    """Do what the parent says until it says no more."""
    parent, is_over = Parent(out), threading.Event()

    def tell_begun() -> None:
        with suppress(OSError):  # the parent may end first
            while not is_over.wait(_HEARD_OF):
                parent.tell_begun()

    threading.Thread(target=tell_begun, daemon=True).start()
    try:
        _obey(backend, told, parent)
    finally:
        is_over.set()


def _obey(backend: CheckBackend, told: BinaryIO, parent: Parent) -> None:
    while True:
        try:
            word, *rest = pickle.load(told)
        except (EOFError, pickle.UnpicklingError):  # the parent may end in the middle of a word
            return
        match word:
            case "limit":
                backend.limit(*rest)
            case "start":
                number, subject = rest
                backend.start(subject, Voice(number, parent))
            case "prioritise":
                backend.prioritise(*rest)
            case "forget":
                backend.forget(*rest)


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
    serve(InProcessBackend(Ecr(chain)), told, out)
    os._exit(0)  # threads may hang on answers that nobody waits for
