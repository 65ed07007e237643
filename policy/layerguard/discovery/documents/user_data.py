"""User data of machines, where it is a document: cloud-config, Bottlerocket, a MIME message.

Sources: cloud-init documentation, "User data formats"; Bottlerocket documentation, "Settings".
"""

from __future__ import annotations

import base64
import binascii
import email
import re
import zlib
from importlib import import_module

from layerguard.discovery.documents.structured import read_yaml
from layerguard.discovery.documents.unreadable import DocumentUnreadable
from layerguard.discovery.tree import FoldedObject, Tree

_BASE64 = re.compile(r"[A-Za-z0-9+/\s]+={0,2}\s*", re.ASCII)
_BOTTLEROCKET = re.compile(r"^\s*\[{1,2}settings[.\]]", re.MULTILINE)
_YAML_TYPES = ("text/cloud-config", "application/node.eks.aws")
_GZIP = b"\x1f\x8b"
# EC2 takes 16 KiB; what unpacks to more than this is no configuration.
_MAX_BYTES = 1_000_000


def read_user_data(text: str) -> Tree:
    """Return the document in ``text``, plain or in base64, packed or not.

    A shell script and any other text is no document: None. A document that does not parse raises
    DocumentUnreadable.
    """
    text = _unpacked(text)
    if text.startswith("#cloud-config"):
        return read_yaml(text)
    if text[:8].lower().startswith(("content-", "mime-ver")):
        message = email.message_from_string(text)
        parts = (part for part in message.walk() if part.get_content_type() in _YAML_TYPES)
        return [read_yaml(str(part.get_payload())) for part in parts]
    if _BOTTLEROCKET.search(text):
        return _read_toml(text)
    return None


def _unpacked(text: str) -> str:
    if not _BASE64.fullmatch(text):
        return text
    try:
        data = base64.b64decode(text, validate=False)
        if data.startswith(_GZIP):
            data = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(data, _MAX_BYTES)
        return data.decode()
    except (binascii.Error, zlib.error, UnicodeDecodeError):
        return text


def _read_toml(text: str) -> Tree:
    try:
        return FoldedObject(import_module("tomllib").loads(text))
    except ModuleNotFoundError as error:
        raise DocumentUnreadable("Reading TOML needs Python 3.11.") from error
    except (ValueError, RecursionError) as error:
        raise DocumentUnreadable("The text is not TOML.") from error
