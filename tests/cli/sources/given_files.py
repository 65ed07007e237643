"""The files given with the issue, and what is expected of each."""

from __future__ import annotations

from pathlib import Path

from layerguard.reference import ImageReference
from layerguard.verdict import State
from layerguard_cli.sources.places import Reader
from layerguard_cli.sources.source import Source

GIVEN = Path(__file__).parent / "given"
EXPECTED = [
    line.split("\t") for line in (GIVEN / "EXPECTED.tsv").read_text(encoding="utf-8").splitlines()
]


def read_given(name: str) -> Source:
    ((_, source),) = Reader(lambda: b"", {}, lambda _: None).read(str(GIVEN / name))
    return source


def check(name: str, expected: str, repositories: str) -> None:
    """Assert that the repositories of a file are found, or that a problem is reported."""
    source = read_given(name)
    found = " ".join(use.text or "" for use in source.uses)
    if expected == "told":
        verdicts = [use.target for use in source.uses if not isinstance(use.target, ImageReference)]
        assert source.problems or any(each.state is not State.SKIPPED for each in verdicts)
    else:
        assert all(f"/{name}" in found for name in repositories.split())
        assert source.problems == ()
