"""Answers that do not add up, over HTTP to boto3: the verdict that is true, in bounded work.

The sandbox tells the truth or one of its faults; here every shape comes from the wire as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from layerguard.checking.checker import Checker
from layerguard.reference import Digest
from layerguard.registry.ecr import Ecr
from layerguard.verdict import Code, Verdict

from tests.fakes import OCI_INDEX, Document, descriptor, digest_of, index, manifest, use
from tests.registry.wire import Say, Wire

WEB = manifest("a", "b", "c")


def pushed(*documents: Document) -> Say:
    """Say each document under its digest, and the first one under every tag."""
    by_digest = {str(each.digest): each for each in documents}

    def say(asked: dict[str, Any]) -> object:
        images, failures = [], []
        for image_id in asked["imageIds"]:
            document = by_digest.get(image_id.get("imageDigest", str(documents[0].digest)))
            if document is None:
                failures.append({"imageId": image_id, "failureCode": "ImageNotFound"})
            else:
                images.append(
                    {
                        "imageId": {**image_id, "imageDigest": str(document.digest)},
                        "imageManifest": document.text,
                    }
                )
        return {"images": images, "failures": failures}

    return say


def available(asked: dict[str, Any]) -> dict[str, Any]:
    return {"layers": [there(digest) for digest in asked["layerDigests"]], "failures": []}


def there(digest: str) -> dict[str, Any]:
    return {"layerDigest": digest, "layerAvailability": "AVAILABLE", "layerSize": 1}


def verdict(images: Say = pushed(WEB), layers: Say = available) -> Verdict:  # noqa: B008 - it is a constant
    with Wire(BatchGetImage=images, BatchCheckLayerAvailability=layers) as wire:
        return judged(wire)


def judged(wire: Wire) -> Verdict:
    checker = Checker.asking(Ecr(wire.client))
    (finding,) = checker.judge([use()])
    checker.close()
    assert "bug" not in finding.verdict.reason, finding.verdict.reason
    return finding.verdict


def test_an_answer_that_adds_up_is_available() -> None:
    assert verdict().code is Code.AVAILABLE


FOUND = pushed(WEB)({"imageIds": [{"imageTag": "1"}]})
assert isinstance(FOUND, dict)
(IMAGE,) = FOUND["images"]
OTHER = manifest("another")
NOT_FOUND = {"imageId": {"imageTag": "1"}, "failureCode": "ImageNotFound", "failureReason": "No."}


@pytest.mark.parametrize(
    ("said", "code"),
    [
        # what is said instead of images                                      the verdict
        ({"images": [IMAGE, IMAGE]}, Code.AVAILABLE),
        ({"images": [IMAGE, None]}, Code.AVAILABLE),
        ({"images": [{**IMAGE, "imageManifestMediaType": 5}]}, Code.AVAILABLE),
        ({"images": [IMAGE], "failures": None}, Code.AVAILABLE),
        ({"failures": [NOT_FOUND]}, Code.IMAGE_NOT_FOUND),
        ({"failures": [NOT_FOUND, NOT_FOUND]}, Code.IMAGE_NOT_FOUND),
        ({"images": [IMAGE], "failures": [NOT_FOUND]}, Code.INCONSISTENT_ANSWER),
        ({"images": [IMAGE, {**IMAGE, "imageManifest": OTHER.text}]}, Code.INCONSISTENT_ANSWER),
        ({"images": [{**IMAGE, "imageId": {"imageTag": "2"}}]}, Code.INCONSISTENT_ANSWER),
        ({"images": [{**IMAGE, "imageId": {"imageTag": "1"}}]}, Code.INCONSISTENT_ANSWER),
        ({"images": [{**IMAGE, "imageId": "1"}]}, Code.INCONSISTENT_ANSWER),
        ({"images": [{**IMAGE, "imageId": None}]}, Code.INCONSISTENT_ANSWER),
        ({"images": [{**IMAGE, "imageId": {"imageTag": "1", "imageDigest": 7}}]}, Code.INCONSISTENT_ANSWER),
        ({"images": [{**IMAGE, "imageManifest": 5}]}, Code.INCONSISTENT_ANSWER),
        ({"images": [{**IMAGE, "imageManifest": None}]}, Code.INCONSISTENT_ANSWER),
        ({"images": [{**IMAGE, "imageManifest": {"layers": []}}]}, Code.INCONSISTENT_ANSWER),
        ({"images": None}, Code.INCONSISTENT_ANSWER),
        ({"images": []}, Code.INCONSISTENT_ANSWER),
        ({"images": [None]}, Code.INCONSISTENT_ANSWER),
        ({"images": "image"}, Code.INCONSISTENT_ANSWER),
        ({"images": 5}, Code.INCONSISTENT_ANSWER),
        ({"images": {"a": 1}}, Code.INCONSISTENT_ANSWER),
        ({"images": ["a", 5]}, Code.INCONSISTENT_ANSWER),
        ({"failures": "none"}, Code.INCONSISTENT_ANSWER),
        ({"failures": [5]}, Code.INCONSISTENT_ANSWER),
        ([], Code.INCONSISTENT_ANSWER),
        ([IMAGE], Code.INCONSISTENT_ANSWER),
        ("images", Code.INCONSISTENT_ANSWER),
        (5, Code.INCONSISTENT_ANSWER),
        (None, Code.INCONSISTENT_ANSWER),
        ({}, Code.INCONSISTENT_ANSWER),
        (b"", Code.INCONSISTENT_ANSWER),
        (b"<html>", Code.INCONSISTENT_ANSWER),
        (b"\xff\xfe", Code.INCONSISTENT_ANSWER),
        (json.dumps(FOUND).encode()[:-10], Code.INCONSISTENT_ANSWER),
        (b"[" * 100_000, Code.INCONSISTENT_ANSWER),
    ],
)  # fmt: skip
def test_an_answer_about_an_image_ends_in_the_verdict_that_is_true(
    said: object, code: Code
) -> None:
    assert verdict(images=lambda _: said).code is code


A, B, C, CONFIG = (str(digest_of(content)) for content in ("a", "b", "c", "config"))
ALL = [there(digest) for digest in (A, B, C, CONFIG)]
LOST = {"layerDigest": A, "layerAvailability": "UNAVAILABLE"}
MISSING = {"layerDigest": A, "failureCode": "MissingLayerDigest", "failureReason": "No."}


@pytest.mark.parametrize(
    ("said", "code"),
    [
        # what is said instead of layers                                      the verdict
        ({"layers": [*ALL, *ALL]}, Code.AVAILABLE),
        ({"layers": [*ALL, there(str(digest_of("nobody asked")))]}, Code.AVAILABLE),
        ({"layers": [*ALL, None]}, Code.AVAILABLE),
        ({"layers": [{**each, "layerSize": "large"} for each in ALL]}, Code.AVAILABLE),
        ({"layers": [LOST, *ALL[1:]]}, Code.LAYER_MISSING),
        ({"layers": ALL[1:], "failures": [MISSING]}, Code.LAYER_MISSING),
        ({"layers": [{**LOST, "layerAvailability": "ARCHIVED"}, *ALL[1:]]}, Code.LAYER_ARCHIVED),
        ({"layers": ALL[1:]}, Code.INCONSISTENT_ANSWER),
        ({"layers": [LOST, *ALL]}, Code.INCONSISTENT_ANSWER),
        ({"layers": ALL, "failures": [MISSING]}, Code.INCONSISTENT_ANSWER),
        ({"layers": [{**each, "layerDigest": None} for each in ALL]}, Code.INCONSISTENT_ANSWER),
        ({"layers": [{**each, "layerDigest": each["layerDigest"].upper()} for each in ALL]}, Code.INCONSISTENT_ANSWER),
        ({"layers": "all"}, Code.INCONSISTENT_ANSWER),
        ({"layers": 4}, Code.INCONSISTENT_ANSWER),
        ({"layers": {A: "AVAILABLE"}}, Code.INCONSISTENT_ANSWER),
        ({"layers": [A, B, C, CONFIG]}, Code.INCONSISTENT_ANSWER),
        ({"layers": [None, None, None, None]}, Code.INCONSISTENT_ANSWER),
        ({"layers": [[each] for each in ALL]}, Code.INCONSISTENT_ANSWER),
        (ALL, Code.INCONSISTENT_ANSWER),
        ({}, Code.INCONSISTENT_ANSWER),
        (None, Code.INCONSISTENT_ANSWER),
        (b"{", Code.INCONSISTENT_ANSWER),
        ({"layers": [{**each, "layerAvailability": None} for each in ALL]}, Code.INTERNAL_ERROR),
        ({"layers": [{**each, "layerAvailability": True} for each in ALL]}, Code.INTERNAL_ERROR),
        ({"layers": [{**each, "layerAvailability": ["AVAILABLE"]} for each in ALL]}, Code.INTERNAL_ERROR),
        ({"layers": [{**each, "layerAvailability": "available"} for each in ALL]}, Code.INTERNAL_ERROR),
    ],
)  # fmt: skip
def test_an_answer_about_layers_ends_in_the_verdict_that_is_true(said: object, code: Code) -> None:
    assert verdict(layers=lambda _: said).code is code


def test_a_lost_layer_is_said_although_the_rest_of_the_answer_does_not_add_up() -> None:
    said = verdict(layers=lambda _: {"layers": [LOST]})
    assert said.code is Code.LAYER_MISSING
    assert "does not account for every layer" in said.reason


def test_a_manifest_of_4_mb_is_read() -> None:
    large = manifest("a")
    padded = json.loads(large.text) | {"annotations": {"note": "x" * 4_000_000}}
    assert verdict(pushed(Document(json.dumps(padded), large.media_type))).code is Code.AVAILABLE


def test_1000_layers_are_asked_about_in_calls_of_100_and_one_that_is_lost_is_found() -> None:
    many = manifest(*map(str, range(1000)))
    lost = str(digest_of("777"))

    def layers(asked: dict[str, Any]) -> object:
        assert len(asked["layerDigests"]) <= 100
        said = [each | {"layerAvailability": "UNAVAILABLE"} if each["layerDigest"] == lost else each for each in available(asked)["layers"]]  # fmt: skip
        return {"layers": said}

    with Wire(BatchGetImage=pushed(many), BatchCheckLayerAvailability=layers) as wire:
        said = judged(wire)
        assert wire.asked["BatchCheckLayerAvailability"] == 11  # 1,000 layers and the config
    assert said.code is Code.LAYER_MISSING
    assert [blob.digest for blob in said.manifests[0].bad] == [Digest(lost)]


def test_an_index_of_200_children_is_asked_for_in_calls_of_100_and_every_child_counts() -> None:
    children = [manifest(f"layer {number}", config=f"config {number}") for number in range(200)]
    top = index(*(child.child("linux/amd64") for child in children))
    with Wire(BatchGetImage=pushed(top, *children), BatchCheckLayerAvailability=available) as wire:
        assert judged(wire).code is Code.AVAILABLE
        assert wire.asked == {"BatchGetImage": 3, "BatchCheckLayerAvailability": 4}
    assert verdict(pushed(top, *children[:-1])).code is Code.IMAGE_NOT_FOUND


def nested(depth: int) -> Iterable[Document]:
    """An image below ``depth`` indexes, the outermost first."""
    documents = [WEB]
    for _ in range(depth):
        documents.insert(0, index(documents[0].child()))
    return documents


@pytest.mark.parametrize(
    ("depth", "code"),
    [(1, Code.AVAILABLE), (3, Code.AVAILABLE), (4, Code.MANIFEST_UNREADABLE), (50, Code.MANIFEST_UNREADABLE)],
)  # fmt: skip
def test_indexes_in_indexes_are_followed_three_deep(depth: int, code: Code) -> None:
    documents = list(nested(depth))
    with Wire(BatchGetImage=pushed(*documents), BatchCheckLayerAvailability=available) as wire:
        assert judged(wire).code is code
        assert wire.asked["BatchGetImage"] <= 4


def circular(asked: dict[str, Any]) -> Mapping[str, object]:
    """Say an index that lists itself, which no true digest can."""
    digest = str(digest_of("a circle"))
    child = {"mediaType": OCI_INDEX, "digest": digest, "size": 1}
    text = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [child]})
    return {
        "images": [
            {"imageId": {**each, "imageDigest": digest}, "imageManifest": text}
            for each in asked["imageIds"]
        ]
    }


def test_a_circular_index_cannot_hash_to_its_digest_and_is_not_followed() -> None:
    with Wire(BatchGetImage=circular) as wire:
        assert judged(wire).code is Code.INCONSISTENT_ANSWER
        assert wire.asked == {"BatchGetImage": 1}


def test_a_manifest_that_many_indexes_list_is_asked_for_once() -> None:
    """60 indexes that all list the same 60 indexes of the same 60 images: 216,000 ways to 60."""
    leaves = [manifest(f"leaf {number}") for number in range(60)]
    lower = [
        index(*(leaf.child() for leaf in leaves), descriptor(f"{number}", "text/plain"))
        for number in range(60)
    ]
    upper = [
        index(*(each.child() for each in lower), descriptor(f"{number}", "text/plain"))
        for number in range(60)
    ]
    top = index(*(each.child() for each in upper))
    documents = (top, *upper, *lower, *leaves)
    with Wire(BatchGetImage=pushed(*documents), BatchCheckLayerAvailability=available) as wire:
        assert judged(wire).code is Code.AVAILABLE
        assert wire.asked["BatchGetImage"] == 4


def test_an_index_that_lists_more_than_can_be_one_image_is_not_followed() -> None:
    children = [descriptor(str(number), OCI_INDEX) for number in range(1_001)]
    with Wire(BatchGetImage=pushed(index(*children))) as wire:
        said = judged(wire)
        assert wire.asked == {"BatchGetImage": 1}
    assert said.code is Code.MANIFEST_UNREADABLE
    assert said.reason == "The image's indexes list more than 1,000 manifests."


def test_of_many_children_that_are_not_there_a_few_are_looked_for_in_the_archive() -> None:
    children = [manifest(str(number)).child("linux/amd64") for number in range(100)]
    top = index(*children)
    with Wire(BatchGetImage=pushed(top), DescribeImages=lambda _: {"imageDetails": []}) as wire:
        assert judged(wire).code is Code.IMAGE_NOT_FOUND
        assert wire.asked["DescribeImages"] == 20
