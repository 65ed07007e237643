"""Recognises what a text is by its content, whatever its file is called: one table of forms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from layerguard.discovery.tree import Mark

from layerguard_cli.sources.batch_jobs import batch_jobs, is_batch_job
from layerguard_cli.sources.cdk_assembly import (
    is_assembly,
    is_asset_manifest,
    read_assembly,
    read_assets,
)
from layerguard_cli.sources.chart_values import are_chart_values, chart_values
from layerguard_cli.sources.cloudformation_templates import is_template, template
from layerguard_cli.sources.compose_files import compose_file, is_compose_file
from layerguard_cli.sources.content import Content
from layerguard_cli.sources.dockerrun import dockerrun, is_dockerrun
from layerguard_cli.sources.documents import Document, Documents, documents_in
from layerguard_cli.sources.ecs_tasks import is_task_definition, task_definition
from layerguard_cli.sources.export import (
    is_checkpoint,
    is_export,
    read_checkpoint,
    read_exports,
)
from layerguard_cli.sources.form import Context, DeclaringForm, Form, WholeForm
from layerguard_cli.sources.image_definitions import image_definitions, is_image_definitions
from layerguard_cli.sources.kubernetes_manifests import is_manifest, manifest
from layerguard_cli.sources.kustomizations import is_kustomization, kustomization
from layerguard_cli.sources.preview import is_digest, is_event, read_previews
from layerguard_cli.sources.reference_list import is_list, read_list
from layerguard_cli.sources.source import NotASource, Source, SourceKind, SourceUnreadable
from layerguard_cli.sources.state_machines import is_state_machine, state_machine
from layerguard_cli.sources.terraform import is_plan, is_state, read_plan, read_state

# The first row that fits counts: the sure ones first, and last what takes any mapping with images.
# fmt: off
FORMS: tuple[Form, ...] = (
    WholeForm(SourceKind.PREVIEW,               is_event,              read_previews,   of_many=True),
    WholeForm(SourceKind.STACK_EXPORT,          is_export,             read_exports),
    WholeForm(SourceKind.PULUMI_CHECKPOINT,     is_checkpoint,         read_checkpoint),
    WholeForm(SourceKind.TERRAFORM_PLAN,        is_plan,               read_plan),
    WholeForm(SourceKind.TERRAFORM_STATE,       is_state,              read_state),
    WholeForm(SourceKind.CDK_ASSEMBLY,          is_assembly,           read_assembly),
    WholeForm(SourceKind.CDK_ASSEMBLY,          is_asset_manifest,     read_assets),
    DeclaringForm(SourceKind.KUSTOMIZATION,     is_kustomization,      kustomization),
    DeclaringForm(SourceKind.KUBERNETES,        is_manifest,           manifest,        is_for_images=False, in_lists=True),
    DeclaringForm(SourceKind.DOCKERRUN,         is_dockerrun,          dockerrun),
    DeclaringForm(SourceKind.ECS_TASK,          is_task_definition,    task_definition, in_lists=True),
    DeclaringForm(SourceKind.IMAGE_DEFINITIONS, is_image_definitions,  image_definitions),
    DeclaringForm(SourceKind.BATCH_JOB,         is_batch_job,          batch_jobs,      in_lists=True),
    DeclaringForm(SourceKind.STATE_MACHINE,     is_state_machine,      state_machine,   is_for_images=False),
    DeclaringForm(SourceKind.CLOUDFORMATION,    is_template,           template,        is_for_images=False),
    WholeForm(SourceKind.PREVIEW,               is_digest,             read_previews),
    DeclaringForm(SourceKind.COMPOSE,           is_compose_file,       compose_file),
    DeclaringForm(SourceKind.HELM_VALUES,       are_chart_values,      chart_values),
)
# fmt: on

_SEVERAL = "It has a whole stack and documents of other kinds: give each a file of its own."


def read_bytes(
    name: str,
    content: bytes,
    environment: Mapping[str, str],
    beside: Callable[[str], bytes | None] = lambda _: None,
) -> Source:
    """Return the source called ``name`` that ``content`` is, as ``read_content`` does."""
    return read_content(Content.of(content), Context(name, environment, beside))


def read_content(content: Content, context: Context) -> Source:
    """Return the source that ``content`` is.

    Raises SourceUnreadable, and NotASource for readable content of an unknown kind.
    """
    text = content.text
    if is_list(text):
        return read_list(context.name, text)
    documents = documents_in(text)
    return _read(documents, context)


def _read(documents: Documents, context: Context) -> Source:
    found: dict[Form, list[Document]] = {}
    others: list[Document] = []
    for document in documents.found:
        for part, form in _forms_of(document):
            if form is None:
                others.append(part)
            else:
                found.setdefault(form, []).append(part)
    if not found:
        if documents.problem:
            raise SourceUnreadable(documents.problem)
        broken = next((each for each in others if each.value is Mark.UNREADABLE), None)
        if broken:
            raise SourceUnreadable(f"It {broken.trouble}.")
        raise NotASource("It is of no kind that an audit reads.")
    sources = [form.read(parts, context) for form, parts in found.items()]
    left_out = [(each.mentions, _left_out(each)) for each in others]
    return _joined(
        sources,
        [
            *filter(None, [documents.problem]),
            *([_SEVERAL] if len(found) > 1 and any(map(_is_whole, found)) else ()),
            *(f"{text} It names a host of ECR." for mentions, text in left_out if mentions),
        ],
        [text for mentions, text in left_out if not mentions],
    )


def _is_whole(form: Form) -> bool:
    return isinstance(form, WholeForm)


def _forms_of(document: Document) -> Iterator[tuple[Document, Form | None]]:
    """Yield a document with its form, or each element of a list with its own."""
    form = _form_of(document)
    elements = document.value if form is None and isinstance(document.value, list) else []
    if not any(isinstance(each, dict) for each in elements):
        yield document, form
        return
    parts = [Document(number, each, in_list=True) for number, each in enumerate(elements, 1)]
    found = [(part, _form_of(part)) for part in parts]
    if any(each for _, each in found):
        yield from found
    else:
        yield document, form


def _form_of(document: Document) -> Form | None:
    if not isinstance(document.value, (dict, list)):
        return None
    return next((form for form in FORMS if form.fits(document)), None)


def _left_out(document: Document) -> str:
    if document.value is Mark.UNREADABLE:
        return f"Document {document.number} {document.trouble}."
    return f"Document {document.number} is of no kind that an audit reads."


def _joined(sources: Sequence[Source], problems: Iterable[str], notes: Iterable[str]) -> Source:
    """Return the sources of one text as one, which is of the kind of the first."""
    first, *_ = sources
    return replace(
        first,
        uses=tuple(use for each in sources for use in each.uses),
        problems=(
            *problems,
            *(problem for each in sources for problem in each.problems),
        ),
        notes=(*(note for each in sources for note in each.notes), *notes),
        covers=frozenset(file for each in sources for file in each.covers),
    )
