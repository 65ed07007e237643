"""The options that ``audit`` and ``report`` share: the format of the report, and where it goes."""

from __future__ import annotations

import argparse
from pathlib import Path

from layerguard_cli.audit.whole_file import why_not_writable
from layerguard_cli.reports.formats import FORMATS, TABLE


def add_report_options(parser: argparse.ArgumentParser) -> None:
    """Add the format, what a table lists, and the file; ``check_report_options`` checks them."""
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default=TABLE.name,
        help=f"what to print (default: {TABLE.name})",
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


def check_report_options(arguments: argparse.Namespace) -> None:
    """Raise argparse.ArgumentTypeError for options that make no sense together."""
    if arguments.all and arguments.format != TABLE.name:
        raise argparse.ArgumentTypeError("--all is for the table alone")
    if arguments.out and (reason := why_not_writable(arguments.out)):
        raise argparse.ArgumentTypeError(reason)
