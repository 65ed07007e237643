"""Help as a manual page: a formatter for argparse that writes roff.

Source of the macros: groff_man(7); only those are used that mandoc knows too.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Iterator

_ROW = re.compile(r"  (\d+) +(.*)")


class RoffFormatter(argparse.HelpFormatter):
    """Writes usage, description, groups of options and epilog of one parser, for one section.

    In an epilog, a line at the margin that ends with a colon is a heading, indented lines stay as
    they are, and a row that begins with a number is an exit code.
    """

    def __init__(self, prog: str) -> None:
        # The reader of a manual breaks lines itself.
        super().__init__(prog, width=10_000)
        self._written: list[str] = []

    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[argparse._MutuallyExclusiveGroup],
        prefix: str | None = None,  # noqa: ARG002 (it has a heading instead)
    ) -> None:
        """Write how the command is called, its name in bold."""
        line = self._format_usage(usage, actions, groups, "").strip()
        words = line.removeprefix(self._prog).strip()
        self._written += [f".B {text(self._prog)}", text(words)]

    def start_section(self, heading: str | None) -> None:
        """Begin a group of options."""
        self._written.append(f".SS {quoted((heading or '').capitalize())}")

    def end_section(self) -> None:
        """End a group, whose heading goes where nothing is in it."""
        if self._written[-1].startswith(".SS "):
            self._written.pop()

    def add_text(self, words: str | None) -> None:
        """Write a description or an epilog."""
        for block in (words or "").strip("\n").split("\n\n"):
            self._written += _block(block.splitlines())

    def add_argument(self, action: argparse.Action) -> None:
        """Write an option, or the commands that there are, each with its help."""
        if action.help is argparse.SUPPRESS:
            return
        for each in list(self._iter_indented_subactions(action)) or [action]:
            self._written += [".TP", f".B {text(self._format_action_invocation(each))}"]
            self._written.append(text(self._expand_help(each) if each.help else ""))

    def format_help(self) -> str:
        """Return what was written."""
        return "\n".join(self._written)


def text(words: str) -> str:
    """Return ``words`` as a line that roff prints as it is."""
    escaped = words.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped[:1] in (".", "'") else escaped


def quoted(words: str) -> str:
    """Return ``words`` as one argument of a macro."""
    return '"' + text(words).replace('"', '""') + '"'


def _block(lines: list[str]) -> Iterator[str]:
    if lines and re.fullmatch(r"\S.*:", lines[0]):
        yield f".SS {quoted(lines.pop(0)[:-1].capitalize())}"
    if all(_ROW.fullmatch(line) for line in lines):
        for code, meaning in (line.split(maxsplit=1) for line in lines):
            yield from (".TP", f".B {code}", text(meaning))
    elif lines[0].startswith(" "):
        yield from (".nf", *map(text, lines), ".fi")
    else:
        yield from (".PP", text(" ".join(lines)))
