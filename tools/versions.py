"""Versions of pulumi and of Go: read out of what the commands print, compared as numbers."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

_NUMBERS = re.compile(r"\b(?:v|go)?(\d+)\.(\d+)(?:\.(\d+))?")


class Version(NamedTuple):
    """A version without its pre-release part, ordered as its numbers are."""

    major: int
    minor: int
    patch: int = 0

    @classmethod
    def find(cls, text: str) -> Version | None:
        """The first version in a text such as `go version go1.26.8 linux/amd64`, if any."""
        found = _NUMBERS.search(text)
        return None if found is None else cls(*(int(part or 0) for part in found.groups()))

    def __str__(self) -> str:
        return ".".join(map(str, self))


def answered(command: Sequence[str | Path], environ: Mapping[str, str]) -> Version | None:
    """The version that a command prints, or None where it does not run or prints none.

    A command that is there may still not run: a version manager's shim, another machine's binary.
    """
    try:
        ran = subprocess.run(
            command, env=environ, capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return Version.find(ran.stdout)
