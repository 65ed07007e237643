"""Writes an answer, or what the query finds in it, in one of the AWS CLI's three formats."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TextIO

from layerguard_cli.batch_check.table_format import drawing, sections_of
from layerguard_cli.batch_check.text_format import text_lines

_RESET = "\x1b[0m"
_UNKNOWN_WIDTH = 80


@dataclass(frozen=True, slots=True)
class AnswerWriter:
    """Writes answers to ``stream``. ``color`` is ``on``, ``off`` or ``auto``: on a terminal."""

    stream: TextIO
    format: str
    color: str
    query: Any = None

    def write(self, title: str, answer: Any) -> None:
        """Write the answer; ``title`` stands above a table."""
        value = self.query.search(answer) if self.query else answer
        writers = {"json": self._json, "text": self._text, "table": self._table}
        if self.format not in writers:
            raise ValueError(f"Unknown output type: {self.format}")
        try:
            writers[self.format](title, value)
        finally:
            self.stream.flush()

    def _json(self, _: str, value: Any) -> None:
        if value != {}:
            for piece in json.JSONEncoder(
                indent=4, ensure_ascii=False, default=_in_json
            ).iterencode(value):
                self.stream.write(piece)
            self.stream.write("\n")

    def _text(self, _: str, value: Any) -> None:
        for line in text_lines(value):
            self.stream.write(f"{line}\n")

    def _table(self, title: str, value: Any) -> None:
        sections = sections_of(title, value)
        if sections:
            color = self.color == "on" or (self.color == "auto" and self.stream.isatty())
            for pieces in drawing(sections, self._terminal_width(), color=color):
                # Each piece is followed by a reset, as in the AWS CLI.
                self.stream.write("".join(f"{piece}{_RESET if color else ''}" for piece in pieces))

    def _terminal_width(self) -> int:
        try:
            return os.get_terminal_size(self.stream.fileno()).columns
        except (OSError, ValueError):
            return _UNKNOWN_WIDTH


def _in_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError("Encountered unrecognized type in JSON encoder.")
