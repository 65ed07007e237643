"""An update right after its preview: everything is under way before the first resource."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

import pulumi
import pytest
from layerguard_sandbox.ecr import Answer, Fault, SandboxEcr, oci_image
from layerguard_sandbox.ecr.registry import Registry

from tests.engine.conftest import Start
from tests.engine.programs import function, functions

NAMES = tuple(f"image{number}" for number in range(6))


@pytest.fixture
def images(registry: Registry) -> Mapping[str, str]:
    return {
        name: registry.push(f"shop/{name}", oci_image(name), tag="1").reference for name in NAMES
    }


class Watcher:
    """Lets ECR not answer until so many repositories were asked about, or some seconds are over."""

    def __init__(self, ecr: SandboxEcr, wanted: int, seconds: float) -> None:
        self._ecr, self._wanted, self._seconds = ecr, wanted, seconds
        self.asked = 0

    def __enter__(self) -> Watcher:
        self._ecr.clear_requests()
        self._ecr.faults.add(Fault(Answer.HANG, operation="BatchGetImage"))
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()

    def _watch(self) -> None:
        end = time.monotonic() + self._seconds
        while self._repositories() < self._wanted and time.monotonic() < end:
            time.sleep(0.05)
        self.asked = self._repositories()
        self._ecr.faults.clear()

    def _repositories(self) -> int:
        return len({request.repository for request in self._ecr.requests})


def test_after_a_preview_all_questions_are_under_way_before_the_first_resource_is_made(
    start: Start, ecr: SandboxEcr, images: Mapping[str, str]
) -> None:
    engine = start(functions(**images))
    assert engine.preview().passed
    with Watcher(ecr, len(NAMES), 15) as watcher:
        assert engine.up().passed
    # One function is made after the other: without the prefetch the first would wait alone.
    assert watcher.asked == len(NAMES)
    assert len(engine.asked_to_create()) == len(NAMES)


def test_without_a_preview_an_update_asks_about_one_resource_after_the_other(
    start: Start, ecr: SandboxEcr, images: Mapping[str, str]
) -> None:
    engine = start(functions(**images))
    with Watcher(ecr, len(NAMES), 6) as watcher:
        assert engine.up().passed
    assert watcher.asked == 1
    assert len(engine.asked_to_create()) == len(NAMES)


def test_a_verdict_is_of_the_updates_own_questions_whatever_the_preview_found(
    start: Start, registry: Registry, images: Mapping[str, str]
) -> None:
    first, *_, last = NAMES
    engine = start(functions(**images))
    assert engine.preview().passed
    registry.delete_image(f"shop/{last}", "1")
    update = engine.up()
    assert not update.passed
    (message,) = update.messages("ecr-layers-available")
    assert message.startswith(f"image-not-found: imageUri: {images[last]}\n")
    assert f"::{first}" in engine.asked_to_create()[0]
    assert not any(created.endswith(last) for created in engine.asked_to_create())


def test_what_was_pushed_since_the_first_question_is_there_when_its_resource_comes_up(
    start: Start, ecr: SandboxEcr, registry: Registry
) -> None:
    """A push that is no resource's, such as one of the program itself."""
    web = registry.push("shop/web", oci_image("web"), tag="1").reference
    late = registry.push("shop/late", oci_image("late"), tag="1").reference
    missed: list[bool] = []

    def push(urn: str) -> str:
        if not pulumi.runtime.is_dry_run():
            # DescribeImages is called after BatchGetImage did not find the image.
            end = time.monotonic() + 15
            while not _is_missed(ecr, "shop/late") and time.monotonic() < end:
                time.sleep(0.02)
            missed.append(_is_missed(ecr, "shop/late"))
            registry.push("shop/late", oci_image("late"), tag="1")
        return urn

    def program() -> None:
        first = function("first", web)
        first.urn.apply(push).apply(lambda _: function("second", late))

    engine = start(program)
    assert engine.preview().passed
    registry.delete_image("shop/late", "1")
    ecr.clear_requests()
    update = engine.up()
    assert missed == [True]
    assert update.passed, update.output
    assert len(engine.asked_to_create()) == 2


def _is_missed(ecr: SandboxEcr, repository: str) -> bool:
    return any(
        (each.operation, each.repository) == ("DescribeImages", repository) for each in ecr.requests
    )
