"""The cache folder outside the clone: whole files only, made by one process at a time."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.lock import hold

_UNFINISHED = "unfinished-"


@dataclass(frozen=True)
class Cache:
    """A folder that all clones of one user share. A file in it is whole, or not there."""

    folder: Path

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Cache:
        """The cache at $LAYERGUARD_CACHE, $XDG_CACHE_HOME/layerguard or ~/.cache/layerguard."""
        if own := environ.get("LAYERGUARD_CACHE"):
            return cls(Path(own).absolute())
        home = Path(environ.get("HOME") or Path.home())
        return cls(Path(environ.get("XDG_CACHE_HOME") or home / ".cache").absolute() / "layerguard")

    @contextmanager
    def workshop(self) -> Iterator[Path]:
        """A temporary folder for the one process that may add to the cache at this moment.

        Waits for another such process. The folder is gone at the end, and so is what a process
        that was killed had to leave behind.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with hold(self.folder / "lock"):
            for leftover in self.folder.glob(f"{_UNFINISHED}*"):
                shutil.rmtree(leftover, ignore_errors=True)
            folder = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=self.folder))
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def keep(self, made: Path, place: Path) -> None:
        """Moves a file out of the workshop to its place in the cache, in one step."""
        place.parent.mkdir(parents=True, exist_ok=True)
        made.replace(place)
