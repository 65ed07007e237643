"""The files of a folder and of the folders in it, in one order, without links in circles."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SOURCES = (
    ".gz",
    ".json",
    ".jsonl",
    ".ndjson",
    ".template",
    ".tfstate",
    ".yaml",
    ".yml",
)
# Repositories of version control: what is in them is packed, and was or is somewhere else, too.
_VERSION_CONTROL = (".git", ".hg", ".svn")
# Beside the stacks, a self-managed backend of Pulumi keeps what they were before, and so does
# Terraform beside its state.
_FORMER_STATES = ("backups", "history", "locks")
_BACKEND = ".pulumi"
_FORMER = (".json.bak", ".json.gz.bak", ".tfstate.backup")
_MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a folder, or a ``problem`` or a ``note`` about what is at ``path`` instead.

    ``assembly`` is its folder where that is a cloud assembly, whose files are read together.
    """

    path: str
    problem: str = ""
    note: str = ""
    assembly: str = ""

    @property
    def unit(self) -> str:
        """What is read together with it, by a path."""
        return self.assembly or self.path

    @property
    def is_file(self) -> bool:
        """Whether there is a file to read."""
        return not (self.problem or self.note)

    @property
    def may_be_source(self) -> bool:
        """Whether files with such a name usually are sources."""
        return self.path.lower().endswith(_SOURCES)


def entries_of(folder: str) -> Iterator[Entry]:
    """Yield each file below ``folder``, by its path, and then what cannot be read of it.

    In its own folder the manifest of a cloud assembly goes before the files that it names. A link
    to a folder is not followed: one within ``folder`` is read at its own place.
    """
    root = os.path.realpath(folder)
    files: list[Path] = []
    others: list[Entry] = []

    def failed(error: OSError) -> None:
        others.append(Entry(str(error.filename), problem=f"It cannot be read: {error.strerror}."))

    for path, folders, names in os.walk(folder, onerror=failed):
        files += (Path(path, name) for name in names)
        for name in list(folders):
            whole = Path(path, name)
            is_former = name in _FORMER_STATES and whole.parent.name == _BACKEND
            if name in _VERSION_CONTROL:
                folders.remove(name)
            elif is_former:
                folders.remove(name)
                others.append(Entry(str(whole), note="It has former states of stacks."))
            elif whole.is_symlink() and not _is_within(os.path.realpath(whole), root):
                note = "It is a link to a folder elsewhere: give that as a source of its own."
                others.append(Entry(str(whole), note=note))
    assemblies = {path.parent for path in files if path.name == _MANIFEST}
    for file in sorted(files, key=_order):
        note = "It is the former state of a stack." if file.name.endswith(_FORMER) else ""
        assembly = str(file.parent) if file.parent in assemblies else ""
        yield Entry(str(file), note=note, assembly=assembly)
    yield from others


def _order(path: Path) -> Path:
    return path.parent if path.name == _MANIFEST else path


def _is_within(path: str, root: str) -> bool:
    return path == root or path.startswith(f"{root.rstrip(os.sep)}{os.sep}")
