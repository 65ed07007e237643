"""What a verdict on an image means for one use of it: the runtime's rules, and who speaks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from layerguard.discovery import ImageUse, Voice, runtimes
from layerguard.discovery.placement import Placement
from layerguard.discovery.runtimes import Runtime
from layerguard.enforcement.finding import judge
from layerguard.manifest import ManifestForm
from layerguard.verdict import Code, Verdict

from tests.fakes import use

AVAILABLE = Verdict(Code.AVAILABLE, "All there.", form=ManifestForm.OCI_INDEX)
MISSING = Verdict(Code.LAYER_MISSING, "A layer is missing.", "push it", form=ManifestForm.OCI_INDEX)
DENIED = Verdict(Code.ACCESS_DENIED, "Denied.", "allow it")
OTHER_PLATFORM = Verdict(Code.PLATFORM_MISSING, "Only arm64.", "build it")
ELSEWHERE = Placement("123456789012", "us-east-1")


def used_by(runtime: Runtime, *, presumed: bool = False, voice: Voice = Voice.GATE) -> ImageUse:
    return replace(
        use(), runtime=runtime, placement=ELSEWHERE, platform_is_presumed=presumed, voice=voice
    )


@pytest.mark.parametrize(
    ("runtime", "verdict", "code", "voice"),
    [
        # What is certain stops, what is only likely is a notice.
        (runtimes.ANY, AVAILABLE, Code.AVAILABLE, Voice.GATE),
        (runtimes.LAMBDA, AVAILABLE, Code.RUNTIME_REJECTS, Voice.GATE),
        (runtimes.SAGEMAKER, AVAILABLE, Code.RUNTIME_REJECTS, Voice.NOTICE),
        # What the image lacks is said first.
        (runtimes.LAMBDA, MISSING, Code.LAYER_MISSING, Voice.GATE),
        (runtimes.SAGEMAKER, MISSING, Code.LAYER_MISSING, Voice.GATE),
        # What is certain is known although ECR could not be asked.
        (runtimes.LAMBDA, DENIED, Code.RUNTIME_REJECTS, Voice.GATE),
        (runtimes.SAGEMAKER, DENIED, Code.ACCESS_DENIED, Voice.GATE),
    ],
)
def test_the_image_goes_before_the_runtime_and_the_certain_before_the_likely(
    runtime: Runtime, verdict: Verdict, code: Code, voice: Voice
) -> None:
    finding = judge(used_by(runtime), verdict)
    assert (finding.verdict.code, finding.voice) == (code, voice)


def test_no_reason_is_lost() -> None:
    reason = judge(used_by(runtimes.LAMBDA), MISSING).verdict.reason
    assert reason == (
        "A layer is missing. "
        "AWS Lambda does not run this image: the repository is in eu-west-1, and the resource in "
        "us-east-1. "
        "AWS Lambda does not run this image: the reference leads to an OCI index, and it takes a "
        "single manifest."
    )
    denied = judge(used_by(runtimes.LAMBDA), DENIED).verdict
    assert denied.reason.endswith("us-east-1. Denied.")
    assert denied.next_step.startswith("copy the image into a repository of the resource's own")


def test_a_platform_that_is_only_presumed_is_for_the_notice() -> None:
    assert (
        judge(used_by(runtimes.ANY, platform_is_presumed=True), OTHER_PLATFORM).voice
        is Voice.NOTICE
    )
    assert judge(used_by(runtimes.ANY, platform_is_presumed=True), MISSING).voice is Voice.GATE
    assert judge(used_by(runtimes.ANY), OTHER_PLATFORM).voice is Voice.GATE
    certain = judge(used_by(runtimes.LIGHTSAIL, platform_is_presumed=True), OTHER_PLATFORM)
    assert (certain.verdict.code, certain.voice) == (Code.RUNTIME_REJECTS, Voice.GATE)


def test_of_a_quiet_use_only_the_notice_speaks() -> None:
    for verdict in (AVAILABLE, MISSING, DENIED):
        assert judge(used_by(runtimes.ANY, voice=Voice.NOTICE), verdict).voice is Voice.NOTICE


@pytest.mark.parametrize(
    "code", [Code.UNKNOWN_IN_PREVIEW, Code.REFERENCE_INVALID, Code.SECRET_NOT_SHOWN]
)
def test_what_is_no_reference_is_no_matter_of_the_runtime(code: Code) -> None:
    verdict = Verdict(code, "Words.")
    unknown = replace(used_by(runtimes.LAMBDA), target=verdict, text="some text")
    assert judge(unknown, verdict).verdict is verdict
