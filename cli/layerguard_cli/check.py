"""``layerguard check``: the verdicts and messages of the gates, outside Pulumi."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, TextIO

from layerguard.verdict import State

from layerguard_cli.check_options import (
    add_gate_options,
    add_identity_options,
    add_log_option,
    add_platform_options,
    checker_of,
    settings_of,
)
from layerguard_cli.exits import UNDETERMINED, USAGE, exit_code
from layerguard_cli.terminal import escape_what_cannot_be_encoded, note, note_foreign_endpoints

if TYPE_CHECKING:
    from layerguard.checking.checker import Summary
    from layerguard.enforcement import Finding

_STDIN = "-"
_TEXT, _JSON = "text", "json"

_DESCRIPTION = """\
Checks images by reference: resolves each, and asks ECR about every layer of it. The verdicts are
those of the policy pack, in the same words."""

_EXAMPLES = """\
examples:
  layerguard check 123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:1.4.2
  layerguard check --platform linux/arm64 REFERENCE REFERENCE
  layerguard check --all-platforms REFERENCE - <references.txt
  layerguard check --config policy-config.json --format json REFERENCE
  layerguard check --role-arn arn:aws:iam::123456789012:role/checker REFERENCE"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the references, the platform, the limits and the identity."""
    parser.description = _DESCRIPTION
    parser.epilog = _EXAMPLES
    parser.add_argument(
        "references",
        nargs="+",
        type=_reference,
        metavar="REFERENCE",
        help="an image reference; - reads references from standard input, one a line, where empty "
        "lines and lines that begin with # are skipped",
    )
    add_platform_options(
        parser,
        one="the platform on which the image is to run",
        every="check every platform of the image that can be run, as without --platform",
    )
    parser.add_argument(
        "--format",
        choices=(_TEXT, _JSON),
        default=_TEXT,
        help=f"what to print: the gates' messages, or a report as that of audit (default: {_TEXT})",
    )
    add_gate_options(parser)
    add_log_option(parser)
    add_identity_options(parser, otherwise="those of boto3's default credential chain")


def run(arguments: argparse.Namespace, stdin: TextIO, stdout: TextIO, stderr: TextIO) -> int:
    """Check the references, print the findings on ``stdout`` and return the exit code."""
    from layerguard.discovery import ImageUse
    from layerguard.discovery.walker import target_of
    from layerguard.enforcement import Run, apply_or_bug, decide_or_bug
    from layerguard.settings import Undetermined

    began = datetime.now(timezone.utc)
    try:
        settings = settings_of(arguments)
        references = list(_references(arguments.references, stdin))
    except argparse.ArgumentTypeError as error:
        note(f"{error}.", stderr)
        return USAGE
    except UnicodeDecodeError:
        note("standard input is not text in UTF-8.", stderr)
        return UNDETERMINED
    if not references:
        note("there is no reference on standard input.", stderr)
        return UNDETERMINED
    named = (
        ImageUse(
            urn="",
            resource_type="",
            path="argument",
            container=None,
            text=text,
            target=target_of(text),
            platform=arguments.platform,
        )
        for text in references
    )
    uses = [apply_or_bug(use, settings) for use in named]
    with checker_of(settings) as checker:
        verdicts = checker.check(uses)
    if not arguments.config and arguments.format == _TEXT:
        # The exit code of an undetermined image is not that of an available one.
        settings = replace(settings, undetermined=Undetermined.FAIL)
    findings = [decide_or_bug(*each, settings, Run()) for each in zip(uses, verdicts, strict=True)]
    verdicts = tuple(finding.verdict for finding in findings)
    summary = checker.summary(verdicts)
    escape_what_cannot_be_encoded(stdout)
    if arguments.format == _JSON:
        _print_report(findings, summary, began, stdout)
    else:
        print(*(finding.message for finding in findings), summary, sep="\n", file=stdout)
    if skipped := sum(verdict.state is State.SKIPPED for verdict in verdicts):
        note(f"{skipped} of {len(verdicts)} not in private ECR: skipped.", stderr)
    note_foreign_endpoints(checker.foreign_endpoints, stderr)
    return exit_code(verdicts)


def _print_report(
    findings: Iterable[Finding], summary: Summary, began: datetime, stdout: TextIO
) -> None:
    """Print the report of an audit whose one source is the command line."""
    from layerguard_cli.reports.as_json import render
    from layerguard_cli.reports.audit_report import AuditedSource, AuditReport
    from layerguard_cli.sources.source import Source, SourceKind

    findings = tuple(findings)
    source = Source("arguments", SourceKind.REFERENCES, tuple(each.use for each in findings))
    audited = AuditedSource(source, findings, ())
    print(render(AuditReport((audited,), summary, began, complete=True)), file=stdout)


def _references(arguments: Iterable[str], stdin: TextIO) -> Iterator[str]:
    for text in arguments:
        if text != _STDIN:
            yield text
            continue
        lines = (line.strip() for line in stdin)
        yield from (line for line in lines if line and not line.startswith("#"))


def _reference(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("an empty text is not a reference")
    return text
