"""The backend that runs checks in a worker subprocess.

Python runs one thread of a process at a time. The engine waits for the policy server at every
resource, and every call to ECR takes time to sign, send and read; beside it, botocore has to be
imported. In a subprocess all of that runs on another processor. docs/benchmark.md has what it
saves.
"""

from __future__ import annotations

import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from layerguard import log
from layerguard.checking.worker_stderr import log_lines

if TYPE_CHECKING:  # the pack makes one of these before it imports the rest
    from layerguard.checking.backend import CheckBackend, CheckListener, CheckRequest
    from layerguard.checking.limits import Limits
    from layerguard.reference import Repository
    from layerguard.verdict import Verdict

WORKER = "layerguard.checking.worker"
_PACKAGES = Path(__file__).parent.parent.parent
_END_SECONDS = 0.5
_log = logging.getLogger("layerguard.checking")


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
        self._explaining: dict[int, tuple[Verdict, CheckListener]] = {}
        self._count = 0
        self._where = "nowhere yet"
        self._has_ended = False
        self._is_closed = False
        if begin:
            with self._lock:
                self._begin()

    def __str__(self) -> str:
        """Return where the checks run, for the log."""
        return self._where

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
            if not self._worker and not self._has_ended:
                self._begin()
            if self._worker:
                self._count += 1
                self._running[self._count] = (request, listener)
                self._worker.send("start", self._count, request)
            else:
                self._start_in_process(request, listener)

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
            self._explaining.clear()
            worker, self._worker = self._worker, None
            if self._fallback:
                self._fallback.close()
        if worker:
            worker.end()

    def _send(self, operation: str, *arguments: Any) -> None:
        if self._worker:
            self._worker.send(operation, *arguments)
        elif self._fallback:
            getattr(self._fallback, operation)(*arguments)

    def _begin(self) -> None:
        try:
            self._worker = _Worker(self._command, self._receive, self._ended)
        # No such program, or no more processes or threads.
        except (OSError, RuntimeError) as error:
            self._has_ended = True
            self._note_fallback(f"The worker cannot be started ({error})")
        else:
            self._where = f"by the worker, process {self._worker.process_id}"
            _log.info("Images are checked %s", self)
            if log.is_heard(logging.WARNING):
                self._worker.send("log", _log.getEffectiveLevel())
            if self._limits:
                self._worker.send("limit", *self._limits)

    def _note_fallback(self, why: str) -> None:
        self._where = f"in this process: {why}"
        _log.warning("%s; this process asks ECR in its place", why)

    def _start_in_process(self, request: CheckRequest, listener: CheckListener) -> None:
        from layerguard.checking.backend import Counters
        from layerguard.verdict import bug_in

        try:
            if self._fallback is None:
                fallback = self._in_process()
                if self._limits:
                    fallback.limit(*self._limits)
                self._fallback = fallback
            self._fallback.start(request, listener)
        except Exception as error:
            verdict = bug_in("starting a check", error, request.platform)
            listener.decided(verdict, Counters(), explaining=False)

    def _receive(self, kind: str, number: int, arguments: list[Any]) -> None:
        if kind == "logged":
            (attributes,) = arguments
            record = logging.makeLogRecord(attributes)
            logging.getLogger(record.name).handle(record)
        elif kind == "decided":
            verdict, counters, explaining = arguments
            with self._lock:
                _, listener = self._running.pop(number, (None, None))
                if listener and explaining:
                    self._explaining[number] = (verdict, listener)
            if listener:
                listener.decided(verdict, counters, explaining=explaining)
        else:
            (verdict,) = arguments
            with self._lock:
                _, listener = self._explaining.pop(number, (None, None))
            if listener:
                listener.explained(verdict)

    def _ended(self, worker: _Worker) -> None:
        with self._lock:
            if self._worker is not worker:
                return
            self._worker, self._has_ended = None, True
            self._note_fallback(f"{worker}, with {len(self._running)} checks under way")
            explaining, self._explaining = self._explaining, {}
            running, self._running = self._running, {}
            for verdict, listener in explaining.values():
                listener.explained(verdict)
            for request, listener in running.values():
                self._start_in_process(request, listener)


class _Worker:
    """A running worker: a queue of what it is sent, and the threads that write and read.

    What it writes to stderr, such as the traceback of its end, goes to the log.
    """

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
            stderr=subprocess.PIPE if log.is_heard(logging.WARNING) else subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
        )
        self._receive = receive
        self._ended = ended
        self._outbox: SimpleQueue[tuple[Any, ...] | None] = SimpleQueue()
        self._last_words = threading.Event()
        targets = [self._write, self._read]
        if self._process.stderr:
            targets.append(self._log_stderr)
        else:
            self._last_words.set()
        try:
            for target in targets:
                threading.Thread(target=target, name="layerguard-worker", daemon=True).start()
        except RuntimeError:  # no more threads
            self.end()
            raise

    def __str__(self) -> str:
        """Return how it ended, in words."""
        code = self._process.returncode
        if code is None or code >= 0:
            how = f"ended with exit code {code}"
        elif code == -signal.SIGKILL:
            how = "was killed by SIGKILL (by the system, if memory ran out)"
        else:
            names = {each.value: each.name for each in signal.Signals}
            how = f"was ended by {names.get(-code, f'signal {-code}')}"
        return f"The worker (process {self.process_id}) {how}"

    @property
    def process_id(self) -> int:
        """The id of its process."""
        return self._process.pid

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
        with suppress(subprocess.TimeoutExpired):  # its own end, if it is at it, says more
            self._process.wait(_END_SECONDS)
        self.end()
        self._last_words.wait(_END_SECONDS)  # a process that it started may hold the pipe open
        self._ended(self)

    def _log_stderr(self) -> None:
        assert self._process.stderr
        with suppress(OSError, ValueError), self._process.stderr as pipe:
            log_lines(pipe)
        self._last_words.set()
