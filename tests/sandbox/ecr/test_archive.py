"""Archived images: out of reach of a pull, still described where any status is requested."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from layerguard_sandbox.ecr import Registry, Samples

ANY = {"imageStatus": "ANY"}


def states(client: Any, repository: str, digests: tuple[str, ...]) -> set[str]:
    answer = client.batch_check_layer_availability(
        repositoryName=repository, layerDigests=list(digests)
    )
    return {layer["layerAvailability"] for layer in answer["layers"]}


def described(client: Any, repository: str, **members: Any) -> dict[str, str]:
    answer = client.describe_images(repositoryName=repository, **members)
    return {image["imageDigest"]: image["imageStatus"] for image in answer["imageDetails"]}


def test_an_archived_image_is_not_found_and_its_layers_are_archived(
    client: Any, samples: Samples
) -> None:
    web = samples.report
    answer = client.update_image_storage_class(
        repositoryName="shop/report", imageId={"imageTag": "1.4.2"}, targetStorageClass="ARCHIVE"
    )
    assert (answer["imageId"], answer["imageStatus"]) == (
        {"imageTag": "1.4.2", "imageDigest": web.digest},
        "ARCHIVED",
    )
    got = client.batch_get_image(repositoryName="shop/report", imageIds=[{"imageTag": "1.4.2"}])
    assert [failure["failureCode"] for failure in got["failures"]] == ["ImageNotFound"]
    assert states(client, "shop/report", web.layers + web.configs) == {"ARCHIVED"}
    assert described(client, "shop/report") == {}
    assert described(client, "shop/report", filter=ANY) == {web.digest: "ARCHIVED"}


def test_describing_an_archived_image_by_name_fails_the_call_unless_any_status_is_asked(
    client: Any, registry: Registry, samples: Samples
) -> None:
    registry.archive_image("shop/report", "1.4.2")
    with pytest.raises(ClientError) as caught:
        described(client, "shop/report", imageIds=[{"imageTag": "1.4.2"}])
    assert str(caught.value) == (
        "An error occurred (ImageNotFoundException) when calling the DescribeImages operation: "
        "The image with imageId {imageDigest:'null', imageTag:'1.4.2'} does not exist within the "
        "repository with name 'shop/report' in the registry with id '123456789012'"
    )
    asked = [{"imageTag": "1.4.2"}]
    assert described(client, "shop/report", imageIds=asked, filter=ANY) == {
        samples.report.digest: "ARCHIVED"
    }


def test_one_missing_id_fails_the_whole_description(client: Any, samples: Samples) -> None:
    with pytest.raises(ClientError, match="ImageNotFoundException"):
        described(client, "shop/report", imageIds=[{"imageTag": "1.4.2"}, {"imageTag": "8"}])
    assert described(client, "shop/report", imageIds=[{"imageTag": "1.4.2"}]) == {
        samples.report.digest: "ACTIVE"
    }


def test_an_index_takes_its_images_with_it_and_brings_them_back(
    client: Any, registry: Registry, samples: Samples
) -> None:
    registry.archive_image("shop/web", samples.web.digest)
    assert set(described(client, "shop/web", filter=ANY).values()) == {"ARCHIVED"}
    assert states(client, "shop/web", samples.web.layers) == {"ARCHIVED"}
    registry.activate_image("shop/web", "1.4.2")
    assert set(described(client, "shop/web", filter=ANY).values()) == {"ACTIVE"}
    assert states(client, "shop/web", samples.web.layers) == {"AVAILABLE"}


def test_a_layer_that_an_active_image_uses_stays_available(
    client: Any, registry: Registry, samples: Samples
) -> None:
    amd64 = samples.web.children[0]
    registry.archive_image("shop/web", amd64)
    base, arm64_base = samples.web.layers[0], samples.web.layers[3]
    assert states(client, "shop/web", (base,)) == {"ARCHIVED"}
    assert states(client, "shop/web", (arm64_base,)) == {"AVAILABLE"}
