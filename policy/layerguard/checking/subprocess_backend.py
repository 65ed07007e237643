"""The backend that runs checks in a worker subprocess.

Python runs one thread of a process at a time. The engine waits for the policy server at every
resource, and every call to ECR takes time to sign, send and read; beside it, botocore has to be
imported. In a subprocess all of that runs on another processor. docs/benchmark.md has what it
saves.
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
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the pack makes one of these before it imports the rest
    from layerguard.checking.backend import CheckBackend, CheckListener, CheckRequest
    from layerguard.checking.limits import Limits
    from layerguard.reference import Repository

WORKER = "layerguard.checking.worker"
_PACKAGES = Path(__file__).parent.parent.parent


class SubprocessBackend:
    """A ``CheckBackend`` that has its checks run by a worker subprocess.

    The worker is started at once, or with the first check if not ``begin``. It ends with the pipe
    to it, however this process ends. Where it cannot be started, or ends before its time, the
    backend that ``in_process`` makes takes over. No method waits for the worker: a thread writes
    to it, and one reads.
    """

    def __init__(
        self,
        in_process: Callable[[], CheckBackend],
        *,
        begin: bool = True,
        python: str = sys.executable,
        module: str = WORKER,
    ) -> None:
        self._in_process = in_process
        self._command = (python, "-m", module)
        self._lock = threading.Lock()
        self._worker: _Worker | None = None
        self._fallback: CheckBackend | None = None
        self._limits: tuple[Limits, Collection[str]] | None = None
        self._running: dict[int, tuple[CheckRequest, CheckListener]] = {}
        self._count = 0
        self._is_closed = False
        if begin:
            with self._lock:
                self._begin()

    def limit(self, limits: Limits, cache_prefixes: Collection[str]) -> None:
        """Set the limits, and the prefixes of pull-through caches that are known."""
        with self._lock:
            if (limits, cache_prefixes) != self._limits:
                self._limits = (limits, cache_prefixes)
                self._send("limit", limits, cache_prefixes)

    def start(self, request: CheckRequest, listener: CheckListener) -> None:
        """Start a check in the background; return at once."""
        with self._lock:
            if self._is_closed:
                return
            if not self._worker and not self._fallback:
                self._begin()
            if self._fallback:
                self._fallback.start(request, listener)
                return
            self._count += 1
            self._running[self._count] = (request, listener)
            self._send("start", self._count, request)

    def prioritise(self, request: CheckRequest) -> None:
        """Send the questions of ``request`` before all others."""
        with self._lock:
            self._send("prioritise", request)

    def forget(self, repository: Repository) -> None:
        """Drop the answers about a repository."""
        with self._lock:
            self._send("forget", repository)

    def close(self) -> None:
        """End the worker, and every check."""
        with self._lock:
            self._is_closed = True
            self._running.clear()
            worker, self._worker = self._worker, None
            if self._fallback:
                self._fallback.close()
        if worker:
            worker.end()

    def _send(self, operation: str, *arguments: Any) -> None:
        if self._fallback:
            getattr(self._fallback, operation)(*arguments)
        elif self._worker:
            self._worker.send(operation, *arguments)

    def _begin(self) -> None:
        try:
            self._worker = _Worker(self._command, self._receive, self._ended)
        except OSError:
            self._fall_back()
            return
        if self._limits:
            self._worker.send("limit", *self._limits)

    def _receive(self, kind: str, number: int, arguments: list[Any]) -> None:
        with self._lock:
            running = self._running.get(number)
            is_last = kind == "explained" or not arguments[-1]
            if is_last:
                self._running.pop(number, None)
        if running and kind == "decided":
            verdict, counters, explaining = arguments
            running[1].decided(verdict, counters, explaining=explaining)
        elif running:
            running[1].explained(*arguments)

    def _ended(self, worker: _Worker) -> None:
        with self._lock:
            if self._worker is worker:
                self._worker = None
                self._fall_back()

    def _fall_back(self) -> None:
        self._fallback = self._in_process()
        if self._limits:
            self._fallback.limit(*self._limits)
        running, self._running = self._running, {}
        for request, listener in running.values():
            self._fallback.start(request, listener)


class _Worker:
    """A running worker: a queue of what it is sent, and the threads that write and read."""

    def __init__(
        self,
        command: tuple[str, ...],
        receive: Callable[[str, int, list[Any]], None],
        ended: Callable[[_Worker], None],
    ) -> None:
        path = os.pathsep.join(filter(None, (str(_PACKAGES), os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # its results are on the pipe
            env={**os.environ, "PYTHONPATH": path},
        )
        self._receive = receive
        self._ended = ended
        self._outbox: SimpleQueue[tuple[Any, ...] | None] = SimpleQueue()
        for target in (self._write, self._read):
            threading.Thread(target=target, name="layerguard-worker", daemon=True).start()

    def send(self, *message: Any) -> None:
        """Send ``message`` in the order of the calls; return at once."""
        self._outbox.put(message)

    def end(self) -> None:
        """Kill the process and wait for its end."""
        self._process.kill()
        self._process.wait()
        self._outbox.put(None)

    def _write(self) -> None:
        assert self._process.stdin
        # The worker may have ended: the thread that reads finds that out.
        with suppress(OSError, ValueError), self._process.stdin as pipe:
            while (message := self._outbox.get()) is not None:
                pickle.dump(message, pipe)
                if self._outbox.empty():
                    pipe.flush()

    def _read(self) -> None:
        assert self._process.stdout
        # Unpickling something else than a pickle raises any kind of exception.
        with suppress(Exception), self._process.stdout as pipe:
            while True:
                kind, number, *arguments = pickle.load(pipe)
                self._receive(kind, number, arguments)
        self.end()
        self._ended(self)
