"""The exit codes of the command line: one table, from which every command's help is written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from layerguard.verdict import State, Verdict

AVAILABLE = 0
UNAVAILABLE = 1
UNDETERMINED = 2
USAGE = 64
"""As ``EX_USAGE`` of sysexits.h: no verdict has it, so that a mistyped option is not one."""
INTERRUPTED = 130
READER_GONE = 141


@dataclass(frozen=True, slots=True)
class Exit:
    """An exit code and its meaning."""

    code: int
    meaning: str


_USAGE = Exit(USAGE, "the usage is wrong")
_GONE = Exit(READER_GONE, "the reader of the output went away, as head does")
_INTERRUPTED = Exit(INTERRUPTED, "interrupted, by Ctrl-C")
_CHECKED = (
    Exit(AVAILABLE, "every image is available; an image outside private ECR is skipped"),
    Exit(UNAVAILABLE, "an image is proven unavailable, whatever the others are"),
    Exit(
        UNDETERMINED,
        "it could not be determined: an image could not be checked, runtimes differ in whether "
        "they run it, a source could not be read, the result not be written, or Layerguard itself "
        "failed",
    ),
    _USAGE,
    _INTERRUPTED,
    _GONE,
)
EXITS = {
    "audit": _CHECKED,
    "batch-check-layer-availability": (
        Exit(0, "ECR has answered, whatever the answer is"),
        Exit(1, "with --fail-on-unavailable: a digest is not AVAILABLE"),
        Exit(2, "the usage is wrong, as with the AWS CLI"),
        _INTERRUPTED,
        _GONE,
        Exit(255, "there is no answer"),
    ),
    "check": _CHECKED,
    "completion": (
        Exit(0, "the script is printed"),
        _USAGE,
        _GONE,
    ),
    "report": (
        Exit(AVAILABLE, "every image of every report is available"),
        Exit(UNAVAILABLE, "an image is proven unavailable, whatever the others are"),
        Exit(
            UNDETERMINED,
            "it could not be determined, as with audit; or a report could not be read, or is not "
            "complete",
        ),
        _USAGE,
        _GONE,
    ),
    "sandbox": (
        Exit(0, "ended, by Ctrl-C or SIGTERM"),
        Exit(2, "the port is taken, or moto is not installed"),
        _USAGE,
        _GONE,
    ),
}
"""The exit codes of each command, by its name."""


def exit_code(verdicts: Iterable[Verdict]) -> int:
    """Return 1 if an image is proven unavailable, 2 if one is not known, and 0 otherwise.

    Skipped images change nothing.
    """
    seen = {(verdict.state, verdict.is_certain) for verdict in verdicts}
    if (State.UNAVAILABLE, True) in seen:
        return UNAVAILABLE
    states = {state for state, _ in seen}
    return AVAILABLE if states <= {State.AVAILABLE, State.SKIPPED} else UNDETERMINED


def explain(command: str) -> str:
    """Return the exit codes of ``command`` for its help."""
    rows = (f"  {row.code:<4} {row.meaning}" for row in EXITS[command])
    return "\n".join(("exit codes:", *rows))
