"""The options: AWS's global ones, and one for each member of the operation's input.

The AWS CLI reads a line in three passes: one takes the global options from wherever they stand,
one takes the operation's name, one has the operation's options. Abbreviations, ambiguities and
what is unknown follow from that, so this command has the same passes.
"""

from __future__ import annotations

import argparse
import html
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NoReturn

from botocore import xform_name
from layerguard import __version__

from layerguard_cli.batch_check.operation import Operation

INPUT_JSON = "--cli-input-json"
SKELETON = "--generate-cli-skeleton"
_SKELETONS = ("input", "output")
_CONVERSIONS: Mapping[str, Callable[[str], Any]] = {"long": int, "float": float, "double": float}


class Pass(argparse.ArgumentParser):
    """One pass over the words, with the usage of the manual in its error messages."""

    def __init__(self, manual: argparse.ArgumentParser) -> None:
        super().__init__(add_help=False)
        self._manual = manual

    def error(self, message: str) -> NoReturn:
        """End with exit code 2, as argparse does, in the name of the program."""
        self._manual.print_usage(sys.stderr)
        self.exit(2, f"layerguard: error: {message}\n")


def globals_pass(manual: argparse.ArgumentParser) -> Pass:
    """Return the first pass: the global options, and the word that names the service."""
    parser = Pass(manual)
    add_globals(parser)
    parser.add_argument("-h", "--help", action=_Help, manual=manual)
    parser.add_argument("--version", action="version", version=f"layerguard {__version__}")
    parser.add_argument("service")
    return parser


def name_pass(manual: argparse.ArgumentParser) -> Pass:
    """Return the second pass, which takes the word that names the operation."""
    parser = Pass(manual)
    parser.add_argument("operation")
    return parser


def operation_pass(
    manual: argparse.ArgumentParser, operation: Operation, words: Sequence[str]
) -> Pass:
    """Return the third pass: the operation's own options.

    The members that the model requires are required, unless ``words`` have an option that makes up
    for them, written out and as a word of its own.
    """
    parser = Pass(manual)
    wants_input = SKELETON in words and words[words.index(SKELETON) + 1 :][:1] != ["output"]
    add_operation(parser, operation, strict=not (wants_input or INPUT_JSON in words))
    parser.add_argument("help", nargs="?")
    return parser


def add_globals(parser: argparse.ArgumentParser) -> None:
    """Add the AWS CLI's global options, as far as they belong to this command."""
    add = parser.add_argument_group("global options").add_argument
    add("--debug", action="store_true", help="write a log of everything to standard error")
    add("--endpoint-url", metavar="URL", help="ask at this URL")
    add(
        "--no-verify-ssl",
        action="store_false",
        dest="verify_ssl",
        help="do not verify the server's certificate",
    )
    add("--no-paginate", action="store_false", dest="paginate", help=argparse.SUPPRESS)
    formats = _Choice("json", "text", "table")
    add(
        "--output",
        type=formats,
        choices=formats.words,
        metavar="FORMAT",
        help=f"{formats} (default: json)",
    )
    add("--query", metavar="JMESPATH", help="print what this JMESPath query finds in the answer")
    add("--profile", metavar="NAME", help="the profile of the AWS configuration to use")
    add("--region", help="the region to ask in")
    colors = _Choice("on", "off", "auto")
    add(
        "--color",
        type=colors,
        choices=colors.words,
        default="auto",
        metavar="WHEN",
        help=f"colour tables: {colors}",
    )
    add(
        "--no-sign-request",
        action="store_false",
        dest="sign_request",
        help="do not sign the request, and load no credentials",
    )
    add("--ca-bundle", metavar="FILE", help="the certificates to verify the server's with")
    add(
        "--cli-read-timeout",
        dest="read_timeout",
        metavar="SECONDS",
        help="seconds to wait for an answer (default: 60; 0: for ever)",
    )
    add(
        "--cli-connect-timeout",
        dest="connect_timeout",
        metavar="SECONDS",
        help="seconds to wait for a connection (default: 60; 0: for ever)",
    )


def add_operation(parser: argparse.ArgumentParser, operation: Operation, *, strict: bool) -> None:
    """Add an option for each member of the input, and the command's own."""
    for name, shape in operation.members.items():
        _add_member(parser, name, shape, required=strict and name in operation.required)
    parser.add_argument(
        INPUT_JSON,
        metavar="JSON",
        help="the parameters as JSON, file://PATH or fileb://PATH; an option that is given wins "
        "over its member",
    )
    parser.add_argument(
        SKELETON,
        nargs="?",
        const="input",
        type=_Choice(*_SKELETONS),
        choices=_SKELETONS,
        metavar="input|output",
        help="do not ask ECR, and print JSON to fill in for --cli-input-json, or with 'output' a "
        "sample of the answer, if the parameters are valid",
    )
    parser.add_argument(
        "--fail-on-unavailable",
        action="store_true",
        help="exit with 1 unless every digest that is asked is AVAILABLE",
    )


def option_of(name: str) -> str:
    """Return the option of the member called ``name``."""
    return "--" + destination(name).replace("_", "-")


def destination(name: str) -> str:
    """Return where the parsed value of the member called ``name`` is."""
    converted: str = xform_name(name)
    return converted


def _add_member(parser: argparse.ArgumentParser, name: str, shape: Any, *, required: bool) -> None:
    description = _plain(shape.documentation)
    if shape.type_name == "boolean":
        parser.add_argument(
            option_of(name),
            action=argparse.BooleanOptionalAction,
            required=required,
            help=description,
        )
        return
    parser.add_argument(
        option_of(name),
        nargs="*" if shape.type_name == "list" else None,
        type=_CONVERSIONS.get(shape.type_name, str),
        required=required,
        metavar=shape.type_name.upper(),
        help=description,
    )


def _plain(documentation: str) -> str:
    """Return the model's HTML as a line of help."""
    text = html.unescape(re.sub(r"<[^>]*>", "", documentation))
    return " ".join(text.split()).replace("%", "%%")


class _Help(argparse.Action):
    """Prints the manual, which has the options of all passes."""

    def __init__(self, manual: argparse.ArgumentParser, **more: Any) -> None:
        super().__init__(**more, nargs=0)
        self._manual = manual

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        self._manual.print_help()
        parser.exit()


class _Choice:
    """The type of an option that takes one of several words.

    It refuses all others itself, in the AWS CLI's words; the option's choices are for completion.
    """

    def __init__(self, *words: str) -> None:
        self.words = words

    def __str__(self) -> str:
        return ", ".join(self.words)

    def __call__(self, text: str) -> str:
        if text in self.words:
            return text
        similar = get_close_matches(text, self.words, cutoff=0.8)
        raise argparse.ArgumentTypeError("\n".join(self._refusal(text, similar)))

    def _refusal(self, text: str, similar: Iterable[str]) -> Iterable[str]:
        yield "Invalid choice, valid choices are:\n"
        for start in range(0, len(self.words), 2):
            yield " | ".join(f"{word:40}" for word in self.words[start : start + 2])
        if similar:
            yield f"\n\nInvalid choice: {text!r}, maybe you meant:\n"
            yield from (f"  * {word}" for word in similar)
