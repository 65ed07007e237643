"""Threads that never keep a process alive."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import CancelledError
from functools import partial

import pytest
from layerguard.inspection.pool import DaemonPool


def test_work_is_done_and_what_it_raises_arrives() -> None:
    pool = DaemonPool(2)
    assert [pool.submit(partial(pow, n, 2)).result(5) for n in range(10)] == [
        n * n for n in range(10)
    ]

    def broken() -> int:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        pool.submit(broken).result(5)
    pool.close()


def test_no_more_than_its_size_work_at_a_time_and_as_many_when_there_is_work() -> None:
    pool = DaemonPool(3)
    barrier = threading.Barrier(3)
    assert sorted(
        each.result(5) for each in [pool.submit(lambda: barrier.wait(5)) for _ in range(3)]
    ) == [0, 1, 2]
    running, most, lock = 0, 0, threading.Lock()

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.005)
        with lock:
            running -= 1

    for each in [pool.submit(work) for _ in range(30)]:
        each.result(5)
    assert 1 <= most <= 3
    pool.close()


def test_after_closing_nothing_begins() -> None:
    pool = DaemonPool(1)
    pool.close()
    with pytest.raises(CancelledError):
        pool.submit(lambda: 1).result(5)


def test_a_thread_that_hangs_does_not_keep_the_process() -> None:
    program = (
        "import threading\n"
        "from layerguard.inspection.pool import DaemonPool\n"
        "DaemonPool(1).submit(threading.Event().wait)\n"
        "print('end')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout == "end\n"
