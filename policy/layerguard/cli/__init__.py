"""The command line: a table of commands, one module a command.

A command's module is imported when its command is given and not before: ``layerguard --version``
answers without boto3. Each has ``add_arguments(parser)`` and ``run(arguments, stdin, stdout,
stderr)``, which returns the exit code.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, TextIO, cast

from layerguard import __version__


@dataclass(frozen=True, slots=True)
class Command:
    """A command: its name, its line in the help, and its module in this package.

    One that ``reads_words`` has rules of its own for them: it is handed the words of the whole
    line, with the parser that knows its help.
    """

    name: str
    help: str
    module: str
    reads_words: bool = False


COMMANDS = (
    Command("check", "check images by reference", "check"),
    Command(
        "batch-check-layer-availability",
        "ask ECR about layers, as the AWS CLI's command of this name does",
        "batch_check",
        reads_words=True,
    ),
)


class CommandModule(Protocol):
    """What the module of a command has."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's description, options and arguments."""

    def run(
        self, arguments: argparse.Namespace, stdin: TextIO, stdout: TextIO, stderr: TextIO
    ) -> int:
        """Run the command and return its exit code."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    named = next((each for word in words for each in COMMANDS if word == each.name), None)
    parser, own = _parsers(named)
    if named and named.reads_words and (words[0] == named.name or words[0].startswith("-")):
        options = argparse.Namespace(command=named.name, words=words, parser=own)
    else:
        options = parser.parse_args(words)
        named = next(each for each in COMMANDS if each.name == options.command)
    return _module(named).run(options, sys.stdin, sys.stdout, sys.stderr)


def _parsers(
    named: Command | None,
) -> tuple[argparse.ArgumentParser, argparse.ArgumentParser | None]:
    """Return the parser of the whole line, and the one of the command that is named in it."""
    parser = argparse.ArgumentParser(
        "layerguard", description="Proves that every layer of an Amazon ECR image is there."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    own = None
    for command in COMMANDS:
        added = commands.add_parser(command.name, help=command.help)
        if command == named:
            own = added
            _module(command).add_arguments(own)
    return parser, own


def _module(command: Command) -> CommandModule:
    return cast("CommandModule", import_module(f"{__name__}.{command.module}"))
