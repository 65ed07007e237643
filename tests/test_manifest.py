"""Manifests: verified bytes, judged by their content."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerguard.errors import DigestMismatch, ManifestInvalid
from layerguard.manifest import Index, Manifest, parse_config, parse_manifest
from layerguard.platform import Platform

from tests.fakes import OCI_MANIFEST, descriptor, digest_of, index, manifest

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


@pytest.mark.parametrize("media_type", [DOCKER_FOREIGN, OCI_NONDISTRIBUTABLE])
def test_foreign_layers_are_never_in_a_registry_and_not_checked(media_type: str) -> None:
    document = {
        "config": descriptor("config"),
        "layers": [descriptor("windows", media_type), descriptor("app")],
    }
    parsed = parse(document)
    assert isinstance(parsed, Manifest)
    assert [blob.digest for blob in parsed.blobs] == [digest_of("app"), digest_of("config")]


def test_the_content_decides_what_a_document_is_not_its_media_type() -> None:
    document = {"mediaType": OCI_MANIFEST, "manifests": [manifest("one").child("linux/amd64")]}
    assert isinstance(parse(document), Index)


def test_attestations_and_artifacts_in_an_index_are_not_runnable() -> None:
    image = manifest("one")
    parsed = parse(
        index(
            image.child("linux/amd64"),
            manifest("a").child("unknown/unknown"),
            manifest("b").child(
                "linux/amd64", annotations={"vnd.docker.reference.type": "attestation-manifest"}
            ),
            manifest("c").child(None, artifactType="application/vnd.amazon.soci.index.v2+json"),
            descriptor("d", "application/vnd.example.thing.v1+json"),
        ).text
    )
    assert isinstance(parsed, Index)
    assert len(parsed.children) == 5
    assert [child.digest for child in parsed.runnable] == [image.digest]


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
    assert parse_config(text, digest_of(text)) == Platform("linux", "arm", "v7")


def test_a_config_of_other_bytes_is_refused() -> None:
    with pytest.raises(DigestMismatch, match="these are not the image's bytes"):
        parse_config("{}", digest_of("another"))


@pytest.mark.parametrize("text", ["<html>", "", "[" * 100_000])
def test_a_config_that_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(ManifestInvalid, match="is not JSON"):
        parse_config(text, digest_of(text))
