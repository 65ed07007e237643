"""The scheduler: steps one at a time, no more calls than wanted, and nothing after its end."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing
from functools import partial

import pytest
from layerguard.investigation.scheduler import Call, Scheduler, Step

from tests.investigation.running import to_its_end
from tests.test_architecture import ROOT

PATIENCE = 20.0


class Calls:
    """Calls that hang until they are let go; keeps how many were under way at a time."""

    def __init__(self) -> None:
        self.let_go = threading.Semaphore(0)
        self.under_way = self.most = 0
        self.ended = 0
        self._changed = threading.Condition()

    def __call__(self) -> None:
        with self._changed:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            self._changed.notify_all()
        assert self.let_go.acquire(timeout=PATIENCE)
        with self._changed:
            self.under_way -= 1
            self.ended += 1
            self._changed.notify_all()

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(is_so, PATIENCE)


@pytest.fixture
def calls() -> Iterator[Calls]:
    calls = Calls()
    yield calls
    calls.let_go.release(1_000)


def start(scheduler: Scheduler, make: Callable[[], Step]) -> None:
    scheduler.call(lambda: scheduler.start(make()))


async def send(scheduler: Scheduler, calls: Callable[[], object]) -> None:
    await scheduler.run(calls)


def threads_of(before: set[threading.Thread]) -> set[threading.Thread]:
    return set(threading.enumerate()) - before


@pytest.mark.parametrize("size", [1, 3, 20])
def test_never_more_calls_are_under_way_than_wanted_and_as_many_as_that(
    size: int, calls: Calls
) -> None:
    before = set(threading.enumerate())
    with closing(Scheduler(size)) as scheduler:
        for _ in range(30):
            start(scheduler, lambda: send(scheduler, calls))
        calls.wait_until(lambda: calls.under_way == size)
        calls.let_go.release(30)
        calls.wait_until(lambda: calls.ended == 30)
        assert len(threads_of(before)) <= size
    assert calls.most == size


def test_no_thread_is_started_while_another_is_idle() -> None:
    before = set(threading.enumerate())
    with closing(Scheduler(50)) as scheduler:
        for number in range(20):
            done: Future[int] = Future()

            async def run(done: Future[int] = done, number: int = number) -> None:
                done.set_result(await scheduler.run(lambda: number))

            start(scheduler, run)
            assert done.result(PATIENCE) == number
        # One that has not come back from its last call yet may be joined by another.
        assert len(threads_of(before)) <= 2


def test_a_size_that_is_lowered_holds_for_what_comes_and_nothing_is_stuck(calls: Calls) -> None:
    with closing(Scheduler(8)) as scheduler:
        for _ in range(8):
            start(scheduler, lambda: send(scheduler, calls))
        calls.wait_until(lambda: calls.under_way == 8)
        scheduler.size = 2
        for _ in range(8):
            start(scheduler, lambda: send(scheduler, calls))
        calls.let_go.release(8)
        calls.wait_until(lambda: calls.ended == 8 and calls.under_way == 2)
        calls.most = 0
        calls.let_go.release(8)
        calls.wait_until(lambda: calls.ended == 16)
        assert calls.most <= 2


def test_a_size_that_is_raised_is_used_with_the_next_call(calls: Calls) -> None:
    with closing(Scheduler(1)) as scheduler:
        for _ in range(4):
            start(scheduler, lambda: send(scheduler, calls))
        calls.wait_until(lambda: calls.under_way == 1)
        scheduler.size = 5
        start(scheduler, lambda: send(scheduler, calls))
        calls.wait_until(lambda: calls.under_way == 5)


def test_a_call_that_hangs_does_not_hold_up_others(calls: Calls) -> None:
    with closing(Scheduler(2)) as scheduler:
        start(scheduler, lambda: send(scheduler, calls))
        calls.wait_until(lambda: calls.under_way == 1)
        others = [Future[int]() for _ in range(10)]

        async def run(number: int) -> None:
            others[number].set_result(await scheduler.run(lambda: number))

        for number in range(10):
            start(scheduler, partial(run, number))
        assert [each.result(PATIENCE) for each in others] == list(range(10))
        assert calls.under_way == 1


def test_steps_run_one_at_a_time_whatever_thread_they_are_on() -> None:
    inside = threading.Lock()
    threads: set[int] = set()
    all_ended = threading.Event()
    left = list(range(40))

    async def run(scheduler: Scheduler, meet: threading.Barrier) -> None:
        for _ in range(5):
            await scheduler.run(lambda: meet.wait(PATIENCE))
            # Nobody else is here: the lock is always free, and a count needs none.
            assert inside.acquire(blocking=False)
            threads.add(threading.get_ident())
            inside.release()
        left.pop()
        if not left:
            all_ended.set()

    with closing(Scheduler(4)) as scheduler:
        meet = threading.Barrier(4)
        for _ in range(40):
            start(scheduler, lambda: run(scheduler, meet))
        assert all_ended.wait(PATIENCE)
    assert len(threads) > 1


def test_what_a_call_raises_is_raised_where_it_is_awaited_and_ends_no_thread() -> None:
    def fail() -> None:
        raise ZeroDivisionError("oh")

    async def fail_and_go_on(scheduler: Scheduler) -> int:
        with pytest.raises(ZeroDivisionError, match="oh"):
            await scheduler.run(fail)
        return await scheduler.run(lambda: 1)

    assert to_its_end(fail_and_go_on, size=1) == 1


def test_who_sleeps_needs_no_thread_of_those_that_call() -> None:
    async def nap(scheduler: Scheduler) -> int:
        await scheduler.sleep(0.01)
        return await scheduler.run(lambda: 1)

    assert to_its_end(nap, size=1) == 1


def test_what_ends_a_turn_runs_when_all_who_go_on_in_it_have_gone_on() -> None:
    said: list[str] = []
    scheduler = Scheduler(1)

    async def run(name: str) -> None:
        said.append(name)
        scheduler.at_end_of_turn(lambda: said.append(f"end of {name}"))

    def turn() -> None:
        scheduler.start(run("one"))
        scheduler.start(run("two"))

    scheduler.call(turn)
    assert said == ["one", "two", "end of one", "end of two"]


def test_nothing_begins_after_the_end_and_every_thread_ends(calls: Calls) -> None:
    before = set(threading.enumerate())
    scheduler = Scheduler(2)
    went_on: list[str] = []

    async def run() -> None:
        await scheduler.run(calls)
        went_on.append("after its call")

    for _ in range(5):
        start(scheduler, run)
    calls.wait_until(lambda: calls.under_way == 2)
    threads = threads_of(before)
    scheduler.close()
    start(scheduler, lambda: send(scheduler, lambda: went_on.append("a call")))
    calls.let_go.release(2)
    for thread in threads:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads_of(before))
    assert (calls.ended, went_on) == (2, [])


def test_a_call_that_hangs_keeps_no_process_alive() -> None:
    program = f"""
import sys, threading
sys.path.insert(0, {str(ROOT / "policy")!r})
from layerguard.investigation.scheduler import Scheduler
scheduler, sent = Scheduler(2), threading.Event()
async def hang():
    await scheduler.run(lambda: (sent.set(), threading.Event().wait()))
async def doze():
    await scheduler.sleep(3600)
scheduler.call(lambda: (scheduler.start(hang()), scheduler.start(doze())))
assert sent.wait(20)
print("the end")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert (done.stdout, done.stderr) == ("the end\n", "")


def test_what_is_urgent_goes_before_what_waits() -> None:
    scheduler, ended = Scheduler(1), threading.Event()
    order: list[str] = []

    def line_up_all() -> None:
        for name, urgent in (("early", False), ("late", False), ("urgent", True)):
            scheduler.line_up(Call(partial(order.append, name)), urgent=urgent)
        scheduler.line_up(Call(ended.set))

    scheduler.call(line_up_all)
    assert ended.wait(10)
    scheduler.close()
    assert order == ["urgent", "early", "late"]
