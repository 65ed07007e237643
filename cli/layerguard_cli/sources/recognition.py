"""Recognises what a text is by its content, whatever its file is called."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping

from layerguard_cli.sources.engine_json import read_documents
from layerguard_cli.sources.export import is_export, read_export
from layerguard_cli.sources.kubernetes_manifests import (
    is_manifest,
    read_manifests,
    read_yaml_manifests,
)
from layerguard_cli.sources.preview import is_digest, is_event, read_digest, read_events
from layerguard_cli.sources.reference_list import is_list, read_list
from layerguard_cli.sources.source import NotASource, Source, SourceUnreadable

# PowerShell writes UTF-16 where a command's output is redirected.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_JSON = re.compile(r'\s*(?:\{\s*["}]|\[)')


def read_bytes(name: str, content: bytes, environment: Mapping[str, str]) -> Source:
    """Return the source called ``name`` that ``content`` is.

    ``environment`` has the region of AWS providers without one of their own. Raises
    SourceUnreadable, and NotASource for readable content of an unknown kind.
    """
    encoding = next((each for mark, each in _MARKS if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise SourceUnreadable("It is not text in UTF-8.") from error
    if not text.strip():
        raise SourceUnreadable("It is empty.")
    if _JSON.match(text):
        return _of_json(name, text, environment)
    if is_list(text):
        return read_list(name, text)
    return read_yaml_manifests(name, text)


def _of_json(name: str, text: str, environment: Mapping[str, str]) -> Source:
    documents, problem = read_documents(text)
    first = documents[0]
    if is_event(first):
        return read_events(name, documents, environment, problem)
    if any(map(is_manifest, documents)):
        return read_manifests(name, documents, [problem] if problem else ())
    if problem:
        raise SourceUnreadable(problem)
    if is_export(first):
        return read_export(name, first, environment)
    if is_digest(first):
        return read_digest(name, first, environment)
    raise NotASource(
        "It is neither a stack export, nor a preview, nor a Kubernetes manifest, nor a list of "
        "references."
    )
