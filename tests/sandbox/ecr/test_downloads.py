"""GetDownloadUrlForLayer, and the bytes at the URLs that it gives."""

import hashlib
import json
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from botocore.exceptions import ClientError
from layerguard_sandbox.ecr import Answer, Fault, Registry, Samples, SandboxEcr, oci_image

UNKNOWN = "sha256:" + "0" * 64
WHERE = "in the repository with name 'shop/worker' in the registry with id '123456789012'"


def url(client: Any, digest: str) -> str:
    answer = client.get_download_url_for_layer(repositoryName="shop/worker", layerDigest=digest)
    assert answer["layerDigest"] == digest
    return str(answer["downloadUrl"])


def refusal(client: Any, digest: str) -> str:
    with pytest.raises(ClientError) as caught:
        url(client, digest)
    error = caught.value.response["Error"]
    return f"{error['Code']}: {error['Message']}"


def get(address: str, **headers: str) -> tuple[int, bytes]:
    try:
        with urlopen(Request(address, headers=headers)) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        with error:
            return error.code, error.read()


def test_the_bytes_of_a_config_and_of_a_layer_hash_to_their_digests(
    client: Any, samples: Samples
) -> None:
    for digest in (*samples.worker.configs, *samples.worker.layers):
        status, content = get(url(client, digest))
        assert (status, "sha256:" + hashlib.sha256(content).hexdigest()) == (200, digest)
    _, config = get(url(client, samples.worker.configs[0]))
    document = json.loads(config)
    assert (document["os"], document["architecture"]) == ("linux", "amd64")


def test_what_was_uploaded_over_http_can_be_downloaded(client: Any, registry: Registry) -> None:
    image = oci_image("late", layers=1)
    registry.create_repository("shop/worker")
    for blob in image.blobs:
        upload = client.initiate_layer_upload(repositoryName="shop/worker")["uploadId"]
        client.upload_layer_part(
            repositoryName="shop/worker",
            uploadId=upload,
            partFirstByte=0,
            partLastByte=len(blob.content) - 1,
            layerPartBlob=blob.content,
        )
        client.complete_layer_upload(
            repositoryName="shop/worker", uploadId=upload, layerDigests=[blob.digest]
        )
    config = image.blobs[0]
    assert refusal(client, config.digest) == (
        "LayerInaccessibleException: "
        f"The layer with digest '{config.digest}' is not associated with an image {WHERE}"
    )
    client.put_image(repositoryName="shop/worker", imageManifest=image.manifest)
    assert get(url(client, config.digest)) == (200, config.content)


def test_an_unknown_or_lost_layer_has_no_url_and_a_url_from_before_leads_nowhere(
    client: Any, registry: Registry, samples: Samples
) -> None:
    lost = samples.worker.configs[0]
    before = url(client, lost)
    registry.lose_layer("shop/worker", lost)
    for digest in (UNKNOWN, lost):
        assert refusal(client, digest) == (
            f"LayersNotFoundException: The layer with digest '{digest}' does not exist {WHERE}"
        )
    assert get(before) == (404, b"<Error><Code>NoSuchKey</Code></Error>")
    registry.restore_layer("shop/worker", lost)
    assert get(before)[0] == 200


def test_a_layer_of_archived_images_has_no_url(
    client: Any, registry: Registry, samples: Samples
) -> None:
    registry.archive_image("shop/worker", "1.4.2")
    assert refusal(client, samples.worker.configs[0]).startswith("LayerInaccessibleException: ")


def test_a_url_is_good_for_what_it_was_signed_for_and_not_beside_credentials(
    client: Any, samples: Samples
) -> None:
    config, layer = samples.worker.configs[0], samples.worker.layers[0]
    given = url(client, config)
    other = given.replace(config.partition(":")[2], layer.partition(":")[2])
    assert get(other) == (403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>")
    assert get(given, Authorization="Basic QTpC")[0] == 400


def test_both_steps_are_remembered_and_can_be_spoilt(
    ecr: SandboxEcr, client: Any, samples: Samples
) -> None:
    (config,) = samples.worker.configs
    _, truth = get(url(client, config))
    assert [(request.operation, request.digests) for request in ecr.requests] == [
        ("GetDownloadUrlForLayer", (config,)),
        ("GetObject", (config,)),
    ]
    ecr.faults.add(Fault(Answer.OTHER_BYTES, operation="GetObject", first=1))
    ecr.faults.add(Fault(Answer.GONE, operation="GetObject", first=1))
    ecr.faults.add(Fault(Answer.MANIFEST_NOT_JSON))
    assert get(url(client, config)) == (200, truth + b"\n")
    assert get(url(client, config))[0] == 404
    assert get(url(client, config)) == (200, truth)
    ecr.faults.clear()
    ecr.faults.add(Fault(Answer.DENIED, operation="GetDownloadUrlForLayer"))
    assert "is not authorized to perform: ecr:GetDownloadUrlForLayer" in refusal(client, config)
