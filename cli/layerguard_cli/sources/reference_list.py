"""Plain lists: one image reference a line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from layerguard.discovery import ImageUse
from layerguard.discovery.walker import target_of

from layerguard_cli.sources.content import mentions_ecr
from layerguard_cli.sources.source import NotASource, Source, SourceKind

_COMMENT = re.compile(r"(?:^|\s)#.*")
# Beginnings and endings of lines in YAML that no image reference has.
_YAML = re.compile(r"""[-\[{%&!|>"'].*|.*:""")
# No reference, however it is mistyped, has them: the line is an assignment, a row of a table, a
# requirement, a template or prose.
_OTHERS = re.compile(r"""[\s=,;"'`<>(){}\\$|]""")


def is_list(text: str) -> bool:
    """Tell whether the first line with content is one word, and none of YAML's."""
    first = next((line for _, line in _lines(text)), "")
    return bool(first) and not re.search(r"\s", first) and not _YAML.fullmatch(first)


def read_list(name: str, text: str) -> Source:
    """Return a use for each line; what begins with ``#`` is a comment.

    Raises NotASource where more lines cannot be a reference than can.
    """
    uses: list[ImageUse] = []
    problems: list[str] = []
    notes: list[str] = []
    for number, line in _lines(text):
        if not _OTHERS.search(line):
            uses.append(ImageUse("", "", f"line {number}", None, line, target_of(line), None))
        elif mentions_ecr(line.encode("utf-8", "replace")):
            problems.append(f"Line {number} names a host of ECR, and is no image reference.")
        else:
            notes.append(f"Line {number} is no image reference.")
    if len(uses) < len(problems) + len(notes):
        raise NotASource("Most of its lines are no image references.")
    return Source(name, SourceKind.REFERENCES, tuple(uses), tuple(problems), notes=tuple(notes))


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        if content := _COMMENT.sub("", line).strip():
            yield number, content
