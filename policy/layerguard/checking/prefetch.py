"""The prefetch file: which images a preview asked about, for the update that follows it.

An update asks the policy pack about one resource at a time, and waits. With this file the pack asks
about all of the stack's images as soon as it knows their identities. It only saves time: every
verdict is of the update's own questions.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import secrets
import stat
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layerguard.bug import error_text
from layerguard.checking.backend import CheckRequest
from layerguard.identity import Identity
from layerguard.platform import Platform
from layerguard.reference import ImageReference

_log = logging.getLogger("layerguard.checking")

LIFETIME = 3600.0
"""Seconds: long enough for a person to read a preview, short enough to be about one program."""
MAX_BYTES = 4_000_000
MAX_IMAGES = 10_000
# The pack's environment names the stack. Source: the engine's "policy pack" plugin context.
_STACK = ("PULUMI_ORGANIZATION", "PULUMI_PROJECT", "PULUMI_STACK")
# The only names that are ever deleted.
_OWN_NAME = re.compile(r"[0-9a-f]{32}\.json(\.[0-9a-z_]{8})?")
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class Prefetch:
    """Images that may be asked about, each with a fingerprint of the identity that asked.

    A fingerprint is a salted hash without any secret; only an equal identity has the same.
    """

    salt: str = ""
    images: tuple[tuple[ImageReference, Platform | None, str], ...] = ()

    @classmethod
    def of(cls, requests: Iterable[CheckRequest]) -> Prefetch:
        """Return the prefetch of ``requests``, of the first ``MAX_IMAGES`` where there are more."""
        salt = secrets.token_hex(16)
        prints = _Fingerprints(salt)
        images = ((each.reference, each.platform, prints[each.identity]) for each in requests)
        return cls(salt, tuple(dict.fromkeys(images))[:MAX_IMAGES])

    def requests_for(self, identity: Identity) -> tuple[CheckRequest, ...]:
        """Return what ``identity`` asked."""
        wanted = _Fingerprints(self.salt)[identity]
        return tuple(
            CheckRequest(identity, reference, platform)
            for reference, platform, fingerprint in self.images
            if fingerprint == wanted
        )


class _Fingerprints(dict[Identity, str]):
    """The fingerprint of each identity, made when it is needed."""

    def __init__(self, salt: str) -> None:
        super().__init__()
        self._salt = salt

    def __missing__(self, identity: Identity) -> str:
        # The repr of an identity has no key, no token and no external id in it.
        key = identity.keys.access_key if identity.keys else ""
        encoded = json.dumps([self._salt, repr(identity), key]).encode()
        self[identity] = hashlib.sha256(encoded).hexdigest()
        return self[identity]


class PrefetchFile:
    """The prefetch of one stack in the user's cache folder, readable by its owner alone.

    Whatever is wrong with the file or its folder, there is no prefetch: the update is then merely
    slower. A file that another user owns or may write is never read.
    """

    def __init__(self, path: Path | None, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> PrefetchFile:
        """Return the file of the stack that the engine names in ``environment``."""
        names = [environment.get(name) for name in _STACK]
        folder = _cache_folder(environment)
        if folder is None or not any(names):
            return cls(None)
        encoded = json.dumps(names).encode()
        return cls(folder / "prefetch" / f"{hashlib.sha256(encoded).hexdigest()[:32]}.json")

    def write(self, prefetch: Prefetch) -> None:
        """Keep ``prefetch`` for ``LIFETIME``."""
        if self._path is None:
            return
        document = {
            "version": 2,
            "written": self._clock(),
            "salt": prefetch.salt,
            "images": [
                [str(reference), _platform_to_json(platform), fingerprint]
                for reference, platform, fingerprint in prefetch.images
            ],
        }
        try:
            folder = self._path.parent
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._delete_old(folder)
            handle, name = tempfile.mkstemp(prefix=f"{self._path.name}.", dir=folder)
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump(document, file)
                Path(name).replace(self._path)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
        except (OSError, ValueError) as error:  # a path may have a character that none can have
            _log.warning("No prefetch file can be written: %s", error)
        else:
            _log.info(
                "For the next update, %d images were written to %s",
                len(prefetch.images),
                self._path,
            )

    def read(self) -> Prefetch:
        """Return the prefetch, an empty one where there is none that is valid and young enough."""
        if self._path is None:
            return Prefetch()
        try:
            prefetch = self._parse(json.loads(_read_own_file(self._path)))
        except FileNotFoundError:
            _log.info("There is no prefetch file %s", self._path)
        except Exception as error:  # any other program of this user may have written anything
            _log.warning("The prefetch file is ignored: %s", error_text(error))
        else:
            _log.info(
                "From the preview before, %d images were read from %s",
                len(prefetch.images),
                self._path,
            )
            return prefetch
        return Prefetch()

    def _parse(self, document: Any) -> Prefetch:
        match document:
            case {
                "version": 2,
                "written": int() | float() as written,
                "salt": str(salt),
                "images": [*images],
            }:
                age = self._clock() - written
                if 0 <= age <= LIFETIME:
                    return Prefetch(salt, tuple(map(_image_of_json, images[:MAX_IMAGES])))
                raise ValueError(f"It is {age:.0f} s old, and no more than {LIFETIME:.0f} s count.")
        raise ValueError("It is not a document of this version.")

    def _delete_old(self, folder: Path) -> None:
        with os.scandir(folder) as entries:
            own = [entry for entry in entries if _OWN_NAME.fullmatch(entry.name)]
        for entry in own:
            with suppress(OSError):  # another pack may delete it too
                status = entry.stat(follow_symlinks=False)
                is_old = self._clock() - status.st_mtime > LIFETIME
                if is_old and stat.S_ISREG(status.st_mode):
                    Path(entry.path).unlink()


def _read_own_file(path: Path) -> bytes:
    """Return the content of a file that is this user's alone; raise OSError otherwise."""
    if not _is_own(path.parent.stat()):
        raise PermissionError(f"{path.parent} is not a folder of this user alone.")
    # A pipe or a device must not block, and a link must not lead elsewhere.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(handle)
        is_small_file = stat.S_ISREG(status.st_mode) and status.st_size <= MAX_BYTES
        if not (is_small_file and _is_own(status)):
            raise PermissionError(f"{path} is not a small regular file of this user alone.")
        return file.read(MAX_BYTES)


