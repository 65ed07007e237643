"""The options that say for which platforms images are checked, for ``check`` and ``audit``."""

from __future__ import annotations

import argparse

from layerguard.errors import ReferenceInvalid
from layerguard.platform import Platform


def add_platform_options(parser: argparse.ArgumentParser, *, one: str, every: str) -> None:
    """Add the two options, of which one may be given; ``one`` and ``every`` are their help."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--platform", type=_platform, metavar="OS/ARCHITECTURE", help=one)
    group.add_argument("--all-platforms", action="store_true", help=every)


def _platform(text: str) -> Platform:
    try:
        return Platform.parse(text)
    except ReferenceInvalid as error:
        raise argparse.ArgumentTypeError(str(error)) from error
