"""A file that is written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def why_not_writable(path: Path) -> str | None:
    """Return why nothing can be written to ``path``; None if no reason is known yet."""
    try:
        if path.is_dir():
            return f"{path} is a folder"
        if not path.resolve().parent.is_dir():
            return f"there is no folder {path.parent}"
    except OSError as error:
        return f"{path}: {error.strerror}"
    return None


def write_whole(path: Path, pieces: Iterable[str]) -> None:
    """Write ``pieces`` in UTF-8 to ``path``, whose content stays as it is until all is written.

    A device or a pipe is written to as it is. Raises OSError where it cannot be written.
    """
    target = path.resolve()
    if target.exists() and not target.is_file():
        with target.open("w", encoding="utf-8") as file:
            file.writelines(pieces)
        return
    mode = target.stat().st_mode & 0o7777 if target.exists() else 0o666 & ~_umask()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.writelines(pieces)
        Path(name).chmod(mode)
        Path(name).replace(target)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def _umask() -> int:
    """Return the mask of the process, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
