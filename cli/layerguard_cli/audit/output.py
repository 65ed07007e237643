"""What an audit writes: the report in its format, to where it was asked for."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TextIO

from layerguard_cli.audit.whole_file import write_whole
from layerguard_cli.reports import as_html, as_json, as_junit, as_markdown, as_sarif, as_table
from layerguard_cli.reports.audit_report import AuditReport

_DOCUMENTS: Mapping[str, Callable[[AuditReport], str]] = MappingProxyType(
    {
        "html": as_html.render,
        "json": as_json.render,
        "junit": as_junit.render,
        "markdown": as_markdown.render,
        "sarif": as_sarif.render,
    }
)


@dataclass(frozen=True, slots=True)
class Output:
    """The format, a table or a document, the file, None for standard output, and how much of it."""

    format: str
    file: Path | None
    everything: bool

    def write(self, report: AuditReport, stdout: TextIO, stderr: TextIO) -> None:
        """Write the report, and the run in numbers to ``stderr`` where no table shows them.

        Raises OSError where it cannot be written.
        """
        text = self._text(report, stdout)
        if self.file:
            write_whole(self.file, text)
        else:
            if isinstance(stdout, io.TextIOWrapper):
                # Documents say of themselves what they are in; a terminal has what it has.
                if self.format in _DOCUMENTS:
                    stdout.reconfigure(encoding="utf-8")
                else:
                    stdout.reconfigure(errors="replace")
            stdout.write(text)
        if self.file or self.format in _DOCUMENTS:
            print(report.summary, file=stderr)

    def _text(self, report: AuditReport, stdout: TextIO) -> str:
        if self.format in _DOCUMENTS:
            return _DOCUMENTS[self.format](report).removesuffix("\n") + "\n"
        terminal = self.file is None and stdout.isatty()
        colorless = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        return as_table.render(
            report,
            everything=self.everything,
            width=shutil.get_terminal_size().columns if terminal else None,
            color=terminal and not colorless,
        )
