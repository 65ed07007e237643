"""Output for people: notes on standard error, and text that a stream of any encoding takes."""

from __future__ import annotations

import io
from collections.abc import Collection
from typing import TextIO

from layerguard.legible import legible_line


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
