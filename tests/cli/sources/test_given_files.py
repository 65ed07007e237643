"""The images in files that people have, in the file itself and wherever its text stands."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from layerguard.discovery import ImageUse, Naming, discover
from layerguard.discovery.tree import plain

from tests.cli.sources.states import read

GIVEN = Path(__file__).parent / "given"
EXPECTED = {
    name: names.split()
    for name, _, names in (
        line.split("\t") for line in (GIVEN / "EXPECTED.tsv").read_text().splitlines()
    )
}
_REPOSITORY = re.compile(r"/([a-z0-9/-]+)[^/]*$")
# Kubernetes manifests in YAML; the others are for sources of other kinds.
MANIFESTS = [name for name in EXPECTED if name.startswith(("k8s__", "more__"))]
# A table's cells are not read.
DOCUMENTS = [name for name in EXPECTED if name != "mix__images.csv"]


def named(uses: tuple[ImageUse, ...]) -> set[str]:
    """Return the repositories that uses name, whatever else is wrong with the references."""
    found = (_REPOSITORY.search(use.text or "") for use in uses)
    return {match[1] for match in found if match}


def test_every_given_file_has_an_expectation() -> None:
    files = {path.name for path in GIVEN.iterdir()} - {"EXPECTED.tsv", "README.md"}
    assert files == set(EXPECTED)


@pytest.mark.parametrize("name", MANIFESTS)
def test_the_images_of_a_manifest_are_found_and_nothing_else_is(name: str) -> None:
    source = read((GIVEN / name).read_bytes())
    assert named(source.uses) == set(EXPECTED[name])
    assert source.problems == ()


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


PLACES: dict[str, tuple[str, Callable[[str], dict[str, Any]]]] = {
    "an object of S3": ("aws:s3/bucketObject:BucketObject", lambda text: {"content": text}),
    "one in base64": ("aws:s3/bucketObjectv2:BucketObjectv2", lambda text: {"contentBase64": in_base64(text)}),
    "a config map": ("kubernetes:core/v1:ConfigMap", lambda text: {"data": {"a": text}}),
    "a secret": ("kubernetes:core/v1:Secret", lambda text: {"data": {"a": in_base64(text)}}),
    "a file of a machine": ("kubernetes:bootstrap.cluster.x-k8s.io/v1beta1:KubeadmConfig", lambda text: {"spec": {"files": [{"content": text}]}}),
    "a file in a repository": ("github:index/repositoryFile:RepositoryFile", lambda text: {"content": text}),
}  # fmt: skip


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize(("resource_type", "inputs"), PLACES.values(), ids=PLACES)
def test_the_images_of_a_file_are_found_in_a_string_and_stop_nothing(
    resource_type: str, inputs: Callable[[str], dict[str, Any]], name: str
) -> None:
    text = (GIVEN / name).read_text()
    uses = discover("urn", resource_type, plain(inputs(text)))
    assert named(uses) == set(EXPECTED[name])
    assert {use.naming for use in uses} == {Naming.CARRIED}
