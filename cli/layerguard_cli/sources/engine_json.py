"""JSON as Pulumi's engine writes it, with its signatures for secrets, assets and unknown values.

Source: the engine's ``sdk/go/common/resource/sig`` (the signatures), ``pkg/resource/stack`` (how
values are written) and ``pkg/backend/display`` (how secrets are hidden in output).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from layerguard.discovery.documents.structured import whole_number
from layerguard.discovery.tree import HIDDEN, Mark, plain

from layerguard_cli.sources.source import SourceUnreadable

UNKNOWN = frozenset(
    {
        "030794c1-ac77-496b-92df-f27374a8bd58",  # an asset
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",  # a string, or of no known type
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # a boolean
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # a number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # an array
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # an object
        "e48ece36-62e2-4504-bad9-02848725956a",  # an archive
    }
)
"""The strings that stand for values which are not known before the update."""

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"
_ASSET = "c44067f5952c0a294b673a41bacd8c17"
_OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_ANY_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def read_documents(text: str) -> tuple[list[Any], str]:
    """Return the concatenated JSON documents in ``text``, and what is wrong after them.

    That is empty, or a sentence that quotes nothing: the text may hold secrets. A secret that is
    shown is its value, whose strings are SecretText, any other ``HIDDEN``; a string asset is its
    text; whatever else has a signature is ``Mark.OPAQUE``. Raises SourceUnreadable if there is no
    document.
    """
    documents: list[Any] = []
    try:
        documents.extend(_documents(text))
    except RecursionError:
        problem = "It is nested too deeply."
    except json.JSONDecodeError as error:
        problem = f"It is not valid JSON at line {error.lineno}, column {error.colno}."
    else:
        problem = ""
    if not documents:
        raise SourceUnreadable(problem or "It has no JSON document.")
    return documents, problem


def _documents(text: str) -> Iterator[Any]:
    decoder = json.JSONDecoder(object_hook=_value, parse_int=whole_number)
    position = _next(text, 0)
    while position < len(text):
        document, position = decoder.raw_decode(text, position)
        yield document
        position = _next(text, position)


def _next(text: str, position: int) -> int:
    """Return the position of the next character that is no white space of JSON."""
    while position < len(text) and text[position] in " \t\r\n":
        position += 1
    return position


def _value(read: dict[str, Any]) -> Any:
    """Return what the engine means by an object, whose values were already replaced so."""
    match read.get(_SIGNATURE):
        case None:
            return read
        case signature if signature == _SECRET:
            plaintext = read.get("plaintext")
            return _shown(plaintext) if isinstance(plaintext, str) else HIDDEN
        case signature if signature == _ASSET:
            text = read.get("text")
            return text if isinstance(text, str) else Mark.OPAQUE
        case signature if signature == _OUTPUT:
            return read.get("value", _ANY_UNKNOWN)
        case _:
            return Mark.OPAQUE


def _shown(plaintext: str) -> Any:
    """Return the value of a secret, which the engine writes as JSON, with SecretText in it."""
    try:
        return plain(
            json.loads(plaintext, object_hook=_value, parse_int=whole_number), is_secret=True
        )
    except (ValueError, RecursionError):
        return HIDDEN
