"""``layerguard audit``: every image that stacks, previews, manifests and lists name."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from layerguard_cli.audit.report_options import add_report_options, check_report_options
from layerguard_cli.check_options import (
    add_gate_options,
    add_identity_options,
    add_log_option,
    add_platform_options,
    checker_of,
    settings_of,
)
from layerguard_cli.exits import INTERRUPTED, UNDETERMINED, USAGE
from layerguard_cli.reports.formats import FORMATS
from layerguard_cli.sources.shard import Shard
from layerguard_cli.terminal import note, note_foreign_endpoints

_DESCRIPTION = """\
Reads what a team deploys and checks every image: stacks, previews and backends of Pulumi, templates
of CloudFormation, SAM and the CDK, ECS task definitions, Batch, Step Functions, Kubernetes
manifests, Helm values, kustomizations, compose files, Terraform plans and states in JSON, and lists
with a reference a line. The content of a file decides what it is; docs/sources.md has them all. ECR
is asked with the credentials of each resource's own provider, as the policy pack does. A folder is
read with the folders in it: a file of another kind that names a host of ECR is a problem."""

_EXAMPLES = """\
examples:
  layerguard audit exports/
  layerguard audit --stack acme/shop/production --stack acme/shop/staging
  pulumi preview --json --show-sames | layerguard audit --format markdown -
  helm template charts/shop | layerguard audit --platform linux/arm64 -
  layerguard audit --config policy-config.json exports/
  layerguard audit --role-arn arn:aws:iam::123456789012:role/auditor exports/
  layerguard audit --format sarif --out layerguard.sarif exports/ deploy.yaml references.txt"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sources, the report, the platform, the limits and the identity."""
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
    add_report_options(parser)
    parser.add_argument(
        "--shard",
        type=Shard.parse,
        default=Shard(),
        metavar="INDEX/COUNT",
        help="audit one of COUNT parts of the sources, INDEX from 0 on, as one of several jobs; "
        "layerguard report joins their reports in JSON",
    )
    add_platform_options(
        parser,
        one="the platform of the images whose source names none",
        every="check every platform of every image that can be run, whatever its source names",
    )
    add_gate_options(parser)
    add_log_option(parser)
    add_identity_options(parser, otherwise="those of each resource's own provider")


def run(arguments: argparse.Namespace, stdin: TextIO, stdout: TextIO, stderr: TextIO) -> int:
    """Audit the sources, write the report and return the exit code."""
    from layerguard_cli.audit.audit import audit_sources, read_sources
    from layerguard_cli.audit.progress import ProgressBar
    from layerguard_cli.audit.report_writer import ReportWriter, exit_code_of
    from layerguard_cli.sources.content import LARGEST
    from layerguard_cli.sources.places import Reader
    from layerguard_cli.sources.running_stack import Pulumi

    try:
        settings = settings_of(arguments)
        _check_usage(arguments)
    except argparse.ArgumentTypeError as error:
        note(f"{error}.", stderr)
        return USAGE
    bar = ProgressBar(stderr, hidden=arguments.verbose)
    reader = Reader(lambda: stdin.buffer.read(LARGEST + 1), os.environ, bar.note, arguments.shard)
    pulumi = Pulumi(shutil.which("pulumi"), os.environ)
    writer = ReportWriter(FORMATS[arguments.format], arguments.out, arguments.all)
    with _interrupted_by_sigterm():
        with checker_of(settings, lean=not writer.lists_every_use) as checker:
            sources = read_sources(
                arguments.sources, arguments.stack, reader, pulumi, bar, arguments.shard
            )
            report = audit_sources(
                sources, checker, bar, settings, arguments.platform, writer.keeps
            )
        if not writer.write(report, stdout, stderr):
            return UNDETERMINED
        note_foreign_endpoints(checker.foreign_endpoints, stderr)
    return exit_code_of(report) if report.complete else INTERRUPTED


def _check_usage(arguments: argparse.Namespace) -> None:
    """Raise argparse.ArgumentTypeError for options that make no sense together."""
    if not arguments.sources and not arguments.stack:
        raise argparse.ArgumentTypeError("there is nothing to audit: give a SOURCE or a --stack")
    check_report_options(arguments)


@contextmanager
def _interrupted_by_sigterm() -> Iterator[None]:
    """Handle SIGTERM as Ctrl-C, so that a job that is ended reports what is known, too."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
