"""Documents in strings of which nothing says that they are one: recognised by how they begin.

Sources: YAML 1.2, "Document Markers"; Docker documentation, "Dockerfile reference"; RFC 4648.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

from layerguard.discovery.documents.commands import command_images
from layerguard.discovery.documents.dockerfile import dockerfile_images
from layerguard.discovery.documents.structured import read_yaml_stream
from layerguard.discovery.documents.unreadable import DocumentUnreadable
from layerguard.discovery.documents.user_data import is_user_data, read_user_data, unpacked
from layerguard.discovery.reference_text import holds_host
from layerguard.discovery.tree import Mark, Tree

_FIRST_LINE = re.compile(r"^[ \t\ufeff]*([^\s#\ufeff].*)", re.MULTILINE)
_LONGEST_BEGINNING = 512
_DOCKERFILE = re.compile(r"(?:ARG|FROM)[ \t]+\S", re.IGNORECASE)
_JSON = re.compile(r"[{\[]")
_YAML = re.compile(r"""[{\[]|---|%YAML|-[ \t]|["']?[\w./$-]+["']?[ \t]*:(?:\s|$)""", re.ASCII)
# A line of a document with a host as its value, whatever else in the document does not parse.
_LINE_WITH_HOST = re.compile(
    r"""^[ \t]*(?:-[ \t]+)*["']?[\w./$-]+["']?[ \t]*:[ \t]*["']?\S*\.dkr[.-]ecr""",
    re.ASCII | re.MULTILINE,
)


def _in_base64(service: bytes) -> Iterator[str]:
    """Yield what ``service`` has in any text in base64 that holds it, for each place in a group."""
    for shift in range(3):
        text = base64.b64encode(bytes(shift) + service).decode()
        yield text[-(-shift * 8 // 6) : (shift + len(service)) * 8 // 6]


_ENCODED = (*_in_base64(b".dkr.ecr"), *_in_base64(b".dkr-ecr"))


def holds_document(text: str) -> bool:
    """Tell whether a host of ECR stands in ``text``, plain or in base64."""
    return holds_host(text) or any(each in text for each in _ENCODED)


def read_embedded(text: str) -> Tree:
    """Return the document that ``text`` is, plain or in base64, None where it is none.

    It is JSON, YAML, a Dockerfile, user data, or a script. What is meant as a document and does
    not parse is Mark.UNREADABLE.
    """
    if not holds_host(text):
        decoded = unpacked(text)
        return decoded if decoded != text else None
    line = _FIRST_LINE.search(text)
    beginning = line[1][:_LONGEST_BEGINNING] if line else ""
    try:
        if is_user_data(text):
            return read_user_data(text)
        if text.startswith("#!"):
            return command_images(text)
        if _DOCKERFILE.match(beginning):
            return dockerfile_images(text, {})
        if _YAML.match(beginning):
            return _only_one(read_yaml_stream(text))
    except DocumentUnreadable:
        is_meant = _JSON.match(beginning) or _LINE_WITH_HOST.search(text)
        return command_images(text) or (Mark.UNREADABLE if is_meant else None)
    return command_images(text)


def _only_one(stream: list[Tree]) -> Tree:
    return stream[0] if len(stream) == 1 else stream
