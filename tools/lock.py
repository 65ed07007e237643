"""A lock between processes, for what only one of them may set up at a time."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.job import say


@contextmanager
def hold(file: Path) -> Iterator[None]:
    """Holds the lock on a file, which is made where it is missing; reports when it must wait.

    The system takes the lock back with the open file, however this process ends.
    """
    with file.open("a") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another setup that is at work in {file.parent}")
            fcntl.flock(opened, fcntl.LOCK_EX)
        yield
