"""Text made legible where it leaves Layerguard: for the engine, a terminal, a log or a file.

What users, services and other programs wrote may hold characters that a terminal obeys, that a log
parser takes for a command, or that gRPC and XML refuse.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

MAX_LINE = 2_000
"""Characters of one line."""
MAX_LINES = 200
"""Lines of one message."""

# Control characters, line and paragraph separators, lone surrogates, zero-width characters, marks
# that turn the direction of writing, and what is no character at all. Sources: XML 1.0, section
# 2.2; Unicode Standard Annex 9, "Directional Formatting Characters".
_ILLEGIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff"
    "\ufeff\ufff9-\uffff\U000e0000-\U000e0fff]"
)
# GitHub Actions and Azure Pipelines take a line that begins so for a command.
_COMMAND = re.compile(r"\s*(?:::|##)")


def legible_line(text: str, most: int = MAX_LINE) -> str:
    r"""Return ``text`` as one line of at most ``most`` characters.

    An illegible character is shown as its escape, such as ``\n`` or ``\u202e``. A line that a CI
    system would take for a command gets a backslash in front.
    """
    cut = text if len(text) <= most else f"{text[: most - 1]}…"
    shown = _ILLEGIBLE.sub(_escape, cut)
    return f"\\{shown}" if _COMMAND.match(shown) else shown


def legible_lines(lines: Iterable[str]) -> str:
    """Return ``lines``, each made legible, as one text of at most ``MAX_LINES`` lines."""
    shown = [legible_line(line) for line in lines]
    more = len(shown) - MAX_LINES
    return "\n".join(shown[:MAX_LINES] + ([f"  and {more:,} more lines"] if more > 0 else []))


def _escape(found: re.Match[str]) -> str:
    return repr(found[0])[1:-1] if found[0] != "\ufeff" else "\\ufeff"
