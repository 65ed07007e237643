"""Many image uses at a time: one bad image never hides another, and all are counted."""

from __future__ import annotations

import itertools

import pytest
from layerguard.inspection import Inspector, Judgement
from layerguard.manifest import Platform
from layerguard.reference import ImageReference
from layerguard.verdict import Code, Verdict

from tests.fakes import HOST, FakeRegistry, manifest, use


def codes(judgements: tuple[Judgement, ...]) -> list[str]:
    return [judgement.verdict.code.text for judgement in judgements]


def test_uses_are_judged_in_their_order_each_on_its_own() -> None:
    registry = FakeRegistry()
    registry.put(manifest("a"), "1")
    registry.put(manifest("lost"), "2")
    registry.lose("lost")
    pending = Verdict(Code.UNKNOWN_IN_PREVIEW, "Later.")
    uses = [use("shop/web:2"), use(pending), use("shop/web:1"), use("shop/web:3")]
    assert codes(Inspector(registry).judge(uses)) == [
        "layer-missing",
        "unknown-in-preview",
        "available",
        "image-not-found",
    ]


def test_an_image_that_many_use_is_asked_about_once() -> None:
    registry = FakeRegistry()
    registry.put(manifest("a", "b"), "1")
    inspector = Inspector(registry)
    inspector.start([use()] * 5)
    inspector.judge([use()] * 5)
    inspector.judge([use(platform=Platform("linux", "arm64"))])
    assert registry.calls == 2
    assert len({question for _, question in registry.questions}) == len(registry.questions) == 4


def test_layers_that_images_share_are_asked_about_once() -> None:
    registry = FakeRegistry()
    for tag in range(20):
        registry.put(manifest("base", f"app {tag}"), str(tag))
    Inspector(registry).judge([use(f"shop/web:{tag}") for tag in range(20)])
    questions = [question for _, question in registry.questions]
    assert len(questions) == len(set(questions)) == 20 + 20 + 2


@pytest.mark.parametrize("workers", [1, 2, 40])
def test_verdicts_do_not_depend_on_the_number_of_workers_or_the_order(workers: int) -> None:
    registry = FakeRegistry()
    for tag in range(12):
        registry.put(manifest("base", f"app {tag}"), str(tag))
    registry.lose("app 3")
    uses = [use(f"shop/web:{tag}") for tag in range(13)]
    expected = ["available"] * 3 + ["layer-missing"] + ["available"] * 8 + ["image-not-found"]
    assert codes(Inspector(registry, workers).judge(uses)) == expected
    assert codes(Inspector(registry, workers).judge(uses[::-1])) == expected[::-1]


def test_a_bug_is_a_verdict_that_names_itself_as_one() -> None:
    registry = FakeRegistry()
    registry.failure = ZeroDivisionError("oh")
    (judgement,) = Inspector(registry).judge([use()])
    assert judgement.message == (
        f"internal-error: path: {HOST}/shop/web:1\n"
        "  This is a bug of Layerguard: ZeroDivisionError: oh\n"
        "  next step: please report this text to the maintainers of Layerguard."
    )


def test_the_headline_names_code_path_container_and_the_reference_as_written() -> None:
    written = ImageReference.parse(f"docker://{HOST.upper()}/shop/web:9")
    assert written is not None
    verdict = Verdict(Code.IMAGE_NOT_FOUND, "No.")
    assert Judgement(use(written, container="web"), verdict).headline == (
        f'image-not-found: path (container "web"): docker://{HOST.upper()}/shop/web:9'
    )
    assert Judgement(use(verdict), verdict).headline == "image-not-found: path"


def test_the_summary_counts_uses_images_layers_states_calls_and_seconds() -> None:
    registry = FakeRegistry()
    registry.put(manifest("a", "b"), "1")
    ticks = itertools.count(0.0, 0.5)
    inspector = Inspector(registry, clock=lambda: next(ticks))
    judgements = inspector.judge(
        [
            use("shop/web:1"),
            use("shop/web:1"),
            use("shop/web:2"),
            use(Verdict(Code.UNKNOWN_IN_PREVIEW, "")),
            use(Verdict(Code.DOCUMENT_UNREADABLE, "")),
            use(Verdict(Code.NOT_PRIVATE_ECR, "")),
        ]
    )
    assert str(inspector.summary(judgements)) == (
        "layerguard: 5 image uses, 2 images, 3 layers checked, 1 unavailable, 1 undetermined, "
        "1 pending; 3 calls to ECR in 1.0 s"
    )


def test_what_is_forgotten_is_asked_again_and_the_rest_is_not() -> None:
    registry = FakeRegistry()
    registry.put(manifest("a"), "1")
    registry.lose("a")
    inspector = Inspector(registry)
    assert codes(inspector.judge([use(), use("shop/other:1")])) == ["layer-missing"] * 2
    asked = len(registry.questions)
    registry.layer_answers.clear()
    inspector.forget(use())
    inspector.forget(use(Verdict(Code.UNKNOWN_IN_PREVIEW, "Later.")))
    assert codes(inspector.judge([use(), use("shop/other:1")])) == ["available", "layer-missing"]
    again = registry.questions[asked:]
    assert {repository.name for repository, _ in again} == {"shop/web"}
