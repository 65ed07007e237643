"""The documents in a text: JSON documents one behind the other, or a stream of YAML documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from layerguard.discovery.documents.structured import read_yaml
from layerguard.discovery.documents.unreadable import DocumentUnreadable
from layerguard.discovery.tree import Mark, Tree

from layerguard_cli.sources.content import mentions_ecr
from layerguard_cli.sources.engine_json import read_documents
from layerguard_cli.sources.source import SourceUnreadable

_JSON = re.compile(r'\s*(?:\{\s*["}]|\[)')
# A line that begins with this marker begins a document, even inside of a block of text.
# Source: YAML 1.2, section 9.1.2, "Document Markers".
_MARKER = re.compile(r"^---(?=\s|$)", re.MULTILINE)
# The memory of a document grows with its values, which these characters separate.
_MOST_VALUES = 5_000_000
_LONGEST_YAML = 20_000_000
"""Characters of one document in YAML, whose reading takes minutes and not seconds beyond them."""
# Characters of a text that begins like JSON and may be YAML: larger ones are JSON that broke off.
_LONGEST_FLOW = 1_000_000


@dataclass(frozen=True, slots=True)
class Document:
    """A document: its ``value``, Mark.UNREADABLE where it does not parse.

    ``text`` is its own part of a text in YAML, None in JSON. An element of a list is ``in_list``.
    """

    number: int
    value: Any
    text: str | None = field(default=None, repr=False)
    in_list: bool = False

    @property
    def trouble(self) -> str:
        """Why it is unreadable, as the end of a sentence."""
        if len(self.text or "") > _LONGEST_YAML:
            return f"has more than {_LONGEST_YAML:,} characters, which is more than an audit reads"
        return "is not YAML"

    @property
    def mentions(self) -> bool:
        """Whether it names a host of ECR."""
        texts = [self.text] if self.text is not None else _texts(self.value)
        return any(mentions_ecr(text.encode("utf-8", "replace")) for text in texts)


@dataclass(frozen=True, slots=True)
class Documents:
    """The documents of a text, and a sentence about what follows them and is none."""

    found: tuple[Document, ...]
    problem: str = ""


def documents_in(text: str) -> Documents:
    """Return the documents in ``text``; raise SourceUnreadable where there is none."""
    if not _JSON.match(text):
        return Documents(tuple(_yaml_documents(text)))
    if sum(map(text.count, "[{,")) > _MOST_VALUES:
        raise SourceUnreadable(
            f"It has more than {_MOST_VALUES:,} values, which is more than an audit reads."
        )
    problem = ""
    try:
        values, problem = read_documents(text)
    except SourceUnreadable as error:
        values, problem = [], str(error)
    is_short = len(text) <= _LONGEST_FLOW
    if problem and is_short and (not values or _MARKER.search(text)):
        # A list or an object in YAML's flow style, or JSON documents in a stream of YAML.
        found = tuple(_yaml_documents(text))
        if found and not any(each.value is Mark.UNREADABLE for each in found):
            return Documents(found)
    if not values:
        raise SourceUnreadable(problem)
    found = tuple(Document(number, value) for number, value in enumerate(values, 1))
    return Documents(found, problem)


def _yaml_documents(text: str) -> Iterator[Document]:
    parts = filter(_has_content, _MARKER.split(text))
    for number, part in enumerate(parts, 1):
        value = _read(part)
        if value is not None:
            yield Document(number, value, part)


def _read(text: str) -> Tree:
    if len(text) > _LONGEST_YAML:
        return Mark.UNREADABLE
    try:
        return read_yaml(text)
    except DocumentUnreadable:
        return Mark.UNREADABLE


def _has_content(part: str) -> bool:
    """Tell whether there is more in ``part`` than blank lines, comments and directives."""
    return any(line.lstrip()[:1] not in ("", "#", "%") for line in part.splitlines())


def _texts(value: Any) -> Iterator[str]:
    """Yield every string in a document, and the names of its members."""
    ahead: list[Any] = [value]
    while ahead:
        value = ahead.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            ahead += value.keys()
            ahead += value.values()
        elif isinstance(value, list):
            ahead += value
