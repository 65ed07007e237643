"""The benchmark's registry answers truly about its images."""

from __future__ import annotations

import json

import pytest

from bench.answers import Answers
from bench.images import LAYERS, SHARED_LAYERS, Layout, make_image, sha256


@pytest.mark.parametrize("layout", list(Layout))
def test_manifests_and_configs_hash_to_the_digests_that_name_them(layout: Layout) -> None:
    image = make_image(7, layout)
    documents = [json.loads(manifest.text) for manifest in image.manifests]
    listed = {each["digest"] for each in documents[0].get("manifests", ())}
    assert listed == {each.digest for each in image.manifests[1:]}
    singles = [each for each in documents if "config" in each]
    assert [each["config"]["digest"] for each in singles] == [*map(sha256, image.configs)]
    assert all(len(each["layers"]) == LAYERS for each in singles)
    assert all(json.loads(config)["os"] == "linux" for config in image.configs)


def test_images_share_their_base_only_in_a_shared_layout() -> None:
    one, two = (set(make_image(each, Layout.SHARED).layers) for each in (3, 4))
    assert len(one & two) == SHARED_LAYERS
    assert make_image(3, Layout.SHARED).repository == make_image(4, Layout.SHARED).repository
    assert not set(make_image(3, Layout.OWN).layers) & set(make_image(4, Layout.OWN).layers)


def test_every_digest_that_is_asked_about_is_answered() -> None:
    image = make_image(0, Layout.OWN)
    answers = Answers([image])
    asked = {"repositoryName": image.repository, "layerDigests": [*image.layers, "sha256:none"]}
    body = json.dumps(asked).encode()
    layers = json.loads(answers.post("Ecr.BatchCheckLayerAvailability", body).body)["layers"]
    states = {each["layerDigest"]: each["layerAvailability"] for each in layers}
    assert states == {**dict.fromkeys(image.layers, "AVAILABLE"), "sha256:none": "UNAVAILABLE"}
    assert answers.calls == {"BatchCheckLayerAvailability": 1}


def test_an_image_is_answered_by_its_tag_and_its_absence_by_a_failure() -> None:
    image = make_image(0, Layout.OWN)
    ids = [{"imageTag": image.tag}, {"imageTag": "none"}]
    asked = {"repositoryName": image.repository, "imageIds": ids}
    answer = json.loads(Answers([image]).post("Ecr.BatchGetImage", json.dumps(asked).encode()).body)
    assert [each["imageManifest"] for each in answer["images"]] == [image.manifests[0].text]
    assert [each["failureCode"] for each in answer["failures"]] == ["ImageNotFound"]
