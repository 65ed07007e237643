"""Plain lists: one image reference a line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from layerguard.discovery import ImageUse
from layerguard.discovery.walker import target_of

from layerguard_cli.sources.source import Source, SourceKind

_COMMENT = re.compile(r"(?:^|\s)#.*")
# Beginnings and endings of lines in YAML that no image reference has.
_YAML = re.compile(r"""[-\[{%&!|>"'].*|.*:""")


def is_list(text: str) -> bool:
    """Tell whether the first line with content is one word, and none of YAML's."""
    first = next((line for _, line in _lines(text)), "")
    return bool(first) and not re.search(r"\s", first) and not _YAML.fullmatch(first)


def read_list(name: str, text: str) -> Source:
    """Return a use for each line; what begins with ``#`` is a comment."""
    uses: list[ImageUse] = []
    problems: list[str] = []
    for number, line in _lines(text):
        if re.search(r"\s", line):
            problems.append(f"Line {number} has more than one word: it is no image reference.")
        else:
            uses.append(ImageUse("", "", f"line {number}", None, line, target_of(line), None))
    return Source(name, SourceKind.REFERENCES, tuple(uses), tuple(problems))


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        if content := _COMMENT.sub("", line).strip():
            yield number, content
