"""The files given with the issue: those that the readers of sources alone decide."""

from __future__ import annotations

import pytest

from tests.cli.sources.given_files import EXPECTED, check

# The others are found by discovery: see test_given_manifests_of_discovery.py.
OF_SOURCES = [
    row
    for row in EXPECTED
    if row[0].startswith(("mix__", "k8s__kustomization", "k8s__placeholder", "k8s__eleven"))
]


@pytest.mark.parametrize(("name", "expected", "repositories"), OF_SOURCES)
def test_a_given_file_is_read_as_expected(name: str, expected: str, repositories: str) -> None:
    check(name, expected, repositories)


def test_most_of_the_given_files_are_here() -> None:
    assert len(OF_SOURCES) == 12
