"""The digests in a manifest, as far as a registry needs them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Contents:
    """The digests that a manifest names.

    `blobs` are the config and the layers that the registry must hold, each with its media type and
    its size in bytes; `children` are the manifests that an index lists.
    """

    blobs: Mapping[str, tuple[str, int]]
    children: tuple[str, ...]


@lru_cache(maxsize=4096)
def contents(manifest: str) -> Contents:
    """Read `manifest`; raise ValueError where it is not a JSON object.

    Foreign layers are left out: a registry does not hold their bytes (OCI image
    specification, "Non-distributable layers").
    """
    document = json.loads(manifest)
    if not isinstance(document, dict):
        raise ValueError("a manifest is a JSON object")
    blobs = [*document.get("layers", ()), *filter(None, [document.get("config")])]
    return Contents(
        blobs={
            blob["digest"]: (blob["mediaType"], blob["size"])
            for blob in blobs
            if not is_foreign(blob["mediaType"])
        },
        children=tuple(child["digest"] for child in document.get("manifests", ())),
    )


def is_foreign(media_type: str) -> bool:
    """Whether a layer of this media type is never uploaded to a registry."""
    return "foreign" in media_type or "nondistributable" in media_type
