"""A form: how documents of one kind are recognised by their content, and how they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from layerguard.discovery import ImageUse
from layerguard.reference import ImageReference

from layerguard_cli.sources.content import mentions_ecr
from layerguard_cli.sources.declared import DeclaredResource, uses_of
from layerguard_cli.sources.documents import Document
from layerguard_cli.sources.source import Source, SourceKind


@dataclass(frozen=True, slots=True)
class Context:
    """Where documents come from: the place's ``name``, and what there is around them.

    ``environment`` has the region of AWS providers without one of their own. ``beside`` returns
    the bytes of a file in the same folder, None where there is none.
    """

    name: str
    environment: Mapping[str, str]
    beside: Callable[[str], bytes | None] = lambda _: None


class Form(Protocol):
    """A row of the table of what is recognised."""

    @property
    def kind(self) -> SourceKind:
        """What documents of this form are."""

    def fits(self, document: Document) -> bool:
        """Tell whether a document is of this form."""

    def read(self, documents: Sequence[Document], context: Context) -> Source:
        """Return the source that all the documents of this form in one text are."""


@dataclass(frozen=True, slots=True)
class Declared:
    """What a document declares: resources, and sentences about what of it could not be read."""

    resources: Iterable[DeclaredResource]
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeclaringForm:
    """A form whose documents declare resources, each document its own.

    Where a document names a host of ECR and no image of it was found, this is a problem of a
    document that ``is_for_images``, and a note of any other, which may have the host as a value.
    Documents that may come ``in_lists`` are recognised as elements of a list, too.
    """

    kind: SourceKind
    recognises: Callable[[Any], bool]
    declared_in: Callable[[Any], Declared]
    is_for_images: bool = True
    in_lists: bool = False

    def fits(self, document: Document) -> bool:
        """Tell whether a document is of this form."""
        return (self.in_lists or not document.in_list) and self.recognises(document.value)

    def read(self, documents: Sequence[Document], context: Context) -> Source:
        """Return the image uses of all the resources that the documents declare."""
        uses: list[ImageUse] = []
        problems: list[str] = []
        notes: list[str] = []
        for document in documents:
            declared = self.declared_in(document.value)
            found = list(uses_of(declared.resources, context.environment))
            unfound = _unfound(document, found) if not declared.problems else ()
            problems += (*declared.problems, *(unfound if self.is_for_images else ()))
            notes += (*declared.notes, *(() if self.is_for_images else unfound))
            uses += found
        return Source(context.name, self.kind, tuple(uses), tuple(problems), notes=tuple(notes))


@dataclass(frozen=True, slots=True)
class WholeForm:
    """A form in JSON of which a document is a whole stack, or all of a text where ``of_many``."""

    kind: SourceKind
    recognises: Callable[[Any], bool]
    read_whole: Callable[[Sequence[Any], Context], Source]
    of_many: bool = False

    def fits(self, document: Document) -> bool:
        """Tell whether a document is of this form."""
        is_json = document.text is None and not document.in_list
        return is_json and self.recognises(document.value)

    def read(self, documents: Sequence[Document], context: Context) -> Source:
        """Return the image uses of the stack."""
        source = self.read_whole([each.value for each in documents], context)
        if self.of_many or len(documents) == 1:
            return source
        problem = "It has several documents of this kind: give each a file of its own."
        return replace(source, problems=(*source.problems, problem))


def _unfound(document: Document, uses: Iterable[ImageUse]) -> Iterator[str]:
    """Yield that a host of ECR is named, where no use is about one."""
    if not any(map(_is_of_ecr, uses)) and document.mentions:
        yield f"Document {document.number} names a host of ECR, and no image there was found."


def _is_of_ecr(use: ImageUse) -> bool:
    if isinstance(use.target, ImageReference) or use.text is None:
        return True
    return mentions_ecr(use.text.encode("utf-8", "replace"))
