"""The prefetch file: what a preview leaves for the update that follows it.

An update asks the policy pack about one resource at a time, and waits. With this file the pack asks
about all of the stack's images as soon as it knows as whom. It only ever warms: every verdict is
of the update's own questions.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from layerguard.checking.backend import CheckRequest
from layerguard.errors import ReferenceInvalid
from layerguard.identity import Identity
from layerguard.platform import Platform
from layerguard.reference import ImageReference

_VERSION = 1
# Seconds: long enough for a person to read a preview, short enough to be about the same program.
LIFETIME = 3600.0
# The pack's environment says which stack it is. Source: the engine's "policy pack" plugin context.
_STACK = ("PULUMI_ORGANIZATION", "PULUMI_PROJECT", "PULUMI_STACK")


@dataclass(frozen=True, slots=True)
class Prefetch:
    """Images that may be asked about, each with a fingerprint of the identity that asked.

    A fingerprint tells nothing to somebody who does not have the identity: it is a hash, salted
    for each file, of what is no secret.
    """

    salt: str = ""
    images: tuple[tuple[ImageReference, Platform | None, str], ...] = ()

    @classmethod
    def of(cls, subjects: Iterable[CheckRequest]) -> Prefetch:
        """Return the prefetch of ``subjects``."""
        salt = secrets.token_hex(16)
        prints = Fingerprints(salt)
        images = ((each.reference, each.platform, prints[each.identity]) for each in subjects)
        return cls(salt, tuple(dict.fromkeys(images)))

    def leading(self, identity: Identity) -> tuple[CheckRequest, ...]:
        """Return what to ask as ``identity``."""
        wanted = Fingerprints(self.salt)[identity]
        return tuple(
            CheckRequest(identity, reference, platform)
            for reference, platform, fingerprint in self.images
            if fingerprint == wanted
        )


class Fingerprints(dict[Identity, str]):
    """The fingerprint of each identity, made when it is asked for."""

    def __init__(self, salt: str) -> None:
        super().__init__()
        self._salt = salt

    def __missing__(self, identity: Identity) -> str:
        # An identity's text has no key, no token and no external id in it.
        key = identity.keys.access_key if identity.keys else ""
        told = json.dumps([self._salt, repr(identity), key])
        self[identity] = hashlib.sha256(told.encode()).hexdigest()
        return self[identity]


class PrefetchFile:
    """The prefetch of one stack in the user's cache folder, for its owner alone.

    Whatever goes wrong with it, there is no prefetch: an update is then merely slower.
    """

    def __init__(self, path: Path | None, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> PrefetchFile:
        """Return the file of the stack that the engine names in ``environment``."""
        names = [environment.get(name) for name in _STACK]
        if not any(names):
            return cls(None)
        told = hashlib.sha256(json.dumps(names).encode()).hexdigest()
        return cls(_cache_folder(environment) / "trails" / f"{told[:32]}.json")

    def write(self, prefetch: Prefetch) -> None:
        """Keep ``prefetch`` for an hour."""
        if self._path is None:
            return
        document = {
            "version": _VERSION,
            "written": self._clock(),
            "salt": prefetch.salt,
            "images": [
                [str(reference), str(platform) if platform else None, fingerprint]
                for reference, platform, fingerprint in prefetch.images
            ],
        }
        with suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._drop_old()
            handle, made = tempfile.mkstemp(dir=self._path.parent)  # readable by its owner alone
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(document, file)
            Path(made).replace(self._path)

    def read(self) -> Prefetch:
        """Return the prefetch, or an empty one where there is none that is young enough."""
        if self._path is None:
            return Prefetch()
        try:
            document = json.loads(self._path.read_text(encoding="utf-8"))
            age = self._clock() - document["written"]
            if document["version"] != _VERSION or not 0 <= age <= LIFETIME:
                return Prefetch()
            return Prefetch(str(document["salt"]), tuple(map(_image, document["images"])))
        except (OSError, ValueError, KeyError, TypeError, ReferenceInvalid):
            return Prefetch()

    def _drop_old(self) -> None:
        assert self._path
        for other in self._path.parent.iterdir():
            if self._clock() - other.stat().st_mtime > LIFETIME:
                other.unlink(missing_ok=True)


def _image(entry: list[str | None]) -> tuple[ImageReference, Platform | None, str]:
    text, platform, fingerprint = entry
    reference = ImageReference.parse(str(text))
    if reference is None:
        raise ReferenceInvalid(f"'{text}' is not in private ECR.")
    return reference, Platform.parse(platform) if platform else None, str(fingerprint)


def _cache_folder(environment: Mapping[str, str]) -> Path:
    if own := environment.get("LAYERGUARD_CACHE"):
        return Path(own)
    cache = environment.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "layerguard"
