"""Output for people: notes on standard error, and text that a stream of any encoding takes."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

from layerguard.legible import legible_line


class BestEffortStream:
    """A stream whose reader may be gone, or whose disk be full: what cannot be written is lost."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write ``text`` if that is possible."""
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush if that is possible."""
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        """Return any other member of the stream."""
        return getattr(self._stream, name)


@contextmanager
def standard_streams() -> Iterator[None]:
    """Make the standard streams usable: one that is closed is that of the null device.

    Notes on standard error are for people, so one that cannot be written changes no exit code.
    Nothing that is still buffered at the end fails when the interpreter flushes it.
    """
    # In this order: each takes the lowest number that is free, which is its own.
    if sys.stdin is None:
        sys.stdin = _null("r")
    if sys.stdout is None:
        sys.stdout = _null("w")
    if sys.stderr is None:
        sys.stderr = _null("w")
    stderr = sys.stderr
    sys.stderr = cast("TextIO", BestEffortStream(stderr))
    try:
        yield
    finally:
        sys.stderr = stderr
        for stream in (sys.stdout, stderr):
            _flush_or_discard(stream)


def _null(mode: str) -> TextIO:
    return io.TextIOWrapper(io.FileIO(os.devnull, mode), encoding="utf-8")


def _flush_or_discard(stream: TextIO) -> None:
    try:
        stream.flush()
    except OSError:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def note(text: str, stderr: TextIO) -> None:
    """Print a sentence on ``stderr``, on one line and in the name of the program."""
    print(f"layerguard: {legible_line(text)}", file=stderr)


def note_foreign_endpoints(endpoints: Collection[str], stderr: TextIO) -> None:
    """Print which endpoints that are not AWS's own answered for ECR, if there were any."""
    if endpoints:
        urls = " and ".join(sorted(endpoints))
        note(
            f"ECR was asked at {urls}, not at AWS's own endpoint: the verdicts are as true as the "
            "answers from there.",
            stderr,
        )


def escape_what_cannot_be_encoded(stream: TextIO) -> None:
    """Let ``stream`` write characters that its encoding lacks as escapes, instead of raising."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
