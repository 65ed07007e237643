"""The given files as an audit reads them, each of its own kind."""

from __future__ import annotations

import pytest

from tests.cli.sources.given_files import EXPECTED, check


@pytest.mark.parametrize(("name", "expected", "repositories"), EXPECTED)
def test_a_given_file_is_read_as_expected(name: str, expected: str, repositories: str) -> None:
    check(name, expected, repositories)
