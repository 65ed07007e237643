"""Progress, for whoever watches a terminal: a bar on standard error that leaves nothing behind."""

from __future__ import annotations

from types import TracebackType
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

_SHOWN = 40  # characters of the name of a source: the bar has its place beside it


class ProgressBar:
    """A bar in a ``with`` block; only the notes where ``stderr`` is no terminal, or a dumb one."""

    def __init__(self, stderr: TextIO) -> None:
        console = Console(file=stderr, highlight=False)
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            disable=not stderr.isatty() or console.is_dumb_terminal,
            transient=True,
        )
        self._task = self._bar.add_task("reading", total=None)

    def __enter__(self) -> ProgressBar:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def note(self, text: str) -> None:
        """Say something, above the bar where there is one."""
        self._bar.console.print(Text(f"layerguard: {text}"), soft_wrap=True)

    def reading(self, name: str) -> None:
        """Show what is read now."""
        shown = name if len(name) <= _SHOWN else f"…{name[1 - _SHOWN :]}"
        self._bar.update(self._task, description=f"reading {shown}")

    def asking(self, uses: int) -> None:
        """Show that ECR is asked about so many image uses."""
        self._bar.update(self._task, description="asking ECR", total=uses, completed=0)

    def answered(self) -> None:
        """Show that one more of them has its verdict."""
        self._bar.advance(self._task)
