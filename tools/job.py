"""Long commands: a sign of life while they run, a quote when they fail, ended with this process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

_HEARTBEAT = 30  # seconds between two signs of life
_QUOTED = 20  # last lines of a failed command's output: enough for Go and pip to name the cause


class SetupFailed(Exception):
    """Setting up cannot go on; the text is what happened and what to do."""


def say(text: str) -> None:
    """Prints a line of progress on stderr: stdout is for the result alone."""
    print(f"layerguard: {text}", file=sys.stderr, flush=True)


def exit_status(work: Callable[[], None]) -> int:
    """Does the work of a command: 0 when it is done, 1 with the reason on stderr when it failed.

    An interruption (Ctrl-C, SIGTERM, SIGHUP) goes through the work as an exception, so that it
    removes what it has not finished.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupted)
    try:
        work()
    except (SetupFailed, OSError) as cause:
        say(str(cause))
        return 1
    return 0


def _interrupted(number: int, _frame: FrameType | None) -> None:
    say("interrupted")
    sys.exit(128 + number)


def run(command: Sequence[str | Path], environ: Mapping[str, str], cwd: Path, log: Path) -> None:
    """Runs a command to its end, with its output in a log file.

    Raises SetupFailed, with the end of that output, when it cannot start or exits non-zero. When
    this process is interrupted, the command and all its children are ended first.
    """
    with log.open("wb") as output:
        try:
            process = subprocess.Popen(
                command,
                cwd=cwd,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a process group of its own: all of it can be ended
            )
        except OSError as cause:
            raise SetupFailed(f"{command[0]} does not run: {cause}") from cause
        try:
            _wait(process)
        finally:
            _end(process)
    if process.returncode:
        heading = f"{Path(command[0]).name} failed with exit status {process.returncode}:"
        quoted = log.read_text(errors="replace").splitlines()[-_QUOTED:]
        raise SetupFailed("\n    ".join([heading, *quoted]))


def _wait(process: subprocess.Popen[bytes]) -> None:
    started = time.monotonic()
    while True:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_HEARTBEAT)
            return
        say(f"... still at it after {time.monotonic() - started:.0f} s")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
