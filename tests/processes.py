"""The processes of this machine. Source: proc(5); where there is no /proc, none is found."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

# Seconds; far more than anything takes, because the machine may be busy with something else.
PATIENCE = 60.0


def wait_until(condition: Callable[[], object]) -> None:
    """Wait until a condition is true; fail where it does not become true."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def children(parent: int) -> tuple[int, ...]:
    """Return the ids of the children of a process that have not ended."""
    return tuple(process for process, its_parent in _processes() if its_parent == parent)


def is_running(process: int) -> bool:
    """Return whether a process exists and has not ended."""
    return any(process == each for each, _ in _processes())


def running_with(text: str) -> tuple[int, ...]:
    """Return the processes that have ``text`` in their environment or their folder's path."""
    found = []
    for process, _ in _processes():
        with suppress(OSError):  # it belongs to another user, or has just ended
            folder = Path(f"/proc/{process}/cwd").readlink()
            if text in variables(process) or text in f"{folder}/":
                found.append(process)
    return tuple(found)


def command_line(process: int) -> str:
    """Return the words that a process was started with."""
    return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def variables(process: int) -> str:
    """Return the environment that a process was started with."""
    return Path(f"/proc/{process}/environ").read_bytes().replace(b"\0", b"\n").decode()


def _processes() -> Iterator[tuple[int, int]]:
    """Yield the id of each process that has not ended, and that of its parent."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            # The second word is the command in parentheses, whatever stands in it.
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            if state not in "ZX":
                yield int(folder.name), int(parent)
