"""The content of a file: read within bounds, unpacked, decoded, and searched for hosts of ECR."""

from __future__ import annotations

import codecs
import gzip
import io
import os
import select
import stat
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

from layerguard_cli.sources.source import SourceUnreadable

LARGEST = 100_000_000
"""Bytes of a file, unpacked, that is read; a larger one is only searched."""
SEARCHED = 4_000_000_000
"""Bytes of a larger file that are searched."""
_PIECE = 1 << 20
_OVERLAP = 64
_NO_WRITER, _NO_DATA = 10.0, 600.0  # seconds in which a pipe has nothing to read
_GZIP = b"\x1f\x8b"
# PowerShell writes UTF-16 where a command's output is redirected.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Every form of host has one of these, whatever stands for its account and region: in encodings
# with the bytes of ASCII, and in UTF-16, of either order.
_FORMS = (".dkr.ecr", ".dkr-ecr")
_HOSTS = (*map(str.encode, _FORMS), *("\0".join(each).encode() for each in _FORMS))


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of a file, unpacked; not all of them if they are ``cut``.

    ``mentions`` tells whether a host of ECR is named in the whole of the file.
    """

    data: bytes
    mentions: bool
    cut: str = ""

    @classmethod
    def of(cls, data: bytes) -> Content:
        """Return the content that ``data`` is, which may be packed with gzip."""
        cut = ""
        if data.startswith(_GZIP):
            data, cut = _unpacked(data)
        elif len(data) > LARGEST:
            cut = _too_large()
        return cls(data, mentions_ecr(data), cut)

    @property
    def text(self) -> str:
        """The text; raises SourceUnreadable where it is none, or not whole."""
        if self.cut:
            raise SourceUnreadable(self.cut)
        encoding = next((each for mark, each in _MARKS if self.data.startswith(mark)), "utf-8")
        try:
            text = self.data.decode(encoding)
        except UnicodeDecodeError as error:
            raise SourceUnreadable("It is not text in UTF-8.") from error
        if not text.strip():
            raise SourceUnreadable("It is empty.")
        return text

    @property
    def shown(self) -> str:
        """The beginning of the text, whatever it is, to tell what it seems to be."""
        return self.data[:_PIECE].decode("utf-8", "replace")

    @property
    def line(self) -> int:
        """The number of the first line that names a host of ECR; 0 where none of ``data`` does."""
        data = self.data.lower()
        found = [place for each in _HOSTS if (place := data.find(each)) >= 0]
        return data.count(b"\n", 0, min(found)) + 1 if found else 0


def mentions_ecr(data: bytes | bytearray) -> bool:
    """Tell whether ``data``, in any encoding with the letters of ASCII, names a host of ECR."""
    letters = data.lower()
    return any(each in letters for each in _HOSTS)


def read_file(path: str) -> Content:
    """Return the content of the file at ``path``; raise OSError where it cannot be read.

    A pipe is waited for within bounds, and a device is read up to ``LARGEST``.
    """
    # Opening a pipe that nobody writes to would wait without an end.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0))
    with os.fdopen(handle, "rb", buffering=0) as file:
        is_file = stat.S_ISREG(os.fstat(handle).st_mode)
        data = bytearray()
        while len(data) <= LARGEST and (piece := _piece(handle, started=bool(data))):
            data += piece
        if len(data) <= LARGEST:
            return Content.of(bytes(data))
        mentions = mentions_ecr(data) or (is_file and _rest_mentions(file.fileno(), data))
        return Content(bytes(data[:_PIECE]), mentions or not is_file, _too_large())


def is_regular(path: str) -> bool:
    """Tell whether reading ``path`` has an end: no pipe, socket or device; raise OSError."""
    return stat.S_ISREG(Path(path).stat().st_mode)


def _piece(handle: int, *, started: bool) -> bytes:
    """Return what can be read next; nothing at the end, or where it does not come in time."""
    is_pipe = stat.S_ISFIFO(os.fstat(handle).st_mode)
    began = time.monotonic()
    while True:
        try:
            piece = os.read(handle, _PIECE)
        except BlockingIOError:
            if time.monotonic() - began > _NO_DATA:
                raise TimeoutError(0, f"nothing came within {_NO_DATA:g} s") from None
            select.select([handle], [], [], 1.0)
            continue
        waits = is_pipe and not started and time.monotonic() - began < _NO_WRITER
        if piece or not waits:
            return piece
        time.sleep(0.02)


def _rest_mentions(handle: int, before: bytes | bytearray) -> bool:
    end, read = bytes(before[-_OVERLAP:]), len(before)
    while read < SEARCHED:
        piece = os.read(handle, _PIECE)
        if not piece:
            return False
        if mentions_ecr(end + piece):
            return True
        end, read = piece[-_OVERLAP:], read + len(piece)
    return True  # it was not searched to its end


def _unpacked(packed: bytes) -> tuple[bytes, str]:
    """Return what ``packed`` unpacks to, and why it is not all of it."""
    data = bytearray()
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
            while len(data) <= LARGEST and (piece := file.read(_PIECE)):
                data += piece
    except (EOFError, OSError, zlib.error):
        return bytes(data), "It is packed with gzip, and does not unpack to its end."
    return bytes(data), _too_large() if len(data) > LARGEST else ""


def _too_large() -> str:
    return f"It is larger than {LARGEST // 1_000_000:,} MB, which is more than an audit reads."
