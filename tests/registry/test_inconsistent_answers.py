"""Inconsistent and malformed answers over HTTP: the true verdict, in bounded work."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from contextlib import closing
from itertools import count
from typing import Any

import pytest
from layerguard.checking.checker import Checker
from layerguard.reference import Digest, ImageId
from layerguard.registry import ImageAnswer
from layerguard.registry.ecr import MAX_MANIFEST_BYTES, Ecr
from layerguard.registry.wire import MAX_ANSWER_BYTES
from layerguard.verdict import Code, Verdict

from tests.fakes import OCI_INDEX, Document, descriptor, digest_of, index, manifest, use
from tests.fakes import WEB as REPOSITORY
from tests.registry.loops import on_a_loop
from tests.registry.scripted_ecr import Script, ScriptedEcr

WEB = manifest("a", "b", "c")


def pushed(*documents: Document) -> Script:
    """Return a script that has each document by its digest, and the first one by every tag."""
    by_digest = {str(each.digest): each for each in documents}

    def answer(parameters: dict[str, Any]) -> object:
        images, failures = [], []
        for image_id in parameters["imageIds"]:
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

    return answer


def available(parameters: dict[str, Any]) -> dict[str, Any]:
    layers = [available_layer(digest) for digest in parameters["layerDigests"]]
    return {"layers": layers, "failures": []}


def available_layer(digest: str) -> dict[str, Any]:
    return {"layerDigest": digest, "layerAvailability": "AVAILABLE"}


def verdict(images: Script = pushed(WEB), layers: Script = available) -> Verdict:  # noqa: B008 - it is a constant
    with ScriptedEcr(BatchGetImage=images, BatchCheckLayerAvailability=layers) as scripted:
        return checked(scripted)


def checked(scripted: ScriptedEcr) -> Verdict:
    with closing(Checker.in_process(Ecr(scripted.clients))) as checker:
        (verdict,) = checker.check([use()])
    assert "bug" not in verdict.reason, verdict.reason
    return verdict


def test_a_consistent_answer_is_available() -> None:
    assert verdict().code is Code.AVAILABLE


FOUND = pushed(WEB)({"imageIds": [{"imageTag": "1"}]})
assert isinstance(FOUND, dict)
(IMAGE,) = FOUND["images"]
OTHER = manifest("another")
NOT_FOUND = {"imageId": {"imageTag": "1"}, "failureCode": "ImageNotFound", "failureReason": "No."}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        # answer to BatchGetImage                                             the verdict
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
def test_an_answer_about_an_image_leads_to_the_true_verdict(answer: object, code: Code) -> None:
    assert verdict(images=lambda _: answer).code is code


A, B, C, CONFIG = (str(digest_of(content)) for content in ("a", "b", "c", "config"))
ALL = [available_layer(digest) for digest in (A, B, C, CONFIG)]
LOST = {"layerDigest": A, "layerAvailability": "UNAVAILABLE"}
MISSING = {"layerDigest": A, "failureCode": "MissingLayerDigest", "failureReason": "No."}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        # answer to BatchCheckLayerAvailability                               the verdict
        ({"layers": [*ALL, *ALL]}, Code.AVAILABLE),
        ({"layers": [*ALL, available_layer(str(digest_of("not asked for")))]}, Code.AVAILABLE),
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
def test_an_answer_about_layers_leads_to_the_true_verdict(answer: object, code: Code) -> None:
    assert verdict(layers=lambda _: answer).code is code


def test_a_missing_layer_decides_although_the_answer_leaves_the_others_out() -> None:
    missing = verdict(layers=lambda _: {"layers": [LOST]})
    assert missing.code is Code.LAYER_MISSING
    assert "does not account for every layer" in missing.reason


@pytest.mark.parametrize(
    ("size", "code"),
    [(MAX_MANIFEST_BYTES, Code.AVAILABLE), (MAX_MANIFEST_BYTES + 1, Code.INCONSISTENT_ANSWER)],
)
def test_a_manifest_has_at_most_4_mib(size: int, code: Code) -> None:
    small = manifest("a")
    padded = json.dumps(json.loads(small.text) | {"annotations": {"note": ""}})
    padded = padded.replace('"note": ""', f'"note": "{"x" * (size - len(padded))}"')
    assert verdict(pushed(Document(padded, small.media_type))).code is code


def test_an_answer_has_at_most_16_mib() -> None:
    large = verdict(images=lambda _: b" " * (MAX_ANSWER_BYTES + 1))
    assert large.code is Code.INCONSISTENT_ANSWER
    assert large.reason == (
        "ResponseParserError: the answer to BatchGetImage has more than 16,777,216 bytes."
    )


def test_an_answer_full_of_entries_that_were_not_asked_for_costs_little() -> None:
    entry = {"imageId": {"imageDigest": str(WEB.digest)}, "imageManifest": WEB.text}
    answer = json.dumps({"images": [IMAGE, *[entry] * 5_000]}).encode()
    ids = [ImageId(f"{number}", WEB.digest) for number in range(99)]

    @on_a_loop
    async def scenario(scripted: ScriptedEcr) -> None:
        began = time.process_time()
        answers = await Ecr(scripted.clients).images(REPOSITORY, [ImageId("1", None), *ids])
        assert time.process_time() - began < 5
        assert {type(each) for each in answers.values()} == {ImageAnswer}

    with ScriptedEcr(BatchGetImage=lambda _: answer) as scripted:
        scenario(scripted)


def test_1000_layers_are_asked_about_in_calls_of_100_and_one_that_is_lost_is_found() -> None:
    many = manifest(*map(str, range(1000)))
    lost = str(digest_of("777"))

    def layers(parameters: dict[str, Any]) -> object:
        assert len(parameters["layerDigests"]) <= 100
        states = {lost: "UNAVAILABLE"}
        return {
            "layers": [
                {"layerDigest": each, "layerAvailability": states.get(each, "AVAILABLE")}
                for each in parameters["layerDigests"]
            ]
        }

    with ScriptedEcr(BatchGetImage=pushed(many), BatchCheckLayerAvailability=layers) as scripted:
        found = checked(scripted)
        assert scripted.requests["BatchCheckLayerAvailability"] == 11  # 1,000 layers and the config
    assert found.code is Code.LAYER_MISSING
    assert [blob.digest for blob in found.manifests[0].bad] == [Digest(lost)]


def test_an_index_of_200_children_is_asked_for_in_calls_of_100_and_every_child_counts() -> None:
    children = [manifest(f"layer {number}", config=f"config {number}") for number in range(200)]
    top = index(*(child.child("linux/amd64") for child in children))
    with ScriptedEcr(
        BatchGetImage=pushed(top, *children), BatchCheckLayerAvailability=available
    ) as scripted:
        assert checked(scripted).code is Code.AVAILABLE
        assert scripted.requests == {"BatchGetImage": 3, "BatchCheckLayerAvailability": 4}
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
    with ScriptedEcr(
        BatchGetImage=pushed(*documents), BatchCheckLayerAvailability=available
    ) as scripted:
        assert checked(scripted).code is code
        assert scripted.requests["BatchGetImage"] <= 4


def circular(parameters: dict[str, Any]) -> Mapping[str, object]:
    """Answer with an index that lists itself, which no true digest can."""
    digest = str(digest_of("a circle"))
    child = {"mediaType": OCI_INDEX, "digest": digest, "size": 1}
    text = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [child]})
    return {
        "images": [
            {"imageId": {**each, "imageDigest": digest}, "imageManifest": text}
            for each in parameters["imageIds"]
        ]
    }


def test_a_circular_index_cannot_hash_to_its_digest_and_is_not_followed() -> None:
    with ScriptedEcr(BatchGetImage=circular) as scripted:
        assert checked(scripted).code is Code.INCONSISTENT_ANSWER
        assert scripted.requests == {"BatchGetImage": 1}


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
    with ScriptedEcr(
        BatchGetImage=pushed(*documents), BatchCheckLayerAvailability=available
    ) as scripted:
        assert checked(scripted).code is Code.AVAILABLE
        assert scripted.requests["BatchGetImage"] == 4


def test_an_index_that_lists_more_than_can_be_one_image_is_not_followed() -> None:
    children = [descriptor(str(number), OCI_INDEX) for number in range(1_001)]
    with ScriptedEcr(BatchGetImage=pushed(index(*children))) as scripted:
        found = checked(scripted)
        assert scripted.requests == {"BatchGetImage": 1}
    assert found.code is Code.MANIFEST_UNREADABLE
    assert found.reason == "The image's indexes list more than 1,000 manifests."


def test_absent_children_are_looked_for_in_one_listing() -> None:
    children = [manifest(str(number)).child("linux/amd64") for number in range(100)]
    top = index(*children)
    with ScriptedEcr(
        BatchGetImage=pushed(top), DescribeImages=lambda _: {"imageDetails": []}
    ) as scripted:
        assert checked(scripted).code is Code.IMAGE_NOT_FOUND
        assert scripted.requests["DescribeImages"] == 1


def found_at(number: int) -> Script:
    """Return a script that has the image from request ``number`` on."""
    requests = count(1)

    def answer(parameters: dict[str, Any]) -> object:
        if next(requests) >= number:
            return pushed(WEB)(parameters)
        ids = parameters["imageIds"]
        return {"failures": [{"imageId": each, "failureCode": "ImageNotFound"} for each in ids]}

    return answer


LISTED = {"imageDetails": [{"imageDigest": str(WEB.digest), "imageTags": ["1"]}]}


@pytest.mark.parametrize(("number", "code"), [(2, Code.AVAILABLE), (9, Code.INCONSISTENT_ANSWER)])
def test_an_image_that_is_listed_and_not_found_is_asked_for_once_more(
    number: int, code: Code
) -> None:
    with ScriptedEcr(
        BatchGetImage=found_at(number),
        BatchCheckLayerAvailability=available,
        DescribeImages=lambda _: LISTED,
    ) as scripted:
        assert checked(scripted).code is code
        assert scripted.requests["BatchGetImage"] == 2


@pytest.mark.parametrize(
    ("place", "code"),
    [
        ({}, Code.AVAILABLE),
        ({"registryId": REPOSITORY.account, "repositoryName": REPOSITORY.name}, Code.AVAILABLE),
        ({"registryId": "999999999999"}, Code.INCONSISTENT_ANSWER),
        ({"repositoryName": "shop/other"}, Code.INCONSISTENT_ANSWER),
    ],
)
def test_an_image_of_another_repository_is_no_answer(place: dict[str, str], code: Code) -> None:
    def elsewhere(parameters: dict[str, Any]) -> object:
        answer: Any = pushed(WEB)(parameters)
        return {"images": [each | place for each in answer["images"]], "failures": []}

    assert verdict(images=elsewhere).code is code
