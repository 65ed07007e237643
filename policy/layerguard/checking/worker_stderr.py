"""What the worker writes to stderr, such as the traceback of its end, as records of the log."""

from __future__ import annotations

import logging
from collections import deque
from typing import IO

# The first lines are logged as they come, and of a flood also the last ones.
_FIRST_LINES, _LAST_LINES, _MAX_LINE_BYTES = 200, 20, 4_000
_log = logging.getLogger("layerguard.checking.worker")


def log_lines(pipe: IO[bytes]) -> None:
    """Log the lines that come from ``pipe``; of a flood only its beginning and its end."""
    last: deque[bytes] = deque(maxlen=_LAST_LINES)
    count = 0
    while line := pipe.readline(_MAX_LINE_BYTES):
        count += 1
        if count <= _FIRST_LINES:
            _log_line(line)
        else:
            last.append(line)
    left_out = count - _FIRST_LINES - len(last)
    if left_out > 0:
        _log.warning("and %d more lines on stderr, of which the last are:", left_out)
    for line in last:
        _log_line(line)


def _log_line(line: bytes) -> None:
    if text := line.decode("utf-8", "backslashreplace").rstrip():
        _log.warning("on stderr: %s", text)
