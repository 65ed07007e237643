"""The images are what real build tools make, and the same bytes everywhere."""

import gzip
import hashlib
import io
import json
import tarfile

from layerguard_sandbox.ecr.images import (
    DOCKER_CONFIG,
    DOCKER_LAYER,
    DOCKER_LIST,
    DOCKER_MANIFEST,
    artifact,
    docker_image,
    image_index,
    oci_image,
    with_foreign_layer,
)


def test_an_image_that_is_built_twice_is_the_same_and_one_of_another_name_is_not() -> None:
    assert oci_image("report").digest == oci_image("report").digest
    assert oci_image("report").digest != oci_image("web").digest


def test_a_layer_is_a_packed_tar_and_the_config_names_the_digest_of_what_is_inside() -> None:
    config, *layers = oci_image("report").blobs
    unpacked = [gzip.decompress(layer.content) for layer in layers]
    assert json.loads(config.content)["rootfs"] == {
        "type": "layers",
        "diff_ids": ["sha256:" + hashlib.sha256(tar).hexdigest() for tar in unpacked],
    }
    with tarfile.open(fileobj=io.BytesIO(unpacked[0])) as base:
        assert base.getnames() == ["bin/busybox", "lib/libc.so.6", "etc/os-release"]


def test_a_manifest_describes_its_blobs() -> None:
    image = docker_image("worker", layers=1)
    config, layer = image.blobs
    assert json.loads(image.manifest) == {
        "schemaVersion": 2,
        "mediaType": DOCKER_MANIFEST,
        "config": {
            "mediaType": DOCKER_CONFIG,
            "digest": config.digest,
            "size": len(config.content),
        },
        "layers": [{"mediaType": DOCKER_LAYER, "digest": layer.digest, "size": len(layer.content)}],
    }


def test_images_of_one_platform_share_their_base_layer_and_nothing_else() -> None:
    one, other = ({blob.digest for blob in oci_image(name).blobs} for name in ("web", "api"))
    assert one & other == {oci_image("report").blobs[1].digest}


def test_an_index_names_platforms_and_puts_an_attestation_beside_each_image() -> None:
    amd, windows = oci_image("report"), oci_image("web", os="windows", os_version="10.0.20348.2031")
    entries = json.loads(image_index([amd, windows], attestations=True).manifest)["manifests"]
    assert [(entry["platform"], entry.get("annotations")) for entry in entries] == [
        ({"architecture": "amd64", "os": "linux"}, None),
        ({"architecture": "amd64", "os": "windows", "os.version": "10.0.20348.2031"}, None),
        (
            {"architecture": "unknown", "os": "unknown"},
            {
                "vnd.docker.reference.digest": amd.digest,
                "vnd.docker.reference.type": "attestation-manifest",
            },
        ),
        (
            {"architecture": "unknown", "os": "unknown"},
            {
                "vnd.docker.reference.digest": windows.digest,
                "vnd.docker.reference.type": "attestation-manifest",
            },
        ),
    ]


def test_odd_images_nested_lists_foreign_layers_and_artifacts() -> None:
    inner = image_index([docker_image("web", "arm", variant="v7")], docker=True)
    outer = json.loads(image_index([inner], docker=True).manifest)
    assert outer["manifests"] == [
        {"mediaType": DOCKER_LIST, "digest": inner.digest, "size": len(inner.manifest)}
    ]
    foreign = with_foreign_layer(docker_image("web", os="windows"))
    assert [layer["mediaType"] for layer in json.loads(foreign.manifest)["layers"]] == [
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        *[DOCKER_LAYER] * 3,
    ]
    report = json.loads(artifact("a scan").manifest)
    assert report["artifactType"] == "application/vnd.example.report.v1+json"
    assert report["config"]["mediaType"] == "application/vnd.oci.empty.v1+json"
