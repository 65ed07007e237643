"""Writes docs/command-line.md and docs/layerguard.1: every command's help and exit codes.

Both are generated from the parsers. ``python -m tools.command_line`` writes them, and a test fails
when they are out of date.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from layerguard import __version__
from layerguard_cli import installed, line_parser

from tools.roff import RoffFormatter, quoted, text

PAGE = Path(__file__).parent.parent / "docs" / "command-line.md"
MANUAL = PAGE.with_name("layerguard.1")
_WIDTH = 98


class _Wide(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_WIDTH)


def page() -> str:
    """Return the page, in Markdown."""
    return "\n".join(_lines()) + "\n"


def manual() -> str:
    """Return the manual page, in roff."""
    commands = installed()
    whole, own = line_parser(*commands)
    purpose, whole.description = (whole.description or "").removesuffix("."), None
    lines = [
        f'.TH LAYERGUARD 1 "" {quoted(f"layerguard {__version__}")} "User Commands"',
        *(".nh", ".ad l"),  # Words that are typed are not broken, and lines are not stretched.
        ".SH NAME",
        text("layerguard") + " \\- " + text(purpose[:1].lower() + purpose[1:]),
    ]
    for title, parser in [("SYNOPSIS", whole), *((each.prog.upper(), each) for each in own)]:
        parser.formatter_class = RoffFormatter
        lines += [f".SH {quoted(title)}", parser.format_help()]
    return "\n".join(lines) + "\n"


def _lines() -> Iterator[str]:
    commands = installed()
    whole, own = line_parser(*commands)
    yield from ("# The command line", "")
    yield "Written by `python -m tools.command_line` from the commands themselves; a test holds it."
    yield from _section("layerguard", whole)
    for command, parser in zip(commands, own, strict=True):
        yield from _section(f"layerguard {command.name}", parser)


def _section(title: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    yield from ("", f"## {title}", "", "```text", _help(parser).rstrip(), "```")


def _help(parser: argparse.ArgumentParser) -> str:
    """Return the help as wide as the page, whatever the terminal is."""
    parser.formatter_class = _Wide
    return parser.format_help()


def main() -> None:
    """Write both."""
    PAGE.write_text(page(), encoding="utf-8")
    MANUAL.write_text(manual(), encoding="utf-8")


if __name__ == "__main__":
    main()
