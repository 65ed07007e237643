"""An audit's report in JSON, read again: what ``as_json`` writes, as an AuditReport."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from layerguard.checking.checker import Summary
from layerguard.discovery import ImageUse
from layerguard.enforcement import Enforcement, Finding
from layerguard.errors import LayerguardError
from layerguard.platform import Platform
from layerguard.reference import Digest
from layerguard.verdict import BlobState, CheckedBlob, Code, ManifestReport, Verdict

from layerguard_cli.reports.as_json import SCHEMA_VERSION
from layerguard_cli.reports.audit_report import AuditedSource, AuditReport
from layerguard_cli.sources.source import Source, SourceKind

LARGEST = 2_000_000_000
"""Bytes of a report."""
_MAJOR = SCHEMA_VERSION.partition(".")[0]
_CODES = {code.text: code for code in Code}
_MOST_UNANSWERED = 1_000_000


class _Unreadable(LayerguardError):
    """A file is no report in JSON; the text is the reason."""


def read_report(path: Path) -> AuditReport:
    """Return the report in a file; one that cannot be read is a report with this problem."""
    try:
        return _read(path)
    except _Unreadable as error:
        source = Source(str(path), SourceKind.UNREADABLE, (), (str(error),))
        nothing = Summary(0, 0, 0, 0, 0, 0, 0, 0.0)
        now = datetime.now(timezone.utc)
        return AuditReport((AuditedSource(source, (), ()),), nothing, now, complete=True)


def _read(path: Path) -> AuditReport:
    try:
        if path.stat().st_size > LARGEST:
            raise _Unreadable("It is too large for a report.")
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise _Unreadable(f"It cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise _Unreadable("It is no JSON document.") from error
    version = document.get("schemaVersion") if isinstance(document, dict) else None
    if not isinstance(version, str):
        raise _Unreadable("It is no report that layerguard audit --format json made.")
    if version.partition(".")[0] != _MAJOR:
        raise _Unreadable(f"It is a report of version {version}; only {_MAJOR} is known.")
    try:
        return _report(document)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise _Unreadable("It is a report that is damaged, or of a later version.") from error
    except LayerguardError as error:
        raise _Unreadable("It is a report that is damaged, or of a later version.") from error


def _report(document: Any) -> AuditReport:
    numbers = document["summary"]
    summary = Summary(
        int(numbers["imageUses"]),
        int(numbers["images"]),
        int(numbers["layers"]),
        int(numbers["unavailable"]),
        int(numbers["undetermined"]),
        int(numbers["pending"]),
        int(numbers["calls"]),
        float(numbers["seconds"]),
    )
    began = datetime.fromisoformat(document["began"].replace("Z", "+00:00"))
    sources = tuple(map(_source, document["sources"]))
    return AuditReport(sources, summary, began, document["complete"] is True)


def _source(document: Any) -> AuditedSource:
    findings = tuple(map(_finding, document["images"]))
    unanswered = int(document["unanswered"])
    if not 0 <= unanswered <= _MOST_UNANSWERED:
        raise ValueError(unanswered)
    uses = tuple(finding.use for finding in findings)
    problems = tuple(map(_text, document["problems"]))
    kind = SourceKind(document["kind"])
    source = Source(_text(document["name"]), kind, uses, problems)
    return AuditedSource(source, findings, tuple(_not_known() for _ in range(unanswered)))


def _not_known() -> ImageUse:
    return ImageUse("", "", "an image use", None, None, Verdict(Code.TIMED_OUT, ""), None)


def _finding(document: Any) -> Finding:
    verdict = Verdict(
        _CODES[document["code"]],
        _text(document["reason"]),
        document["nextStep"] or "",
        _digest(document["digest"]),
        manifests=tuple(map(_manifest, document["manifests"])),
        is_certain=document.get("certain", True) is True,
    )
    use = ImageUse(
        document["urn"] or "",
        document["resourceType"] or "",
        _text(document["path"]),
        document["container"],
        document["reference"],
        verdict,
        _platform(document["platform"]),
    )
    return Finding(use, verdict, Enforcement(document["enforcement"]), _text(document["why"]))


def _manifest(document: Any) -> ManifestReport:
    blobs = tuple(map(_blob, document["layers"]))
    return ManifestReport(Digest.parse(document["digest"]), _platform(document["platform"]), blobs)


def _blob(document: Any) -> CheckedBlob:
    state = BlobState[document["state"].upper()]
    return CheckedBlob(Digest.parse(document["digest"]), document["role"], state, document["size"])


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _digest(text: str | None) -> Digest | None:
    return None if text is None else Digest.parse(text)


def _platform(text: str | None) -> Platform | None:
    if text is None:
        return None
    system, _, architecture = text.partition("/")
    return Platform(system, architecture)
