"""Characters that a document may hold: what users wrote may have others in it."""

from __future__ import annotations

import re

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\u007e\u00a0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REPLACEMENT = "\ufffd"


def legible(text: str) -> str:
    """Return ``text`` with U+FFFD in place of what XML forbids or advises against.

    These are control characters, lone surrogates (which UTF-8 cannot say), U+FFFE and U+FFFF.
    Source: Extensible Markup Language (XML) 1.0, section 2.2, "Characters".
    """
    return _FORBIDDEN.sub(_REPLACEMENT, text)
