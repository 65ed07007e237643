"""Writes an audit's report in its format, to standard output or to a file."""

from __future__ import annotations

import io
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from layerguard.enforcement import Finding

from layerguard_cli.audit.whole_file import write_whole
from layerguard_cli.exits import AVAILABLE, UNDETERMINED, exit_code
from layerguard_cli.reports.audit_report import AuditReport, needs_attention
from layerguard_cli.reports.formats import Format, TableLayout
from layerguard_cli.terminal import escape_what_cannot_be_encoded, note


def exit_code_of(report: AuditReport) -> int:
    """Return the exit code for a report: what was not read or not checked is undetermined."""
    code = exit_code(finding.verdict for finding in report.findings)
    is_whole = report.complete and not report.problems and not report.unanswered
    return UNDETERMINED if code == AVAILABLE and not is_whole else code


@dataclass(frozen=True, slots=True)
class ReportWriter:
    """Writes to ``file``, or to standard output if it is None.

    With ``every_use`` a table lists what is available or skipped, too.
    """

    format: Format
    file: Path | None
    every_use: bool

    def write(self, report: AuditReport, stdout: TextIO, stderr: TextIO) -> bool:
        """Write the report, and on ``stderr`` the run in numbers where no table shows them.

        Return whether it could be written to the file, which is noted otherwise. Raises OSError
        where standard output cannot be written to.
        """
        pieces = self.format.render(report, self._layout(stdout))
        if self.file:
            try:
                write_whole(self.file, pieces)
            except OSError as error:
                note(f"{self.file}: {error.strerror}.", stderr)
                return False
        else:
            if self.format.is_document and isinstance(stdout, io.TextIOWrapper):
                # A document declares its encoding, whatever that of the terminal is.
                stdout.reconfigure(encoding="utf-8")
            escape_what_cannot_be_encoded(stdout)
            stdout.writelines(pieces)
        if self.file or self.format.is_document:
            print(report.summary, file=stderr)
        return True

    @property
    def lists_every_use(self) -> bool:
        """Whether the report shows what is available, too."""
        return self.format.lists_every_use or self.every_use

    def keeps(self, finding: Finding) -> bool:
        """Tell whether the report shows a finding, and not only counts it."""
        return self.lists_every_use or needs_attention(finding)

    def _layout(self, stdout: TextIO) -> TableLayout:
        terminal = self.file is None and stdout.isatty()
        colorless = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        return TableLayout(
            every_use=self.every_use,
            width=shutil.get_terminal_size().columns if terminal else None,
            color=terminal and not colorless,
        )
