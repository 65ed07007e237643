"""Places: files, folders and standard input, and the sources that are in them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from layerguard_cli.sources.recognition import read_bytes
from layerguard_cli.sources.source import NotASource, Source, SourceKind, SourceUnreadable

STDIN = "-"
_SUFFIXES = (".json", ".jsonl", ".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads places: ``stdin`` returns all of standard input.

    ``note`` is called with a sentence for each file of a folder that is left out.
    """

    stdin: Callable[[], bytes]
    environment: Mapping[str, str]
    note: Callable[[str], None]

    def read(self, place: str) -> Iterator[tuple[str, Source]]:
        """Yield the source at ``place``, or each one in a folder and the folders in it.

        Each comes with its own place. One that cannot be read is a source with a problem.
        """
        if place == STDIN or not _is_folder(place):
            try:
                yield place, self._source(place)
            except SourceUnreadable as error:
                yield place, unreadable(place, error)
            return
        found = False
        errors: list[OSError] = []
        for path in _files(place, errors.append):
            try:
                yield str(path), self._source(str(path))
            except NotASource as error:
                self.note(f"{path} is left out. {error}")
                continue
            except SourceUnreadable as error:
                yield str(path), unreadable(str(path), error)
            found = True
        for each in errors:
            problem = f"It cannot be read: {each.strerror}."
            yield str(each.filename), unreadable(str(each.filename), SourceUnreadable(problem))
        if not found:
            wanted = f"{', '.join(_SUFFIXES[:-1])} or {_SUFFIXES[-1]}"
            problem = f"The folder has no source in a file that ends in {wanted}."
            yield place, Source(place, SourceKind.UNREADABLE, (), (problem,))

    def _source(self, place: str) -> Source:
        try:
            content = self.stdin() if place == STDIN else Path(place).read_bytes()
        except OSError as error:
            raise SourceUnreadable(f"It cannot be read: {error.strerror}.") from error
        return read_bytes(place, content, self.environment)


def unreadable(name: str, error: SourceUnreadable) -> Source:
    """Return the source of which nothing could be read."""
    return Source(name, SourceKind.UNREADABLE, (), (str(error),))


def _files(folder: str, failed: Callable[[OSError], None]) -> Iterable[Path]:
    """Return the files in a folder that may be sources, except what begins with a dot."""
    found: list[Path] = []
    for path, folders, names in os.walk(folder, onerror=failed):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += (Path(path, name) for name in names if not name.startswith("."))
    return sorted(path for path in found if path.suffix.lower() in _SUFFIXES)


def _is_folder(place: str) -> bool:
    try:
        return Path(place).is_dir()
    except OSError:  # reading it will raise the same error
        return False
