"""``layerguard audit``: every image that stacks, previews, manifests and lists name."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from layerguard.identity import ORDINARY
from layerguard.verdict import State

from layerguard_cli.audit.whole_file import refusal
from layerguard_cli.aws_options import add_identity_options, identity_of
from layerguard_cli.exits import INTERRUPTED, UNDETERMINED, exit_code
from layerguard_cli.platform_options import add_platform_options

_TABLE = "table"
_FORMATS = (_TABLE, "json", "junit", "sarif", "markdown", "html")

_DESCRIPTION = """\
Reads what stacks reference and checks every image: what pulumi stack export and pulumi preview
--json print, Kubernetes manifests in YAML or JSON, and lists with a reference a line. What a file
is, its content says. Every resource is asked about as its own provider, as the policy pack asks.
A folder is read with the folders in it: every file that ends in .json, .jsonl, .yaml or .yml."""

_EXAMPLES = """\
examples:
  layerguard audit exports/
  layerguard audit --stack acme/shop/production --stack acme/shop/staging
  pulumi preview --json --show-sames | layerguard audit --format markdown -
  helm template charts/shop | layerguard audit --platform linux/arm64 -
  layerguard audit --role-arn arn:aws:iam::123456789012:role/auditor exports/
  layerguard audit --format sarif --out layerguard.sarif exports/ deploy.yaml references.txt"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sources, and what is made of them."""
    parser.description = _DESCRIPTION
    parser.epilog = _EXAMPLES
    parser.add_argument(
        "sources",
        nargs="*",
        metavar="SOURCE",
        help="a file or a folder; - is standard input",
    )
    parser.add_argument(
        "--stack",
        action="append",
        default=[],
        metavar="NAME",
        help="a running stack, whose state pulumi stack export gives; its secrets stay encrypted; "
        "can be given again",
    )
    parser.add_argument(
        "--format", choices=_FORMATS, default=_TABLE, help="what to print (default: table)"
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="list what is available or skipped in the table, too",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="write it to a file, whole or not at all, and nothing to standard output",
    )
    add_platform_options(
        parser,
        one="the platform of the images whose source does not say on which they run",
        every="check every platform of every image that can be run, whatever the source says",
    )
    add_identity_options(parser, otherwise="as each resource's own provider")


def run(arguments: argparse.Namespace, stdin: TextIO, stdout: TextIO, stderr: TextIO) -> int:
    """Audit the sources, say what was found and return the exit code."""
    from layerguard.checking.checker import Checker
    from layerguard.registry.clients import OrdinaryChain
    from layerguard.registry.ecr import Ecr
    from layerguard.settings import DEFAULT_ACCOUNT, RuleLevel, Settings

    from layerguard_cli.audit.output import Output
    from layerguard_cli.audit.progress import ProgressBar
    from layerguard_cli.audit.sweep import read_sources, sweep
    from layerguard_cli.sources.places import Reader
    from layerguard_cli.sources.running_stack import Pulumi

    try:
        identity = identity_of(arguments)
        wrong = _wrong(arguments)
    except argparse.ArgumentTypeError as error:
        wrong = f"{error}."
    if wrong:
        print(f"layerguard: {wrong}", file=stderr)
        return UNDETERMINED
    settings = Settings(
        identities={} if identity == ORDINARY else {DEFAULT_ACCOUNT: identity},
        platform_rules=RuleLevel.OFF if arguments.all_platforms else RuleLevel.ON,
    )
    bar = ProgressBar(stderr)
    reader = Reader(lambda: stdin.buffer.read(), os.environ, bar.note)
    pulumi = Pulumi(shutil.which("pulumi"), os.environ)
    checker = Checker.asking(Ecr(OrdinaryChain()))
    with _interrupted_by_sigterm():
        try:
            sources = read_sources(arguments.sources, arguments.stack, reader, pulumi, bar)
            report = sweep(sources, checker, bar, settings, arguments.platform)
        finally:
            checker.close()
        try:
            Output(arguments.format, arguments.out, arguments.all).write(report, stdout, stderr)
        except OSError as error:
            if arguments.out is None:
                raise
            print(f"layerguard: {arguments.out}: {error.strerror}.", file=stderr)
            return UNDETERMINED
    if not report.complete:
        return INTERRUPTED
    states = [finding.verdict.state for finding in report.findings]
    return exit_code([*states, *([State.UNDETERMINED] if report.problems else [])])


def _wrong(arguments: argparse.Namespace) -> str | None:
    if not arguments.sources and not arguments.stack:
        return "there is nothing to audit: give a SOURCE or a --stack."
    if arguments.all and arguments.format != _TABLE:
        return "--all is for the table alone."
    return arguments.out and refusal(arguments.out)


@contextmanager
def _interrupted_by_sigterm() -> Iterator[None]:
    """Take SIGTERM for Ctrl-C: who ends a job is told, too, what is known so far."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