def _is_own(status: os.stat_result) -> bool:
    return status.st_uid == os.getuid() and not status.st_mode & _OTHERS_MAY_WRITE


def _platform_to_json(platform: Platform | None) -> list[str | None] | None:
    if platform is None:
        return None
    return [platform.os, platform.architecture, platform.variant, platform.os_version]


def _image_of_json(entry: Any) -> tuple[ImageReference, Platform | None, str]:
    match entry:
        case [str(text), platform, str(fingerprint)]:
            reference = ImageReference.parse(text)
            if reference:
                return reference, _platform_of_json(platform), fingerprint
    raise ValueError("An entry is not a reference to private ECR, a platform and a fingerprint.")


def _platform_of_json(value: Any) -> Platform | None:
    match value:
        case None:
            return None
        case [str(os_), str(architecture), str() | None as variant, str() | None as version]:
            return Platform(os_, architecture, variant, version)
    raise ValueError("A platform is not four texts.")


def _cache_folder(environment: Mapping[str, str]) -> Path | None:
    if own := environment.get("LAYERGUARD_CACHE"):
        return Path(own)
    if cache := environment.get("XDG_CACHE_HOME"):
        return Path(cache) / "layerguard"
    try:
        return Path.home() / ".cache" / "layerguard"
    except RuntimeError:  # a user without a passwd entry and without HOME
        return None
