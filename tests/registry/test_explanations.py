"""Why an image is not there: asked only after a failure, and a refusal to say changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from layerguard.checking.checker import Checker
from layerguard.registry.ecr import Ecr
from layerguard.verdict import Code, Verdict

from tests.fakes import digest_of, manifest, use
from tests.registry.wire import Say, Wire

IMAGE = manifest("a")
DIGEST = str(IMAGE.digest)
ABSENT = "ECR says ImageNotFound: Requested image not found."
LISTED = {"imageDetails": [{"imageTags": ["1.0", "2.0"], "imagePushedAt": 1}]}


def answers(*found: bool) -> Say:
    """Say of each question in turn whether the image is found; the last one repeats."""
    turns = list(found)

    def say(asked: dict[str, Any]) -> object:
        (image_id,) = asked["imageIds"]
        if turns.pop(0) if len(turns) > 1 else turns[0]:
            said = {"imageId": {**image_id, "imageDigest": DIGEST}, "imageManifest": IMAGE.text}
            return {"images": [said]}
        reason = "Requested image not found"
        failure = {"imageId": image_id, "failureCode": "ImageNotFound", "failureReason": reason}
        return {"failures": [failure]}

    return say


def layers(asked: dict[str, Any]) -> object:
    available = [
        {"layerDigest": digest, "layerAvailability": "AVAILABLE"}
        for digest in asked["layerDigests"]
    ]
    return {"layers": available}


def status(status: str | None) -> Say:
    """Say this status of an image that is asked for, and list two tags where none is."""

    def say(asked: dict[str, Any]) -> object:
        if "imageIds" not in asked:
            return LISTED
        return {"imageDetails": [{"imageStatus": status}] if status else []}

    return say


def no_caches(_asked: dict[str, Any]) -> object:
    return {"pullThroughCacheRules": []}


def judged(rest: str, **says: Say) -> tuple[Verdict, dict[str, int]]:
    with Wire(**{"DescribePullThroughCacheRules": no_caches, **says}) as wire:
        checker = Checker.asking(Ecr(wire.client))
        (finding,) = checker.judge([use(rest)])
        checker.close()
        return finding.verdict, dict(wire.asked)


def test_of_what_is_there_nothing_more_is_asked() -> None:
    verdict, asked = judged(
        "shop/web:1",
        BatchGetImage=answers(True),
        BatchCheckLayerAvailability=layers,
        DescribeImages=status("ACTIVE"),
    )
    assert verdict.code is Code.AVAILABLE
    assert asked == {"BatchGetImage": 1, "BatchCheckLayerAvailability": 1}


def test_a_refusal_to_describe_images_changes_nothing() -> None:
    verdict, asked = judged("shop/web:1", BatchGetImage=answers(False))
    assert (verdict.code, verdict.reason) == (Code.IMAGE_NOT_FOUND, ABSENT)
    assert set(asked) == {"BatchGetImage", "DescribeImages", "DescribePullThroughCacheRules"}


@pytest.mark.parametrize("archived", ["ARCHIVED", "ACTIVATING"])
def test_an_archived_image_is_told_from_one_that_is_not_there(archived: str) -> None:
    for rest in ("shop/web:1", f"shop/web@{digest_of('absent')}"):
        verdict, _ = judged(rest, BatchGetImage=answers(False), DescribeImages=status(archived))
        assert verdict.code is Code.IMAGE_ARCHIVED


def test_the_nearest_tags_and_the_newest_ones_are_named_however_ecr_says_that_there_is_none() -> (
    None
):
    verdict, _ = judged("shop/web:1.1", BatchGetImage=answers(False), DescribeImages=status(None))
    assert verdict.code is Code.IMAGE_NOT_FOUND
    assert verdict.reason == (f"{ABSENT} The nearest tag is 1.0. The newest tags are 1.0, 2.0.")


def test_of_a_digest_alone_no_tag_is_suggested() -> None:
    digest = digest_of("absent")
    verdict, asked = judged(
        f"shop/web@{digest}", BatchGetImage=answers(False), DescribeImages=status(None)
    )
    assert (verdict.code, verdict.reason) == (Code.IMAGE_NOT_FOUND, ABSENT)
    assert asked["DescribeImages"] == 1


def test_an_image_that_was_pushed_between_two_questions_is_there() -> None:
    verdict, _ = judged(
        "shop/web:1",
        BatchGetImage=answers(False, True),
        BatchCheckLayerAvailability=layers,
        DescribeImages=status("ACTIVE"),
    )
    assert verdict.code is Code.AVAILABLE


def test_an_image_that_ecr_has_and_does_not_give_is_not_proven_to_be_missing() -> None:
    verdict, asked = judged(
        "shop/web:1", BatchGetImage=answers(False), DescribeImages=status("ACTIVE")
    )
    assert verdict.code is Code.INCONSISTENT_ANSWER
    assert verdict.reason == (
        "ECR's DescribeImages has the image and its BatchGetImage does not; it may be of a kind that "
        "no runtime pulls."
    )
    assert asked == {"BatchGetImage": 2, "DescribeImages": 1}


def test_the_nearest_names_are_named_where_there_is_no_such_repository() -> None:
    names = {"repositories": [{"repositoryName": "shop/web"}, {"repositoryName": "billing"}]}

    says = {"DescribeRepositories": lambda _: names, "DescribePullThroughCacheRules": no_caches}
    with Wire(**says) as wire:
        wire.refuse["BatchGetImage"] = "RepositoryNotFoundException"
        checker = Checker.asking(Ecr(wire.client))
        findings = checker.judge([use("shop/wbe:1"), use("shop/webb:1"), use("zzz:1")])
        checker.close()
        asked = wire.asked["DescribeRepositories"]
    assert [each.verdict.code for each in findings] == [Code.REPOSITORY_NOT_FOUND] * 3
    reasons = [each.verdict.reason for each in findings]
    assert [reason.partition(". ")[2] for reason in reasons] == [
        "The nearest name is shop/web.",
        "The nearest name is shop/web.",
        "",
    ]
    assert asked == 1
