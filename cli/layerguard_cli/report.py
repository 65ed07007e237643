"""``layerguard report``: reports of audits in JSON, joined and shown in any format."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TextIO

from layerguard_cli.audit.report_options import add_report_options, check_report_options
from layerguard_cli.exits import UNDETERMINED, USAGE
from layerguard_cli.reports.formats import FORMATS
from layerguard_cli.terminal import note

_DESCRIPTION = """\
Joins the reports that layerguard audit --format json wrote, and shows them as one: the parts of a
sweep that was split over machines or jobs (--shard), or one report in another format. Nothing is
asked again. Each image counts once, and a source that is in several reports once."""

_EXAMPLES = """\
examples:
  layerguard report report-*.json
  layerguard report report-*.json --format html --out sweep.html
  layerguard report report-*.json --format json --out sweep.json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the files and the report."""
    parser.description = _DESCRIPTION
    parser.epilog = _EXAMPLES
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a report in JSON")
    add_report_options(parser)


def run(arguments: argparse.Namespace, _stdin: TextIO, stdout: TextIO, stderr: TextIO) -> int:
    """Join the reports, write the result and return the exit code that one audit would have."""
    from layerguard_cli.audit.report_writer import ReportWriter, exit_code_of
    from layerguard_cli.reports.from_json import read_report
    from layerguard_cli.reports.joined import joined

    try:
        check_report_options(arguments)
    except argparse.ArgumentTypeError as error:
        note(f"{error}.", stderr)
        return USAGE
    writer = ReportWriter(FORMATS[arguments.format], arguments.out, arguments.all)
    report = joined([read_report(path) for path in dict.fromkeys(arguments.files)])
    return exit_code_of(report) if writer.write(report, stdout, stderr) else UNDETERMINED
