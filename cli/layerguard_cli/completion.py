"""``layerguard completion``: the script that completes the command line in a shell."""

from __future__ import annotations

import argparse
from typing import TextIO

_SHELLS = ("bash", "zsh", "fish")

_DESCRIPTION = """\
Prints the script with which a shell completes commands and options. It is made of the commands of
this version: print it again after an update."""

_EXAMPLES = """\
examples:
  layerguard completion bash >~/.local/share/bash-completion/completions/layerguard
  layerguard completion zsh >~/.zfunc/_layerguard
  layerguard completion fish >~/.config/fish/completions/layerguard.fish

The folder for zsh is any that is in its fpath before it calls compinit."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the shell."""
    parser.description = _DESCRIPTION
    parser.epilog = _EXAMPLES
    parser.add_argument(
        "shell", choices=_SHELLS, metavar="SHELL", help=f"the shell: {', '.join(_SHELLS)}"
    )


def run(arguments: argparse.Namespace, _stdin: TextIO, stdout: TextIO, _stderr: TextIO) -> int:
    """Print the script and return the exit code."""
    import shtab

    from layerguard_cli import installed, line_parser

    commands = installed()
    parser, own = line_parser(*commands)
    for command, each in zip(commands, own, strict=True):
        # A shell shows one line beside a command.
        each.description = command.help
    print(shtab.complete(parser, arguments.shell), file=stdout)
    return 0
