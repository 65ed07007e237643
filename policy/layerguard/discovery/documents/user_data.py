"""User data of machines: cloud-config, Bottlerocket's settings, a MIME message, a script.

Sources: cloud-init documentation, "User data formats"; Bottlerocket documentation, "Settings";
RFC 2046, "Multipart Media Type".
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Iterator, Mapping

from layerguard.discovery.documents.commands import command_images
from layerguard.discovery.documents.quoted import quoted_references
from layerguard.discovery.documents.structured import read_yaml
from layerguard.discovery.documents.unreadable import DocumentUnreadable
from layerguard.discovery.tree import Tree

# What user data may unpack to, in all and for each byte; EC2 takes 16 KiB of it packed.
_MAX_BYTES, _MAX_RATIO = 1_000_000, 30
_LONGEST_BEGINNING = 1_000
_MAX_NESTING = 8  # of messages in messages

_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}", re.ASCII)
_BOTTLEROCKET = re.compile(r"^[ \t]*\[{1,2}settings[.\]]", re.MULTILINE)
_BOUNDARY = re.compile(r"""\bboundary\s*=\s*(?:"([^"]+)"|([^\s;"]+))""", re.IGNORECASE)
_GZIP = b"\x1f\x8b"
_CLOUD_CONFIG = "#cloud-config"
_MESSAGES = ("content-", "mime-ver")
_YAML_TYPES = ("text/cloud-config", "application/node.eks.aws")


def read_user_data(text: str) -> Tree:
    """Return the document in ``text``, plain or in base64, packed or not.

    Of a shell script and any other text it is what its commands pull; None where that is nothing.
    A document that does not parse raises DocumentUnreadable.
    """
    text = unpacked(text)
    if text.startswith(_CLOUD_CONFIG):
        return read_yaml(text)
    if text[:8].lower().startswith(_MESSAGES):
        return list(_documents_in(text))
    return quoted_references(text) if _BOTTLEROCKET.search(text) else command_images(text)


def is_user_data(text: str) -> bool:
    """Tell whether ``text``, of which nothing says what it is, begins as user data does."""
    beginning = text[:_LONGEST_BEGINNING]
    is_message = beginning[:8].lower().startswith(_MESSAGES)
    return is_message or bool(
        beginning.startswith(_CLOUD_CONFIG) or _BOTTLEROCKET.search(beginning)
    )


def unpacked(text: str) -> str:
    """Return what ``text`` is in base64, packed or not; any other text as it is."""
    compact = "".join(text.split())
    if not _BASE64.fullmatch(compact):
        return text
    try:
        data = base64.b64decode(compact)
        if data.startswith(_GZIP):
            unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)
            data = unpacking.decompress(data, min(_MAX_BYTES, _MAX_RATIO * len(data)))
            if not unpacking.eof:
                raise DocumentUnreadable("The user data does not unpack, or not to its end.")
        return data.decode()
    except (binascii.Error, zlib.error, UnicodeDecodeError):
        return text


def _documents_in(message: str) -> Iterator[Tree]:
    """Yield the documents in a MIME message: itself, its parts, and the parts of these."""
    ahead = [(message, 0)]
    while ahead:
        message, depth = ahead.pop()
        head, _, body = f"\n{message}".replace("\r\n", "\n").partition("\n\n")
        fields = _fields(head)
        kind = fields.get("content-type", "").partition(";")[0].strip().lower()
        boundary = _BOUNDARY.search(fields.get("content-type", ""))
        if kind.startswith("multipart/") and boundary:
            if depth == _MAX_NESTING:
                raise DocumentUnreadable("The message has messages in it too deeply.")
            mark = re.escape(boundary[1] or boundary[2])
            parts = re.split(rf"^--{mark}(?:--)?[ \t]*$\n?", body, flags=re.MULTILINE)
            ahead += ((part, depth + 1) for part in reversed(parts[1:]))
            continue
        text = _decoded(body, fields.get("content-transfer-encoding", "").strip().lower())
        if kind in _YAML_TYPES or text.startswith(_CLOUD_CONFIG):
            yield read_yaml(text)
        elif (images := command_images(text)) is not None:
            yield images


def _fields(head: str) -> Mapping[str, str]:
    """Return the fields of a message's head by their names in lower case."""
    lines = re.sub(r"\n[ \t]+", " ", head).split("\n")
    return {
        name.strip().lower(): value for name, _, value in (each.partition(":") for each in lines)
    }


def _decoded(body: str, encoding: str) -> str:
    if encoding == "quoted-printable":
        return binascii.a2b_qp(body.encode(errors="replace")).decode(errors="replace")
    return unpacked(body) if encoding == "base64" else body
