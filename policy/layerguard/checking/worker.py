"""The worker: a process that reads check requests from stdin and writes verdicts to stdout."""

from __future__ import annotations

import gc
import logging
import os
import pickle
import signal
import threading
from contextlib import suppress
from dataclasses import replace
from typing import BinaryIO

from layerguard import log
from layerguard.checking.backend import CheckBackend, Counters
from layerguard.checking.in_process_backend import InProcessBackend
from layerguard.registry.clients import OrdinaryChain
from layerguard.registry.ecr import Ecr
from layerguard.verdict import Code, Verdict

# What of a record its line begins with.
_RECORD = ("name", "levelno", "levelname", "created", "msecs", "process")


class _ResultWriter:
    """Writes the results of checks, by their numbers. Thread-safe."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._lock = threading.Lock()

    def write(self, *message: object) -> None:
        pickled = pickle.dumps(message)
        with self._lock:
            self._out.write(pickled)
            self._out.flush()


class _RecordWriter(logging.Handler):
    """Writes what this process logs, without the secrets that it alone knows."""

    def __init__(self, writer: _ResultWriter) -> None:
        super().__init__()
        self._writer = writer
        self._texts = log.Texts()

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(Exception):  # the parent may have ended; no log is worth a check
            attributes = {name: getattr(record, name) for name in _RECORD}
            attributes["msg"] = self._texts.message(record)
            if record.name.partition(".")[0] == "layerguard":
                attributes["exc_text"] = self._texts.traceback(record)
            else:  # whose error is raised, too, and logged by what catches it
                attributes |= {"levelno": logging.DEBUG, "levelname": "DEBUG"}
                attributes["msg"] = f"{record.name}: {attributes['msg']}"
                attributes["name"] = "layerguard.checking.worker"
            self._writer.write("logged", 0, attributes)


class _Listener:
    """Writes the results of one check."""

    __slots__ = ("_number", "_writer")

    def __init__(self, number: int, writer: _ResultWriter) -> None:
        self._number, self._writer = number, writer

    def decided(self, verdict: Verdict, counters: Counters, *, explaining: bool) -> None:
        if verdict.code is Code.AVAILABLE:
            # No message names these layers, and for a large stack they are most of what is sent.
            verdict = replace(verdict, manifests=())
        self._writer.write("decided", self._number, verdict, counters, explaining)

    def explained(self, verdict: Verdict) -> None:
        self._writer.write("explained", self._number, verdict)


def serve(backend: CheckBackend, requests: BinaryIO, results: BinaryIO) -> None:
    """Run what ``requests`` ask for until they end; write ``results``."""
    writer = _ResultWriter(results)
    while True:
        try:
            operation, *arguments = pickle.load(requests)
        except (EOFError, pickle.UnpicklingError):  # the parent may end in the middle of one
            return
        match operation:
            case "log":
                # Also what libraries warn of, which would go to stderr with their secrets.
                logging.getLogger().addHandler(_RecordWriter(writer))
                logging.getLogger("layerguard").setLevel(*arguments)
            case "limit":
                backend.limit(*arguments)
            case "start":
                number, request = arguments
                backend.start(request, _Listener(number, writer))
            case "prioritise":
                backend.prioritise(*arguments)
            case "forget":
                backend.forget(*arguments)


def private_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Return stdin and stdout, which nothing else reads or writes from now on.

    A profile may name a program that gets credentials, and such a program inherits both.
    """
    requests, results = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)
    return requests, results


def main() -> None:
    """Run checks against Amazon ECR until stdin ends, then end at once."""
    # Ctrl-C is for the parent to handle, whose end is this process's end too.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests, results = private_pipes()
    log.log_to(None)  # until the parent asks for it
    # A run keeps what it allocates to its end: frequent collections cost it 3% of its time.
    gc.set_threshold(50_000, 20, 20)
    chain = OrdinaryChain()
    chain.get_ready()
    backend = InProcessBackend(Ecr(chain))
    serve(backend, requests, results)
    backend.close()  # ends what it started, such as a credential process
    os._exit(0)  # threads may hang on answers that nothing waits for


if __name__ == "__main__":
    main()
