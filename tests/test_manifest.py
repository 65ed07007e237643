"""Manifests: verified bytes, judged by their content."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerguard.errors import DigestMismatch, ManifestInvalid
from layerguard.manifest import ImageConfig, Index, Manifest, parse_config, parse_manifest
from layerguard.platform import Platform

from tests.fakes import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST, descriptor, digest_of, index, manifest

DOCKER_FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
OCI_NONDISTRIBUTABLE = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"


def parse(document: object) -> Manifest | Index:
    text = document if isinstance(document, str) else json.dumps(document)
    return parse_manifest(text, digest_of(text))


def test_a_manifest_has_its_layers_and_its_config_to_check() -> None:
    parsed = parse(manifest("one", "two").text)
    assert isinstance(parsed, Manifest)
    assert [blob.digest for blob in parsed.blobs] == [
        digest_of("one"),
        digest_of("two"),
        digest_of("config"),
    ]


def test_a_docker_manifest_is_read_like_an_oci_one() -> None:
    document = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": descriptor("config", "application/vnd.docker.container.image.v1+json"),
        "layers": [descriptor("one", "application/vnd.docker.image.rootfs.diff.tar.gzip")],
    }
    parsed = parse(document)
    assert isinstance(parsed, Manifest)
    assert [blob.size for blob in parsed.blobs] == [3, 6]


def test_a_layer_that_stands_twice_is_one_layer_to_check() -> None:
    parsed = parse(manifest("same", "same").text)
    assert isinstance(parsed, Manifest)
    assert len(parsed.layers) == 2
    assert [blob.digest for blob in parsed.blobs] == [digest_of("same"), digest_of("config")]


@pytest.mark.parametrize("media_type", [OCI_LAYER, DOCKER_FOREIGN, OCI_NONDISTRIBUTABLE])
@pytest.mark.parametrize(
    ("urls", "read"),
    [
        (["https://example.com/layer", "HTTP://b"], ("https://example.com/layer", "HTTP://b")),
        (["ftp://example.com", "file:///etc/passwd", "", None, "http://[", "https:///x"], ()),
        ([], ()),
        (None, ()),
    ],
)
def test_the_urls_of_a_layer_of_any_type_are_those_that_runtimes_use(
    media_type: str, urls: list[str] | None, read: tuple[str, ...]
) -> None:
    layer = descriptor("base", media_type, urls=urls)
    parsed = parse({"config": descriptor("config"), "layers": [layer]})
    assert isinstance(parsed, Manifest)
    assert [blob.digest for blob in parsed.blobs] == [digest_of("base"), digest_of("config")]
    assert parsed.blobs[0].urls == read


def test_the_content_decides_what_a_document_is_not_its_media_type() -> None:
    document = {"mediaType": OCI_MANIFEST, "manifests": [manifest("one").child("linux/amd64")]}
    assert isinstance(parse(document), Index)


def test_an_attestation_has_marks_and_an_artifact_type_is_none_of_them() -> None:
    image = manifest("one")
    parsed = parse(
        index(
            image.child("linux/amd64", artifactType="application/vnd.example.app"),
            manifest("a").child("unknown/unknown"),
            manifest("b").child(
                "linux/amd64", annotations={"vnd.docker.reference.type": "attestation-manifest"}
            ),
            image.child("linux/arm64", annotations=None),
            descriptor("d", "application/vnd.example.thing.v1+json"),
            image.child() | {"platform": {}},
        ).text
    )
    assert isinstance(parsed, Index)
    assert len(parsed.children) == 6
    assert [child.digest for child in parsed.runnable] == [image.digest, image.digest]


@pytest.mark.parametrize("layers", [{}, {"layers": None}, {"layers": []}])
def test_an_image_may_be_without_layers(layers: dict[str, Any]) -> None:
    parsed = parse({"config": descriptor("config", OCI_CONFIG), **layers})
    assert isinstance(parsed, Manifest)
    assert parsed.layers == ()
    assert parsed.artifact is None


def test_of_members_that_differ_in_case_the_later_one_counts() -> None:
    layers = [json.dumps([descriptor(name)]) for name in ("one", "two")]
    config = json.dumps(descriptor("config", OCI_CONFIG))
    for names in (("layers", "Layers"), ("LAYERS", "layers")):
        parsed = parse(
            f'{{"config": {config}, "{names[0]}": {layers[0]}, "{names[1]}": {layers[1]}}}'
        )
        assert isinstance(parsed, Manifest)
        assert [layer.digest for layer in parsed.layers] == [digest_of("two")]


HELM, WASM = "application/vnd.cncf.helm.config.v1+json", "application/vnd.wasm.config.v0+json"
IN_TOTO, SIMPLE = "application/vnd.in-toto+json", "application/vnd.dev.cosign.simplesigning.v1+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_ZSTD = "application/vnd.docker.image.rootfs.diff.tar.zstd"


@pytest.mark.parametrize(
    ("config", "layers", "certain"),
    [
        # An image
        (OCI_CONFIG, [OCI_LAYER, DOCKER_ZSTD], None),
        (DOCKER_CONFIG, [OCI_NONDISTRIBUTABLE], None),
        # An artifact
        (HELM, ["application/vnd.cncf.helm.chart.content.v1.tar+gzip"], True),
        ("application/vnd.oci.empty.v1+json", [OCI_LAYER], True),
        ("application/vnd.buildkit.cacheconfig.v0", [OCI_LAYER], True),
        ("application/vnd.amazon.soci.index.v1+json", ["application/octet-stream"], True),
        (OCI_CONFIG, [SIMPLE], True),
        (OCI_CONFIG, [IN_TOTO, IN_TOTO], True),
        # What some runtimes run
        (WASM, ["application/wasm"], False),
        ("application/octet-stream", [OCI_LAYER], False),
        ("", [OCI_LAYER], False),
        (OCI_CONFIG, ["application/octet-stream"], False),
        (OCI_CONFIG, [OCI_LAYER, SIMPLE], False),
        (OCI_CONFIG, [f"{OCI_LAYER}+encrypted"], False),
    ],
)
def test_the_media_types_tell_an_artifact(
    config: str, layers: list[str], certain: bool | None
) -> None:
    parsed = parse(
        {
            "config": descriptor("config", config),
            "layers": [descriptor(str(number), each) for number, each in enumerate(layers)],
        }
    )
    assert isinstance(parsed, Manifest)
    assert (parsed.artifact and parsed.artifact.certain) is certain


def test_bytes_that_do_not_hash_to_the_digest_are_no_answer() -> None:
    with pytest.raises(DigestMismatch, match="these are not the image's bytes"):
        parse_manifest(manifest("one").text, digest_of("another"))


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("<html>", "is not JSON"),
        ("", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ([], "neither an image manifest nor an index"),
        ({}, "neither an image manifest nor an index"),
        ({"layers": []}, "neither an image manifest nor an index"),
        ({"schemaVersion": 1, "fsLayers": []}, "Docker's schema 1"),
        ({"layers": [{}], "config": descriptor("c")}, "a descriptor that cannot be read"),
        ({"layers": [], "config": None}, "a descriptor that cannot be read"),
        ({"layers": {}, "config": descriptor("c")}, "a descriptor that cannot be read"),
        ({"layers": [], "config": descriptor("c") | {"size": "9"}}, "is not a number of bytes"),
        ({"layers": [], "config": descriptor("c") | {"size": 9.5}}, "is not a number of bytes"),
        ({"layers": [], "config": descriptor("c") | {"mediaType": 1}}, "is not a text"),
        ({"layers": [], "config": descriptor("c") | {"urls": "x"}}, "is not a list"),
        ({"manifests": [], "annotations": {"a": 1}}, "an annotation is not a text"),
        ({"manifests": [descriptor("x") | {"annotations": ["a"]}]}, "cannot be read"),
        ({"manifests": ["x"]}, "a descriptor that cannot be read"),
        ({"manifests": [{"digest": "sha256:1"}]}, "a descriptor that cannot be read"),
        ({"manifests": [descriptor("x") | {"platform": "linux"}]}, "cannot be read"),
    ],
)
def test_what_is_no_manifest_is_said_to_be_none(document: object, words: str) -> None:
    with pytest.raises(ManifestInvalid, match=words):
        parse(document)


_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(["manifests", "layers", "config", "digest", "platform", "x"]), inner
        )
    ),
)


@given(_JSON)
def test_any_other_document_is_refused(document: object) -> None:
    try:
        parse(document)
    except ManifestInvalid as error:
        assert str(error).startswith("The manifest sha256:")


def test_a_config_names_its_platform() -> None:
    text = json.dumps(
        {"os": "linux", "architecture": "arm", "variant": "v7", "os.version": "", "rootfs": {}}
    )
    assert parse_config(text, digest_of(text)).platform == Platform("linux", "arm", "v7")


def test_a_config_of_other_bytes_is_refused() -> None:
    with pytest.raises(DigestMismatch, match="these are not the image's bytes"):
        parse_config("{}", digest_of("another"))


@pytest.mark.parametrize("text", ["<html>", "", "[" * 100_000, "[]", '{"rootfs": {"diff_ids": 1}}'])
def test_a_config_that_is_none_lists_no_layers(text: str) -> None:
    assert parse_config(text, digest_of(text)) == ImageConfig(None, 0)
