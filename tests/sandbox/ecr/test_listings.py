"""What is listed comes in pages: repositories, and the images of one with any status."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from layerguard_sandbox.ecr import Registry, oci_image

ANY = {"imageStatus": "ANY"}


@pytest.fixture
def tagged(registry: Registry) -> dict[str, str]:
    """Push 150 images into one repository; return the digest of each tag."""
    pushed = (registry.push("shop/web", oci_image(f"{n}", layers=1), f"1.{n}") for n in range(150))
    return {str(each.tag): each.digest for each in pushed}


def pages(operation: Any, member: str, **members: Any) -> list[list[Any]]:
    found: list[list[Any]] = []
    token: dict[str, str] = {}
    while True:
        answer = operation(**members, **token)
        found.append(answer[member])
        if "nextToken" not in answer:
            return found
        token = {"nextToken": answer["nextToken"]}


def test_the_images_of_a_repository_come_in_pages_archived_ones_too(
    client: Any, registry: Registry, tagged: dict[str, str]
) -> None:
    registry.archive_image("shop/web", "1.120")
    asked = {"repositoryName": "shop/web", "filter": ANY}
    found = pages(client.describe_images, "imageDetails", **asked)
    assert [len(page) for page in found] == [100, 50]
    images = [image for page in found for image in page]
    assert {image["imageTags"][0]: image["imageDigest"] for image in images} == tagged
    archived = [image["imageTags"] for image in images if image["imageStatus"] == "ARCHIVED"]
    assert archived == [["1.120"]]
    (page,) = pages(client.describe_images, "imageDetails", **asked, maxResults=1000)
    assert page == images
    active = pages(client.describe_images, "imageDetails", repositoryName="shop/web")
    assert [len(page) for page in active] == [100, 49]


def test_repositories_come_in_pages(client: Any, registry: Registry) -> None:
    names = [f"repository-{number:03}" for number in range(150)]
    for name in names:
        registry.create_repository(name)
    found = pages(client.describe_repositories, "repositories")
    assert [len(page) for page in found] == [100, 50]
    assert [each["repositoryName"] for page in found for each in page] == names
    found = pages(client.describe_repositories, "repositories", maxResults=70)
    assert [len(page) for page in found] == [70, 70, 10]


@pytest.mark.parametrize(
    ("members", "parameter"),
    [({"maxResults": 1001}, "maxResults"), ({"nextToken": "x"}, "nextToken")],
)
def test_a_page_that_cannot_be_is_refused(
    client: Any, members: dict[str, Any], parameter: str
) -> None:
    with pytest.raises(ClientError, match="InvalidParameterException") as caught:
        client.describe_repositories(**members)
    assert f"Invalid parameter at '{parameter}'" in str(caught.value)
