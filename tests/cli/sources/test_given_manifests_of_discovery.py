"""The files given with the issue that need what discovery reads in manifests.

These are documents in strings, custom kinds, and references without a tag. They hold once the branches on documents in strings and on spellings are merged with the sources.
"""

from __future__ import annotations

import pytest

from tests.cli.sources.given_files import EXPECTED, check
from tests.cli.sources.test_given_kinds import OF_SOURCES


@pytest.mark.parametrize(
    ("name", "expected", "repositories"), [row for row in EXPECTED if row not in OF_SOURCES]
)
def test_a_given_manifest_is_read_as_expected(name: str, expected: str, repositories: str) -> None:
    check(name, expected, repositories)
