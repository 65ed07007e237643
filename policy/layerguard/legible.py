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
# Where a backslash breaks a command to a CI system: ``::`` at the beginning of a line, and
# ``##[`` and ``##vso[`` anywhere in one. Source: GitHub's actions/runner, ActionCommand.cs.
_COMMAND = re.compile(r"^(?=\s*::)|(?<=#)(?=#(?:vso)?\[)")


def legible_line(text: str, most: int = MAX_LINE) -> str:
    r"""Return ``text`` as one line of at most ``most`` characters.

    An illegible character is shown as its escape, such as ``\n`` or ``\u202e``. A backslash breaks
    what a CI system would take for a command.
    """
    shown = _COMMAND.sub(r"\\", _ILLEGIBLE.sub(_escape, text[: most + 1]))
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def legible_lines(lines: Iterable[str]) -> str:
    """Return ``lines``, each made legible, as one text of at most ``MAX_LINES`` lines."""
    shown = [legible_line(line) for line in lines]
    more = len(shown) - MAX_LINES
    return "\n".join(shown[:MAX_LINES] + ([f"  and {more:,} more lines"] if more > 0 else []))


def _escape(found: re.Match[str]) -> str:
    return repr(found[0])[1:-1] if found[0] != "\ufeff" else "\\ufeff"
