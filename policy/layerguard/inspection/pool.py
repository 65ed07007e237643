"""Threads that never keep a process alive: a question that hangs must not hang the end of a run."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeAlias, TypeVar

_Result = TypeVar("_Result")
_Job: TypeAlias = Callable[[], None]


class DaemonPool:
    """At most ``size`` threads, each started when the others are busy.

    Unlike those of ``concurrent.futures``, its threads are not waited for when the process ends.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._threads = 0
        self._idle = 0
        self._closed = False

    def submit(self, work: Callable[[], _Result]) -> Future[_Result]:
        """Begin ``work`` when a thread is free, and return its future result."""
        future: Future[_Result] = Future()

        def job() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(work())
            except BaseException as error:
                future.set_exception(error)

        with self._lock:
            if self._closed:
                future.cancel()
                return future
            self._jobs.put(job)
            if self._jobs.qsize() > self._idle and self._threads < self._size:
                self._threads += 1
                name = f"layerguard-{self._threads}"
                threading.Thread(target=self._serve, name=name, daemon=True).start()
        return future

    def close(self) -> None:
        """Drop what has not begun, and let each thread end after what it does."""
        with self._lock:
            self._closed = True
            while not self._jobs.empty():
                self._jobs.get()
            for _ in range(self._threads):
                self._jobs.put(None)

    def _serve(self) -> None:
        while True:
            with self._lock:
                self._idle += 1
            job = self._jobs.get()
            with self._lock:
                self._idle -= 1
            if job is None:
                return
            job()
