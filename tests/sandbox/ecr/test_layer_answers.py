"""BatchCheckLayerAvailability: every digest accounted for once."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from layerguard_sandbox.ecr import Registry, Samples

UNKNOWN = "sha256:" + "0" * 64


def check(client: Any, *digests: str) -> Any:
    answer = client.batch_check_layer_availability(
        repositoryName="shop/worker", layerDigests=list(digests)
    )
    del answer["ResponseMetadata"]
    return answer


def test_a_config_and_a_layer_have_the_media_type_of_their_manifest(
    client: Any, samples: Samples
) -> None:
    (config,), layer = samples.worker.configs, samples.worker.layers[0]
    layers = check(client, config, layer)["layers"]
    assert [(found["layerDigest"], found["mediaType"]) for found in layers] == [
        (config, "application/vnd.docker.container.image.v1+json"),
        (layer, "application/vnd.docker.image.rootfs.diff.tar.gzip"),
    ]


@pytest.mark.usefixtures("samples")
def test_an_unknown_digest_is_unavailable_and_a_malformed_one_a_failure(client: Any) -> None:
    assert check(client, UNKNOWN, "sha256:abc", UNKNOWN, "sha256:abc") == {
        "layers": [{"layerDigest": UNKNOWN, "layerAvailability": "UNAVAILABLE"}],
        "failures": [
            {
                "layerDigest": "sha256:abc",
                "failureCode": "InvalidLayerDigest",
                "failureReason": "Invalid layer digest 'sha256:abc'",
            }
        ],
    }


def test_a_lost_layer_is_unavailable_until_it_is_restored(
    client: Any, registry: Registry, samples: Samples
) -> None:
    lost = samples.worker.layers[1]

    def states() -> list[str]:
        found = check(client, *samples.worker.layers)["layers"]
        return [layer["layerAvailability"] for layer in found]

    registry.lose_layer("shop/worker", lost)
    assert states() == ["AVAILABLE", "UNAVAILABLE", "AVAILABLE", "AVAILABLE"]
    registry.restore_layer("shop/worker", lost)
    assert states() == ["AVAILABLE"] * 4


def test_a_layer_that_is_not_there_cannot_be_lost_nor_one_that_is_be_restored(
    registry: Registry, samples: Samples
) -> None:
    with pytest.raises(LookupError, match=f"^shop/worker has no layer {UNKNOWN}$"):
        registry.lose_layer("shop/worker", UNKNOWN)
    layer = samples.worker.layers[0]
    with pytest.raises(LookupError, match=f"^shop/worker did not lose a layer {layer}$"):
        registry.restore_layer("shop/worker", layer)


@pytest.mark.usefixtures("samples")
def test_100_digests_are_answered_and_101_refused(client: Any) -> None:
    digests = [f"sha256:{number:064x}" for number in range(101)]
    assert len(check(client, *digests[:100])["layers"]) == 100
    with pytest.raises(ClientError) as caught:
        check(client, *digests)
    assert str(caught.value) == (
        "An error occurred (InvalidParameterException) when calling the "
        "BatchCheckLayerAvailability operation: Invalid parameter at 'layerDigests' failed to "
        "satisfy constraint: 'Member must have length between 1 and 100, inclusive'"
    )


def test_a_repository_that_is_not_there_is_named(client: Any) -> None:
    with pytest.raises(ClientError) as caught:
        check(client, UNKNOWN)
    assert str(caught.value) == (
        "An error occurred (RepositoryNotFoundException) when calling the "
        "BatchCheckLayerAvailability operation: The repository with name 'shop/worker' does not "
        "exist in the registry with id '123456789012'"
    )
