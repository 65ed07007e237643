"""The command line: the same verdicts and words as the gates, outside Pulumi."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from layerguard import __version__
from layerguard.discovery import ImageUse
from layerguard.discovery.walker import target_of
from layerguard.errors import ReferenceInvalid
from layerguard.inspection import Inspector, Judgement
from layerguard.manifest import Platform
from layerguard.registry import Ecr, OrdinaryChain
from layerguard.report import render
from layerguard.verdict import State

EXIT_AVAILABLE = 0
EXIT_UNAVAILABLE = 1
EXIT_UNDETERMINED = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    options = _parser().parse_args(arguments)
    inspector = Inspector(Ecr(OrdinaryChain()))
    judgements = inspector.judge(_use(text, options.platform) for text in options.references)
    inspector.close()
    print(render(judgements, inspector.summary(judgements)))
    return exit_code(judgements)


def exit_code(judgements: Sequence[Judgement]) -> int:
    """Return 1 when an image is proven unavailable, else 2 when one is not known, else 0."""
    states = {judgement.verdict.state for judgement in judgements}
    if State.UNAVAILABLE in states:
        return EXIT_UNAVAILABLE
    return EXIT_AVAILABLE if states == {State.AVAILABLE} else EXIT_UNDETERMINED


def _use(text: str, platform: Platform | None) -> ImageUse:
    return ImageUse("", "", "argument", None, text, target_of(text), platform)


def _platform(text: str) -> Platform:
    try:
        return Platform.parse(text)
    except ReferenceInvalid as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "layerguard", description="Proves that every layer of an Amazon ECR image is there."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    check = commands.add_parser(
        "check",
        help="check images by reference",
        description="Checks images by reference. Exit code: 0 all are available, 1 one is "
        "unavailable, 2 one could not be checked or the usage is wrong.",
    )
    check.add_argument("references", nargs="+", metavar="REFERENCE", help="an image reference")
    check.add_argument(
        "--platform",
        type=_platform,
        metavar="OS/ARCHITECTURE",
        help="the platform on which the image is to run; without it all of the image's are checked",
    )
    return parser
