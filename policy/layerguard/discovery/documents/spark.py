"""Configuration properties in the arguments of spark-submit, as Amazon EMR on EKS takes them.

Sources: Spark documentation, "Submitting Applications"; EMR on EKS API, ``SparkSubmitJobDriver``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from layerguard.discovery.documents.unreadable import DocumentUnreadable
from layerguard.discovery.tree import Tree

_PIECE = re.compile(
    r"""(?P<blank>[ \t\r\n]+) | (?P<plain>[^ \t\r\n'"\\]+) | \\(?P<escaped>.)
    | '(?P<single>[^']*)' | "(?P<double>(?:[^"\\]|\\.)*)" """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r"""\\(["\\])""")


def spark_properties(arguments: str) -> dict[str, Tree]:
    """Return the properties that ``--conf`` and ``-c`` set; the last of a repeated key wins.

    Raises DocumentUnreadable where a quotation mark or a backslash at the end leaves a word open.
    """
    words = split_words(arguments)
    properties: dict[str, Tree] = {}
    for word in words:
        if word in ("--conf", "-c"):
            setting = next(words, "")
        elif word.startswith("--conf="):
            setting = word.removeprefix("--conf=")
        else:
            continue
        key, separator, value = setting.partition("=")
        if separator:
            properties[key] = value
    return properties


def split_words(arguments: str) -> Iterator[str]:
    """Yield the words as a POSIX shell splits them.

    The standard library's ``shlex`` does the same, in a time that grows with a word's square.
    """
    parts: list[str] = []
    position = 0
    while position < len(arguments):
        piece = _PIECE.match(arguments, position)
        if piece is None:
            raise DocumentUnreadable("The arguments end inside a quotation.")
        position = piece.end()
        if piece["blank"] is None:
            quoted = piece["double"]
            parts.append(_ESCAPED.sub(r"\1", quoted) if quoted else piece[piece.lastgroup or 0])
        elif parts:
            yield "".join(parts)
            parts = []
    if parts:
        yield "".join(parts)
