"""Places: files, folders and standard input, and the sources that are in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from layerguard_cli.sources.content import Content, is_regular, read_file
from layerguard_cli.sources.folders import Entry, entries_of
from layerguard_cli.sources.form import Context
from layerguard_cli.sources.recognition import read_content
from layerguard_cli.sources.seeming import seeming_of
from layerguard_cli.sources.shard import Shard
from layerguard_cli.sources.source import NotASource, Source, SourceKind, SourceUnreadable

STDIN = "-"
_NOTED = 20  # files of a folder that are left out, each with its own note


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads places: ``stdin`` returns all of standard input.

    ``note`` is called with a sentence for what is left out and names no host of ECR. Of all places
    and files only those of the ``shard`` are read.
    """

    stdin: Callable[[], bytes]
    environment: Mapping[str, str]
    note: Callable[[str], None]
    shard: Shard = field(default_factory=Shard)

    def read(self, place: str) -> Iterator[tuple[str, Source]]:
        """Yield the source at ``place``, or each one in a folder and the folders in it.

        Each comes with its own place. One that cannot be read is a source with a problem. So is
        a file of a folder that is left out and names a host of ECR.
        """
        if place != STDIN and _is_folder(place):
            yield from self._folder(place)
            return
        if not self.shard.takes(place):
            return
        try:
            content = Content.of(self.stdin()) if place == STDIN else read_file(place)
            source = read_content(content, self._context(place))
        except OSError as error:
            yield place, unreadable(place, _cannot(error))
        except SourceUnreadable as error:
            yield place, unreadable(place, _named(place, error, content))
        else:
            self._note_all(place, source)
            yield place, source

    def _folder(self, folder: str) -> Iterator[tuple[str, Source]]:
        covered: set[str] = set()
        left_out = files = 0
        for entry in entries_of(folder):
            if entry.path in covered:
                continue
            files += entry.is_file
            if not self.shard.takes(entry.unit):
                continue
            source = None
            try:
                source = self._entry(entry)
            except NotASource as error:
                left_out += 1
                if left_out <= _NOTED:
                    self.note(f"{entry.path} is left out. {error}")
            if source is not None:
                covered |= {str(Path(entry.path).parent / each) for each in source.covers}
                self._note_all(entry.path, source)
                yield entry.path, source
        if left_out > _NOTED:
            more = left_out - _NOTED
            self.note(f"{folder}: {more:,} more files are left out; none names a host of ECR.")
        if not files:
            problem = SourceUnreadable("The folder has no file in it.")
            yield folder, unreadable(folder, problem)

    def _entry(self, entry: Entry) -> Source | None:
        """Return the source in a file of a folder, None where there is nothing to say about it.

        Raises NotASource for what is left out and names no host of ECR.
        """
        if entry.problem:
            return unreadable(entry.path, SourceUnreadable(entry.problem))
        if entry.note:
            raise NotASource(entry.note)
        try:
            if not is_regular(entry.path):
                raise NotASource("It is a pipe, a socket or a device.")
            content = read_file(entry.path)
        except OSError as error:
            return unreadable(entry.path, _cannot(error))
        if not (entry.may_be_source or content.mentions):
            return None
        try:
            return read_content(content, self._context(entry.path))
        except SourceUnreadable as error:
            if content.mentions:
                return unreadable(entry.path, _named(entry.path, error, content))
            raise NotASource(str(error)) from error

    def _context(self, place: str) -> Context:
        folder = None if place == STDIN else Path(place).parent
        return Context(place, self.environment, partial(_beside, folder))

    def _note_all(self, place: str, source: Source) -> None:
        for each in source.notes[:_NOTED]:
            self.note(f"{place}: {each}")
        if len(source.notes) > _NOTED:
            self.note(f"{place}: {len(source.notes) - _NOTED:,} more of it is left out so.")


def unreadable(name: str, error: SourceUnreadable) -> Source:
    """Return the source of which nothing could be read."""
    return Source(name, SourceKind.UNREADABLE, (), (str(error),))


def _cannot(error: OSError) -> SourceUnreadable:
    return SourceUnreadable(f"It cannot be read: {error.strerror}.")


def _named(path: str, error: SourceUnreadable, content: Content) -> SourceUnreadable:
    """Return ``error`` with what the file seems to be, and where it names a host of ECR."""
    if not content.mentions:
        return error
    line = f" in line {content.line:,}" if content.line else ""
    seems = seeming_of(path, content)
    return SourceUnreadable(f"{error} It names a host of ECR{line}, and seems to be {seems}.")


def _beside(folder: Path | None, name: str) -> bytes | None:
    """Return the bytes of the file ``name`` in ``folder``, which it does not lead out of."""
    if folder is None or Path(name).is_absolute() or ".." in Path(name).parts:
        return None
    try:
        path = str(folder / name)
        content = read_file(path) if is_regular(path) else None
    except (OSError, ValueError):
        return None
    return None if content is None or content.cut else content.data


def _is_folder(place: str) -> bool:
    try:
        return Path(place).is_dir()
    except OSError:  # reading it will raise the same error
        return False
