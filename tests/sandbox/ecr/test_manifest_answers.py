"""BatchGetImage: manifests as they were pushed, by tag and by digest, and every failure code."""

import hashlib
from typing import Any

import pytest
from botocore.exceptions import ClientError
from layerguard_sandbox.ecr import Registry, Samples
from layerguard_sandbox.ecr.images import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST

UNKNOWN = "sha256:" + "0" * 64


def failures(client: Any, *image_ids: dict[str, str], **members: Any) -> list[Any]:
    answer = client.batch_get_image(repositoryName="shop/web", imageIds=list(image_ids), **members)
    assert answer["images"] == []
    return list(answer["failures"])


def test_a_manifest_hashes_to_its_digest_by_tag_and_by_digest(
    client: Any, samples: Samples
) -> None:
    answer = client.batch_get_image(
        repositoryName="shop/web",
        imageIds=[
            {"imageTag": "1.4.2"},
            {"imageDigest": samples.web.digest},
            {"imageTag": "1.4.2", "imageDigest": samples.web.digest},
            *({"imageDigest": child} for child in samples.web.children),
        ],
        acceptedMediaTypes=[OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST],
    )
    assert answer["failures"] == []
    assert [(image["imageId"], image["imageManifestMediaType"]) for image in answer["images"]] == [
        ({"imageTag": "1.4.2", "imageDigest": samples.web.digest}, OCI_INDEX),
        ({"imageDigest": samples.web.digest}, OCI_INDEX),
        ({"imageTag": "1.4.2", "imageDigest": samples.web.digest}, OCI_INDEX),
        *(({"imageDigest": child}, OCI_MANIFEST) for child in samples.web.children),
    ]
    for image in answer["images"]:
        assert image["registryId"] == "123456789012"
        assert image["repositoryName"] == "shop/web"
        hashed = hashlib.sha256(image["imageManifest"].encode()).hexdigest()
        assert image["imageId"]["imageDigest"] == f"sha256:{hashed}"


def test_each_way_to_miss_an_image_has_its_own_code(client: Any, samples: Samples) -> None:
    child = samples.web.children[0]
    ids = [
        {},
        {"imageDigest": "sha256:abc"},
        {"imageTag": "no tag"},
        {"imageTag": "9.9"},
        {"imageDigest": UNKNOWN},
        {"imageTag": "1.4.2", "imageDigest": child},
    ]
    assert [
        (f["imageId"], f["failureCode"], f["failureReason"]) for f in failures(client, *ids)
    ] == [
        ({}, "MissingDigestAndTag", "an image id has a tag or a digest"),
        (ids[1], "InvalidImageDigest", "a digest satisfies sha256:[0-9a-f]{64}"),
        (ids[2], "InvalidImageTag", "a tag satisfies [A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"),
        (ids[3], "ImageNotFound", "Requested image not found"),
        (ids[4], "ImageNotFound", "Requested image not found"),
        (ids[5], "ImageTagDoesNotMatchDigest", f"the tag names {samples.web.digest}"),
    ]


@pytest.mark.usefixtures("samples")
def test_an_image_of_a_type_that_the_request_does_not_accept_is_not_found(client: Any) -> None:
    asked = {"imageTag": "1.4.2"}
    assert failures(client, asked, acceptedMediaTypes=[DOCKER_MANIFEST, OCI_MANIFEST]) == [
        {
            "imageId": asked,
            "failureCode": "ImageNotFound",
            "failureReason": "the image is application/vnd.oci.image.index.v1+json, "
            "which the request does not accept",
        }
    ]


@pytest.mark.usefixtures("samples")
def test_an_id_asked_twice_is_answered_once(client: Any) -> None:
    assert len(failures(client, {"imageTag": "9.9"}, {"imageTag": "9.9"})) == 1
    answer = client.batch_get_image(repositoryName="shop/web", imageIds=[{"imageTag": "1.4.2"}] * 2)
    assert len(answer["images"]) == 1


@pytest.mark.usefixtures("samples")
def test_more_than_100_ids_are_refused(client: Any) -> None:
    with pytest.raises(ClientError) as caught:
        failures(client, *[{"imageTag": str(number)} for number in range(101)])
    assert str(caught.value) == (
        "An error occurred (InvalidParameterException) when calling the BatchGetImage operation: "
        "Invalid parameter at 'imageIds' failed to satisfy constraint: "
        "'Member must have length between 1 and 100, inclusive'"
    )


def test_a_repository_that_is_not_there_is_named(client: Any) -> None:
    with pytest.raises(ClientError) as caught:
        failures(client, {"imageTag": "1.4.2"})
    assert str(caught.value) == (
        "An error occurred (RepositoryNotFoundException) when calling the BatchGetImage operation: "
        "The repository with name 'shop/web' does not exist in the registry with id '123456789012'"
    )
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_an_untagged_image_is_there_by_digest_and_a_deleted_one_is_not(
    client: Any, registry: Registry, samples: Samples
) -> None:
    registry.untag("shop/web", "1.4.2")
    (failure,) = failures(client, {"imageTag": "1.4.2"})
    assert failure["failureCode"] == "ImageNotFound"
    by_digest = {"imageDigest": samples.web.digest}
    assert client.batch_get_image(repositoryName="shop/web", imageIds=[by_digest])["images"]
    registry.delete_image("shop/web", samples.web.digest)
    (failure,) = failures(client, by_digest)
    assert failure["failureCode"] == "ImageNotFound"
