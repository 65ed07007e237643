"""What ECR takes and what it refuses when an image is pushed over HTTP."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from layerguard_sandbox.ecr import Image, Registry, Samples, image_index, oci_image
from layerguard_sandbox.ecr.images import docker_image, with_foreign_layer


def upload(client: Any, repository: str, content: bytes, digest: str) -> str:
    upload_id = client.initiate_layer_upload(repositoryName=repository)["uploadId"]
    middle = len(content) // 2
    for first, part in ((0, content[:middle]), (middle, content[middle:])):
        if part:
            client.upload_layer_part(
                repositoryName=repository,
                uploadId=upload_id,
                partFirstByte=first,
                partLastByte=first + len(part) - 1,
                layerPartBlob=part,
            )
    answer = client.complete_layer_upload(
        repositoryName=repository, uploadId=upload_id, layerDigests=[digest]
    )
    return str(answer["layerDigest"])


def upload_blobs(client: Any, repository: str, image: Image) -> None:
    for blob in image.blobs:
        assert upload(client, repository, blob.content, blob.digest) == blob.digest


def refusal(operation: Any, **members: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        operation(**members)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_an_image_pushed_over_http_is_there_under_its_true_digest(client: Any) -> None:
    image = oci_image("report")
    client.create_repository(repositoryName="shop/report")
    upload_blobs(client, "shop/report", image)
    pushed = client.put_image(
        repositoryName="shop/report",
        imageManifest=image.manifest,
        imageTag="1.4.2",
        imageDigest=image.digest,
    )["image"]
    assert pushed["imageId"] == {"imageDigest": image.digest, "imageTag": "1.4.2"}
    config, *layers = image.blobs
    answer = client.batch_check_layer_availability(
        repositoryName="shop/report", layerDigests=[blob.digest for blob in image.blobs]
    )
    assert answer["failures"] == []
    assert answer["layers"] == [
        {
            "layerDigest": blob.digest,
            "layerAvailability": "AVAILABLE",
            "layerSize": len(blob.content),
            "mediaType": blob.media_type,
        }
        for blob in (config, *layers)
    ]


def test_a_layer_whose_bytes_are_not_its_digest_is_refused(client: Any) -> None:
    client.create_repository(repositoryName="shop/report")
    wanted = "sha256:" + "0" * 64
    with pytest.raises(ClientError, match="InvalidLayerException") as caught:
        upload(client, "shop/report", b"layer", wanted)
    assert caught.value.response["Error"]["Message"] == (
        "Layer digest does not match: the bytes uploaded are "
        "sha256:dac1d7cfa95021764849fd102524e141488c5e3a90f861dbb5a12d9ac8584f85, "
        f"the request names {wanted}"
    )


def test_an_empty_upload_and_a_layer_that_is_there_are_refused(
    client: Any, samples: Samples
) -> None:
    config = oci_image("report").blobs[0]
    assert config.digest in samples.report.configs
    with pytest.raises(ClientError, match="LayerAlreadyExistsException"):
        upload(client, "shop/report", config.content, config.digest)
    with pytest.raises(ClientError, match="EmptyUploadException"):
        upload(client, "shop/report", b"", config.digest)


def test_a_manifest_whose_layers_were_not_uploaded_is_refused(client: Any) -> None:
    image = oci_image("web", layers=1)
    client.create_repository(repositoryName="shop/report")
    config, layer = image.blobs
    assert refusal(
        client.put_image,
        repositoryName="shop/report",
        imageManifest=image.manifest,
        imageTag="1.4.2",
    ) == (
        "LayersNotFoundException",
        "Layers do not exist in the repository with name 'shop/report' in the registry with id "
        f"'123456789012': {layer.digest}, {config.digest}",
    )


def test_an_index_whose_images_were_not_pushed_is_refused(client: Any) -> None:
    image = oci_image("report")
    client.create_repository(repositoryName="shop/report")
    assert refusal(
        client.put_image, repositoryName="shop/report", imageManifest=image_index([image]).manifest
    ) == (
        "ReferencedImagesNotFoundException",
        "Images do not exist in the repository with name 'shop/report' in the registry with id "
        f"'123456789012': {image.digest}",
    )


def test_a_manifest_that_is_not_what_its_digest_says_is_refused(
    client: Any, samples: Samples
) -> None:
    manifest = oci_image("report").manifest
    assert refusal(
        client.put_image,
        repositoryName="shop/report",
        imageManifest=manifest,
        imageDigest=samples.web.digest,
    ) == (
        "ImageDigestDoesNotMatchException",
        f"The digest '{samples.web.digest}' does not match the manifest's digest "
        f"'{samples.report.digest}'",
    )


@pytest.mark.parametrize("manifest", ["<manifest>", "[]", '{"config": 1}'])
def test_a_manifest_that_cannot_be_read_is_refused(
    client: Any, registry: Registry, manifest: str
) -> None:
    registry.create_repository("shop/report")
    assert refusal(client.put_image, repositoryName="shop/report", imageManifest=manifest) == (
        "InvalidParameterException",
        "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'",
    )


@pytest.mark.parametrize("tag", [{}, {"imageTag": "1.4.2"}])
def test_an_image_that_is_there_is_not_pushed_again(
    client: Any, samples: Samples, tag: dict[str, str]
) -> None:
    code, _ = refusal(
        client.put_image,
        repositoryName="shop/report",
        imageManifest=oci_image("report").manifest,
        **tag,
    )
    assert code == "ImageAlreadyExistsException"
    assert client.describe_images(repositoryName="shop/report")["imageDetails"][0]["imageTags"] == [
        samples.report.tag
    ]


def test_a_tag_moves_to_the_new_image_and_the_old_one_stays_without_it(
    client: Any, registry: Registry
) -> None:
    old = registry.push("shop/report", oci_image("report"), tag="latest")
    new = registry.push("shop/report", oci_image("web2"), tag="latest")
    listed = client.list_images(repositoryName="shop/report")["imageIds"]
    assert listed == [
        {"imageDigest": old.digest},
        {"imageDigest": new.digest, "imageTag": "latest"},
    ]


def test_a_foreign_layer_is_not_asked_for(client: Any, registry: Registry) -> None:
    pushed = registry.push("shop/win", with_foreign_layer(docker_image("win")), tag="1")
    (answer,) = client.batch_get_image(repositoryName="shop/win", imageIds=[{"imageTag": "1"}])[
        "images"
    ]
    assert answer["imageId"]["imageDigest"] == pushed.digest
