"""The soak, in its full size: half a minute, most of it boto3's."""

from __future__ import annotations

from dataclasses import replace

import pytest
from layerguard.checking.limits import CONCURRENCY

from bench.soak import IMAGES, Result, Watch, soak
from bench.soak_registry import RESET, SLOW, THROTTLED


@pytest.fixture(scope="module")
def runs() -> tuple[Result, Result]:
    return soak(IMAGES)


def test_thousands_of_images_are_checked_with_trouble_as_without(
    runs: tuple[Result, Result],
) -> None:
    assert (THROTTLED, RESET, SLOW) == (0.02, 0.01, 0.01)
    for result in runs:
        assert result.wrong == ()
        # 50,000 layers of their own, ten for each ten images, and 5,000 configs; what is not there
        # has none.
        assert (result.images, result.layers) == (5_000, 60_000 - 50 * 11)


def test_memory_threads_and_sockets_are_bounded_and_none_is_left(
    runs: tuple[Result, Result],
) -> None:
    for result in runs:
        assert result.passed, result
        assert 1 < result.most_threads <= CONCURRENCY + 2
        # A connection for each call, and a few files that are read once.
        assert 1 < result.most_files <= CONCURRENCY + 10
        assert (result.threads_left, result.files_left) == (0, 0)


def test_a_verdict_that_is_wrong_and_a_leak_are_seen() -> None:
    fine = Result((), 1, 1, 2, 1.0, 1, 1, 1, 0, 0)
    assert fine.passed
    for bad in (
        replace(fine, wrong=("x",)),
        replace(fine, threads_left=1),
        replace(fine, files_left=1),
        replace(fine, memory=10**9),
    ):
        assert not bad.passed
    watch = Watch()
    with watch.watching():
        pass
    assert (watch.threads, watch.files) == (0, 0)
