"""The text that reports a bug: the version, and the module and line that raised it."""

from __future__ import annotations

import logging
import traceback

from layerguard import __version__

REPORT = (
    f"please report this text to the maintainers of Layerguard, which is version {__version__} "
    "here; LAYERGUARD_LOG=debug writes a log that helps them."
)
"""The next step."""
_PACKAGES = ("layerguard", "layerguard_cli")


def bug_text(where: str, error: BaseException) -> str:
    """Return what a bug is: the version, ``where`` in words and as MODULE:LINE, and ``error``."""
    place = place_of(error)
    shown = f" ({place})" if place else ""
    return f"This is a bug of Layerguard {__version__}, {where}{shown}: {error_text(error)}"


def error_text(error: BaseException) -> str:
    """Return ``error`` with its class."""
    return f"{type(error).__name__}: {error}"


def log_bug(text: str, error: BaseException) -> None:
    """Log ``text`` with the traceback of ``error``, in the name of the module that raised it."""
    module = place_of(error).partition(":")[0]
    name = module if module.startswith("layerguard.") else "layerguard"
    logging.getLogger(name).error("%s", text, exc_info=error)


def place_of(error: BaseException) -> str:
    """Return ``MODULE:LINE``, the innermost of Layerguard's in a traceback; empty if none is."""
    frames = traceback.walk_tb(error.__traceback__)
    places = [(str(frame.f_globals.get("__name__")), line) for frame, line in frames]
    own = [f"{name}:{line}" for name, line in places if name.partition(".")[0] in _PACKAGES]
    return own[-1] if own else ""
