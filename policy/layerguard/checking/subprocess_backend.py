"""A backend in a process of its own: the policy server and the questions share no lock.

Python runs one thread of a process at a time. The engine waits for the policy server at every
resource, and every call to ECR takes it time to sign, send and read; beside it, boto3 has to be
imported. In a process of its own all of that runs on another processor. Measured with 200 images
in ``pulumi policy analyze``: docs/benchmark.md.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the pack makes one of these before it imports the rest
    from layerguard.checking.backend import CheckBackend, CheckListener, CheckRequest
    from layerguard.checking.limits import Limits
    from layerguard.reference import Repository

CHILD = "layerguard.checking.worker"
_PACKAGES = Path(__file__).parent.parent.parent


class SubprocessBackend:
    """An ``CheckBackend`` that has the work done in a child process.

    The child is started at once, or where that is not to ``begin`` with the first check. It
    ends with the pipe to it, however this process ends. Where it cannot be started, or
    ends before its time, ``here`` makes the backend that goes on in this process.
    """

    def __init__(
        self,
        here: Callable[[], CheckBackend],
        *,
        begin: bool = True,
        python: str = sys.executable,
        module: str = CHILD,
    ) -> None:
        self._here = here
        self._command = (python, "-m", module)
        # Held while the child is told something: it is told all in one order, and may be slow.
        self._telling = threading.Lock()
        # Held for what is below, and never while a pipe is waited for: who reads needs it too.
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._instead: CheckBackend | None = None
        self._limits: tuple[Limits, Collection[str]] | None = None
        self._listening: dict[int, tuple[CheckRequest, CheckListener]] = {}
        self._count = 0
        self._closed = False
        if begin:
            with self._lock:
                self._begin()

    def limit(self, limits: Limits, cache_prefixes: Collection[str]) -> None:
        """Set the limits, and the prefixes of pull-through caches that are known."""
        with self._telling:
            with self._lock:
                if (limits, cache_prefixes) == self._limits:
                    return
                self._limits = (limits, cache_prefixes)
                child = self._child
                if self._instead:
                    self._instead.limit(limits, cache_prefixes)
            _tell(child, "limit", limits, cache_prefixes)

    def start(self, subject: CheckRequest, listener: CheckListener) -> None:
        """Begin a check in the background; return at once."""
        with self._telling:
            with self._lock:
                if self._closed:
                    return
                if not self._child and not self._instead:
                    self._begin()
                if self._instead:
                    self._instead.start(subject, listener)
                    return
                self._count += 1
                number, child = self._count, self._child
                self._listening[number] = (subject, listener)
            _tell(child, "start", number, subject)

    def prioritise(self, subject: CheckRequest) -> None:
        """Ask about ``subject``, whose check has begun, before all others."""
        with self._telling:
            with self._lock:
                child = self._child
                if self._instead:
                    self._instead.prioritise(subject)
            _tell(child, "prioritise", subject)

    def forget(self, repository: Repository) -> None:
        """Drop what is known of a repository."""
        with self._telling:
            with self._lock:
                child = self._child
                if self._instead:
                    self._instead.forget(repository)
            _tell(child, "forget", repository)

    def close(self) -> None:
        """End the child, and drop what has not ended."""
        with self._lock:
            self._closed = True
            self._listening.clear()
            child, self._child = self._child, None
            if self._instead:
                self._instead.close()
        if child:
            child.kill()
            child.wait()

    def _begin(self) -> None:
        path = os.pathsep.join(filter(None, (str(_PACKAGES), os.environ.get("PYTHONPATH"))))
        try:
            self._child = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # what it has to say it says on the pipe
                env={**os.environ, "PYTHONPATH": path},
            )
        except OSError:
            self._go_on_here()
            return
        threading.Thread(
            target=self._listen, args=(self._child,), name="layerguard-apart", daemon=True
        ).start()
        if self._limits:
            _tell(self._child, "limit", *self._limits)

    def _listen(self, child: subprocess.Popen[bytes]) -> None:
        assert child.stdin
        assert child.stdout
        # Unpickling what is no pickle raises whatever it likes.
        with suppress(Exception):
            while True:
                word, number, *rest = pickle.load(child.stdout)
                self._hear(word, number, rest)
        child.kill()
        child.wait()
        child.stdout.close()
        with suppress(OSError):  # what it was still to be told
            child.stdin.close()
        with self._lock:
            if self._child is child:
                self._child = None
                self._go_on_here()

    def _hear(self, word: str, number: int, rest: list[Any]) -> None:
        with self._lock:
            heard = self._listening.get(number)
            if word == "ended":
                self._listening.pop(number, None)
        if heard and word == "ended":
            heard[1].ended(*rest)
        elif heard:
            heard[1].begun()

    def _go_on_here(self) -> None:
        self._instead = self._here()
        if self._limits:
            self._instead.limit(*self._limits)
        listening, self._listening = self._listening, {}
        for subject, listener in listening.values():
            self._instead.start(subject, listener)


def _tell(child: subprocess.Popen[bytes] | None, *message: Any) -> None:
    """Tell the child, where there is one; if it has ended, who listens to it finds that out."""
    if child:
        assert child.stdin
        with suppress(OSError, ValueError):
            pickle.dump(message, child.stdin)
            child.stdin.flush()
