"""Progress: a bar on a terminal's standard error, which leaves nothing behind."""

from __future__ import annotations

from typing import TextIO

from layerguard.legible import legible_line
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

_SHOWN = 40  # characters of the name of a source, so that the bar fits beside it


class ProgressBar:
    """A bar in a ``with`` block; only notes if ``hidden``, or if ``stderr`` is no full terminal."""

    def __init__(self, stderr: TextIO, *, hidden: bool = False) -> None:
        console = Console(file=stderr, highlight=False)
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            disable=hidden or not stderr.isatty() or console.is_dumb_terminal,
            transient=True,
        )
        self._task = self._bar.add_task("reading", total=None)

    def __enter__(self) -> ProgressBar:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def note(self, text: str) -> None:
        """Print a sentence, above the bar if there is one."""
        self._bar.console.print(Text(f"layerguard: {legible_line(text)}"), soft_wrap=True)

    def reading(self, name: str) -> None:
        """Show which source is being read."""
        name = legible_line(name)
        shown = name if len(name) <= _SHOWN else f"…{name[1 - _SHOWN :]}"
        self._bar.update(self._task, description=f"reading {shown}")

    def asking(self, uses: int) -> None:
        """Show that so many image uses are being checked."""
        self._bar.update(self._task, description="asking ECR", total=uses, completed=0)

    def answered(self) -> None:
        """Show that one more of them has its verdict."""
        self._bar.advance(self._task)
