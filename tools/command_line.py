"""Writes docs/command-line.md: every command's help and exit codes, from the parsers themselves.

``python -m tools.command_line`` writes it, and a test fails when it is not what the parsers say.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from layerguard.cli import installed, line_parser

PAGE = Path(__file__).parent.parent / "docs" / "command-line.md"
_WIDTH = 98


class _Wide(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_WIDTH)


def page() -> str:
    """Return the page, in Markdown."""
    return "\n".join(_lines()) + "\n"


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
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
