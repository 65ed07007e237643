"""``layerguard check``: the same verdicts and words as the gates, outside Pulumi."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from typing import TextIO

from layerguard.verdict import State

from layerguard_cli.aws_options import add_identity_options, identity_of
from layerguard_cli.exits import UNDETERMINED, exit_code
from layerguard_cli.platform_options import add_platform_options

STDIN = "-"

_DESCRIPTION = """\
Checks images by reference: resolves each, and asks ECR about every layer of it. The verdicts are
those of the policy pack, in the same words."""

_EXAMPLES = """\
examples:
  layerguard check 123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:1.4.2
  layerguard check --platform linux/arm64 REFERENCE REFERENCE
  layerguard check --all-platforms REFERENCE - <references.txt
  layerguard check --role-arn arn:aws:iam::123456789012:role/checker REFERENCE"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the references, the platform and the identity."""
    parser.description = _DESCRIPTION
    parser.epilog = _EXAMPLES
    parser.add_argument(
        "references",
        nargs="+",
        type=_reference,
        metavar="REFERENCE",
        help="an image reference; - reads references from standard input, one a line, where empty "
        "lines and lines that begin with # say nothing",
    )
    add_platform_options(
        parser,
        one="the platform on which the image is to run",
        every="check every platform of the image that can be run, as without --platform",
    )
    add_identity_options(parser, otherwise="as boto3's ordinary chain finds")


def run(arguments: argparse.Namespace, stdin: TextIO, stdout: TextIO, stderr: TextIO) -> int:
    """Judge the references, say what was found on ``stdout`` and return the exit code."""
    from layerguard.checking.checker import Checker
    from layerguard.discovery import ImageUse
    from layerguard.discovery.walker import target_of
    from layerguard.registry.clients import OrdinaryChain
    from layerguard.registry.ecr import Ecr

    from layerguard_cli.reports import render

    try:
        identity = identity_of(arguments)
        references = list(_references(arguments.references, stdin))
    except argparse.ArgumentTypeError as error:
        print(f"layerguard: {error}.", file=stderr)
        return UNDETERMINED
    except UnicodeDecodeError:
        print("layerguard: standard input is not text in UTF-8.", file=stderr)
        return UNDETERMINED
    if not references:
        print("layerguard: there is no reference on standard input.", file=stderr)
        return UNDETERMINED
    checker = Checker.asking(Ecr(OrdinaryChain()))
    try:
        findings = checker.judge(
            ImageUse(
                urn="",
                resource_type="",
                path="argument",
                container=None,
                text=text,
                target=target_of(text),
                platform=arguments.platform,
                identity=identity,
            )
            for text in references
        )
    finally:
        checker.close()
    print(render(findings, checker.summary(findings)), file=stdout)
    states = [finding.verdict.state for finding in findings]
    if skipped := states.count(State.SKIPPED):
        print(f"layerguard: {skipped} of {len(states)} not in private ECR: skipped.", file=stderr)
    return exit_code(states)


def _references(given: Iterable[str], stdin: TextIO) -> Iterator[str]:
    for text in given:
        if text != STDIN:
            yield text
            continue
        lines = (line.strip() for line in stdin)
        yield from (line for line in lines if line and not line.startswith("#"))


def _reference(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("an empty text is not a reference")
    return text
