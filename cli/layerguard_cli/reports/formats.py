"""The formats of an audit's report: one row each, of which everything else is derived."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from layerguard_cli.reports.audit_report import AuditReport


@dataclass(frozen=True, slots=True)
class TableLayout:
    """How a table is shown: with every image use or only the open ones, how wide, and coloured.

    ``width`` is in columns, None where nothing limits it.
    """

    every_use: bool = False
    width: int | None = None
    color: bool = False


@dataclass(frozen=True, slots=True)
class Format:
    """A format, which the module ``as_NAME`` renders; a document is the same everywhere.

    It lists every image use, or only what needs attention. One that is rendered ``in_pieces`` is
    never whole in memory.
    """

    name: str
    is_document: bool = True
    lists_every_use: bool = True
    in_pieces: bool = False

    def render(self, report: AuditReport, layout: TableLayout) -> Iterator[str]:
        """Yield the report in this format; its module is imported now, and not before."""
        module = import_module(f"layerguard_cli.reports.as_{self.name}")
        if self.in_pieces:
            yield from module.pieces(report)
            return
        text: str = module.render(report) if self.is_document else module.render(report, layout)
        yield text.removesuffix("\n") + "\n"


TABLE = Format("table", is_document=False, lists_every_use=False)
FORMATS = {
    each.name: each
    for each in (
        TABLE,
        Format("json", in_pieces=True),
        Format("junit"),
        Format("sarif", lists_every_use=False),
        Format("markdown", lists_every_use=False),
        Format("html"),
    )
}
"""The formats by their names, in the order of the help."""
