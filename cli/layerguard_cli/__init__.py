"""The command line: a table of commands, one module a command.

A command's module is imported when its command is given and not before: ``layerguard --version``
answers without boto3. Each has ``add_arguments(parser)`` and ``run(arguments, stdin, stdout,
stderr)``, which returns the exit code.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import NoReturn, Protocol, TextIO, cast

from layerguard import __version__, log
from layerguard.bug import bug_text, log_bug
from layerguard.legible import legible_line

from layerguard_cli.exits import INTERRUPTED, READER_GONE, UNDETERMINED, USAGE, explain
from layerguard_cli.terminal import note, standard_streams

_EXAMPLES = """\
examples:
  layerguard check 123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:1.4.2
  layerguard check --platform linux/arm64 - <references.txt
  layerguard COMMAND --help"""


@dataclass(frozen=True, slots=True)
class Command:
    """A command: its name, its line in the help, and its module, relative to this package.

    One that ``parses_words`` gets the words of the whole command line, with the parser that has its
    help, and parses them itself.
    """

    name: str
    help: str
    module: str
    parses_words: bool = False


COMMANDS = (
    Command("check", "check images by reference", ".check"),
    Command("audit", "check every image of stacks, previews, manifests and lists", ".audit"),
    Command(
        "batch-check-layer-availability",
        "ask ECR about layers, as the AWS CLI's command of this name does",
        ".batch_check",
        parses_words=True,
    ),
    Command("report", "join reports of audits, and show them in any format", ".report"),
    Command("completion", "print the completion script of a shell", ".completion"),
    Command("sandbox", "start a stand-in for ECR on this machine", "layerguard_sandbox.command"),
)


class CommandModule(Protocol):
    """The module of a command."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's description, options, arguments and, as its epilog, examples."""

    def run(
        self, arguments: argparse.Namespace, stdin: TextIO, stdout: TextIO, stderr: TextIO
    ) -> int:
        """Run the command and return its exit code."""


class _Parser(argparse.ArgumentParser):
    """A parser, and those of its commands, whose error messages are legible whatever was typed."""

    def error(self, message: str) -> NoReturn:
        """End with the usage and ``message``, and the exit code of wrong usage."""
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: error: {legible_line(message)}\n")


class NotInstalled(Exception):
    """The module of a command is not part of this installation."""

    def __init__(self, command: Command) -> None:
        super().__init__(
            f"'{command.name}' is not in this installation: install 'layerguard[sandbox]'."
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Nothing leaves a traceback: not Ctrl-C, not a reader of the output that goes away, and no bug,
    which is not the exit code of an unavailable image either.
    """
    with standard_streams():
        return _guarded(list(sys.argv[1:] if arguments is None else arguments))


def _guarded(words: list[str]) -> int:
    try:
        try:
            return _run(words)
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return READER_GONE
    except OSError as error:
        note(f"{error}.", sys.stderr)
        return UNDETERMINED
    except Exception as error:
        text = bug_text("in the command line", error)
        log_bug(text, error)
        note(f"internal-error: {text}", sys.stderr)
        return UNDETERMINED
    finally:
        log.log_to(None)


def line_parser(*named: Command) -> tuple[argparse.ArgumentParser, list[argparse.ArgumentParser]]:
    """Return the parser of the whole line, and those of the commands that are ``named``.

    Only these are complete. Raises NotInstalled if the module of one is not installed.
    """
    parser = _Parser(
        "layerguard",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Proves that every layer of an Amazon ECR image is there.",
        epilog=_EXAMPLES,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    complete: list[argparse.ArgumentParser] = []
    for command in COMMANDS:
        own = commands.add_parser(command.name, help=command.help)
        if command in named:
            own.formatter_class = argparse.RawDescriptionHelpFormatter
            _module(command).add_arguments(own)
            own.epilog = f"{(own.epilog or '').rstrip()}\n\n{explain(command.name)}"
            complete.append(own)
    return parser, complete


def installed() -> tuple[Command, ...]:
    """Return the commands whose modules are installed."""
    return tuple(command for command in COMMANDS if _is_installed(command))


def _run(words: list[str]) -> int:
    named = next((each for word in words for each in COMMANDS if word == each.name), None)
    try:
        parser, own = line_parser(*((named,) if named else ()))
    except NotInstalled as error:
        note(str(error), sys.stderr)
        return UNDETERMINED
    if named and named.parses_words and (words[0] == named.name or words[0].startswith("-")):
        options = argparse.Namespace(command=named.name, words=words, parser=own[0])
    else:
        options = parser.parse_args(words)
        named = next(each for each in COMMANDS if each.name == options.command)
    if hasattr(options, "verbose"):
        environment = {**os.environ, log.VARIABLE: "debug"} if options.verbose else os.environ
        log.begin(environment)
    return _module(named).run(options, sys.stdin, sys.stdout, sys.stderr)


def _module(command: Command) -> CommandModule:
    try:
        return cast("CommandModule", import_module(command.module, __name__))
    except ModuleNotFoundError as error:
        if f"{command.module}.".startswith(f"{error.name}."):
            raise NotInstalled(command) from error
        raise


def _is_installed(command: Command) -> bool:
    try:
        return bool(_module(command))
    except NotInstalled:
        return False
