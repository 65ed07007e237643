"""The bytes of layers and configs, and their digests.

The same arguments give the same bytes on every machine, so a digest may be written down in a test
or a document. That is why layers are gzip files of stored blocks (RFC 1951, 3.2.4): compressors
differ between versions of zlib.
"""

import hashlib
import io
import random
import struct
import tarfile
import zlib
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

BUILT = "2025-06-01T09:00:00Z"
_BUILT_SECONDS = 1748768400

Descriptor = dict[str, Any]


def sha256(content: bytes) -> str:
    """Return the digest of `content`."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


@dataclass(frozen=True)
class Blob:
    """The bytes of a config or of a layer."""

    content: bytes
    media_type: str

    @cached_property
    def digest(self) -> str:
        """`sha256:` and the hash of the bytes."""
        return sha256(self.content)

    @property
    def descriptor(self) -> Descriptor:
        """How a manifest refers to this blob."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.content)}


@lru_cache(maxsize=64)
def layer(seed: str, depth: int) -> tuple[str, bytes]:
    """Return a layer's diff id (digest of the tar) and its packed bytes.

    The base layer is the large one and belongs to the platform, not to the image: images share it,
    as they do in real registries.
    """
    chance = random.Random(seed)
    sizes = {
        0: {"bin/busybox": 400_000, "lib/libc.so.6": 300_000, "etc/os-release": 300},
        1: {"usr/lib/dependencies.zip": 60_000, "usr/share/doc/README": 2_000},
    }.get(depth, {f"app/module{depth}.bin": chance.randint(3_000, 12_000), "app/VERSION": 20})
    unpacked = io.BytesIO()
    with tarfile.open(fileobj=unpacked, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, size in sizes.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mtime, entry.mode = size, _BUILT_SECONDS, 0o755
            archive.addfile(entry, io.BytesIO(chance.randbytes(size)))
    tar = unpacked.getvalue()
    return sha256(tar), _gzip(tar)


def _gzip(content: bytes) -> bytes:
    """Wrap `content` as a gzip file of stored blocks, without name and time (RFC 1952)."""
    packed = [b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"]
    for start in range(0, len(content), 0xFFFF):
        block = content[start : start + 0xFFFF]
        is_last = start + len(block) == len(content)
        packed += [struct.pack("<BHH", is_last, len(block), len(block) ^ 0xFFFF), block]
    packed.append(struct.pack("<II", zlib.crc32(content), len(content)))
    return b"".join(packed)
