"""Verdicts: stable codes, and words that a person can act on."""

from __future__ import annotations

import re

import pytest
from layerguard.platform import Platform
from layerguard.verdict import (
    BlobState,
    CheckedBlob,
    Code,
    Follows,
    ManifestReport,
    State,
    Verdict,
    next_step_after,
)

from tests.fakes import digest_of, reference


@pytest.mark.parametrize("code", list(Code))
@pytest.mark.parametrize("rest", ["shop/web", "shop/web:1", f"shop/web@{digest_of('web')}"])
def test_the_next_step_of_every_code_can_be_written_for_every_reference(
    code: Code, rest: str
) -> None:
    step = next_step_after(code, reference(rest), None, None)
    assert not re.search(r"\{\w+\}", step)
    assert bool(step) is bool(code.next_step)


def test_what_may_mend_a_code_is_about_images_that_are_not_there() -> None:
    for code in Code:
        if code.follows & ~Follows.CAUSE_IS_SHARED:
            assert code.state is State.UNAVAILABLE


def test_codes_are_unique_and_say_what_they_mean_in_a_sentence() -> None:
    assert len({code.text for code in Code}) == len(Code)
    for code in Code:
        assert code.meaning.endswith(".")


def test_only_one_code_says_available() -> None:
    assert [code for code in Code if code.state is State.AVAILABLE] == [Code.AVAILABLE]


def test_the_lines_of_a_verdict_give_digest_platform_counts_bad_layers_and_the_next_step() -> None:
    image, layer = digest_of("image"), digest_of("layer")
    arm64 = Platform("linux", "arm64")
    good = [
        CheckedBlob(digest_of(role), role, BlobState.AVAILABLE, 1)
        for role in ("layer 1 of 3", "layer 3 of 3", "config")
    ]
    lost = CheckedBlob(layer, "layer 2 of 3", BlobState.UNAVAILABLE, 1234567)
    report = ManifestReport(digest_of("child"), arm64, (good[0], lost, *good[1:]))
    verdict = Verdict(Code.LAYER_MISSING, "It is gone.", "push it.", image, arm64, (report,))
    assert verdict.lines == (
        "It is gone.",
        f"digest: {image}",
        "platform: linux/arm64",
        f"layers: 1 of 4 is not available in its manifest {digest_of('child')} for linux/arm64:",
        f"  {layer} UNAVAILABLE (layer 2 of 3, 1,234,567 bytes)",
        "next step: push it.",
    )
