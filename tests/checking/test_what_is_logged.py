"""What a run of checks logs: verdicts, what was done without, and the causes at its end."""

from __future__ import annotations

import asyncio
import logging
from contextlib import closing
from pathlib import Path

import pytest
from layerguard.checking.checker import Checker
from layerguard.checking.in_process_backend import InProcessBackend
from layerguard.checking.prefetch import Prefetch, PrefetchFile
from layerguard.checking.questions import Questions
from layerguard.reference import ImageReference
from layerguard.verdict import Code, Verdict

from tests.checking.recording import check, request, start
from tests.fakes import FakeRegistry, manifest


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, "layerguard")
    return caplog


def texts(logged: pytest.LogCaptureFixture, level: str) -> list[str]:
    return [each.getMessage() for each in logged.records if each.levelname == level]


def a_registry() -> FakeRegistry:
    registry = FakeRegistry()
    registry.put(manifest("a"), "1")
    return registry


def test_an_available_image_is_logged_at_debug_and_any_other_as_a_warning(
    logged: pytest.LogCaptureFixture,
) -> None:
    with closing(InProcessBackend(a_registry())) as backend:
        check(backend, request(), request("shop/web:2"))
    (available,) = (each for each in texts(logged, "DEBUG") if "shop/web:1" in each)
    assert ", with the default credential chain: available in 0." in available
    (absent,) = texts(logged, "WARNING")
    assert "shop/web:2, with the default credential chain: image-not-found in 0." in absent


async def broken(_reference: ImageReference, _verdict: Verdict, _questions: Questions) -> Verdict:
    raise ZeroDivisionError("planted")


async def slow(_reference: ImageReference, _verdict: Verdict, _questions: Questions) -> Verdict:
    raise asyncio.TimeoutError


def test_an_explanation_that_is_left_out_is_logged_with_the_reason(
    logged: pytest.LogCaptureFixture,
) -> None:
    for explain in (slow, broken):
        with closing(InProcessBackend(a_registry(), explain=explain)) as backend:
            (recorder,) = start(backend, request("shop/web:2"))
            assert recorder.explanation == recorder.verdict
    (warning,) = (each for each in texts(logged, "WARNING") if "explanation" in each)
    assert warning.startswith("The explanation for ")
    assert warning.endswith("shop/web:2 is left out: it did not come within 2 s")
    (error,) = (each for each in logged.records if each.levelname == "ERROR")
    assert "This is a bug of Layerguard 0.1.0, in explaining " in error.getMessage()
    assert error.exc_info


def test_a_run_ends_with_its_numbers_and_then_its_causes_the_most_frequent_last(
    logged: pytest.LogCaptureFixture,
) -> None:
    available = Verdict(Code.AVAILABLE, "Every layer is in ECR.")
    denied = Verdict(Code.ACCESS_DENIED, "ECR says AccessDenied.")
    missing = Verdict(Code.LAYER_MISSING, "A layer is missing.")
    with closing(Checker.in_process(a_registry())) as checker:
        for _ in range(2):  # a run may sum up several times
            checker.summary([denied, available, missing, denied])
    assert texts(logged, "INFO") == [
        "4 image uses, 0 images, 0 layers checked, 1 unavailable, 2 undetermined, 0 pending; "
        "0 calls to ECR in 0.0 s; checked in this process",
        "1 image use: layer-missing: A layer is missing.",
        "2 image uses: access-denied: ECR says AccessDenied.",
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "JSONDecodeError: "),
        ("{}", "ValueError: It is not a document of this version."),
        (
            '{"version": 2, "written": 1, "salt": "", "images": []}',
            "ValueError: It is 9999 s old, and no more than 3600 s count.",
        ),
    ],
)
def test_a_prefetch_file_that_is_ignored_is_logged_with_the_reason(
    logged: pytest.LogCaptureFixture, tmp_path: Path, content: str, why: str
) -> None:
    folder = tmp_path / "prefetch"
    folder.mkdir(mode=0o700)
    path = folder / "file.json"
    path.write_text(content)
    path.chmod(0o600)
    assert PrefetchFile(path, lambda: 10_000.0).read() == Prefetch()
    (warning,) = texts(logged, "WARNING")
    assert warning.startswith(f"The prefetch file is ignored: {why}")


def test_a_prefetch_file_that_others_may_write_or_that_is_not_there_is_named(
    logged: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    path = tmp_path / "file.json"
    PrefetchFile(path).read()
    assert texts(logged, "INFO") == [f"There is no prefetch file {path}"]
    path.write_text("{}")
    path.chmod(0o666)
    PrefetchFile(path).read()
    (warning,) = texts(logged, "WARNING")
    assert "is not a small regular file of this user alone" in warning
