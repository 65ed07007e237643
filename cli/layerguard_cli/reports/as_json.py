"""JSON, for programs: everything that the audit knows.

``docs/audit-report.schema.json`` describes every member. ``SCHEMA_VERSION`` is MAJOR.MINOR: a new
member makes a new minor version, a change that may break a reader of the old one a new major.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from layerguard import __version__
from layerguard.enforcement import Finding
from layerguard.legible import legible_line
from layerguard.verdict import CheckedBlob, ManifestReport

from layerguard_cli.reports.audit_report import AuditedSource, AuditReport

SCHEMA_VERSION = "1.1"


def render(report: AuditReport) -> str:
    """Return the report as a JSON document in ASCII: sources and images in their order."""
    return "".join(pieces(report))


def pieces(report: AuditReport) -> Iterator[str]:
    """Yield the parts of the document, a source at a time: it may be larger than the memory."""
    summary = report.summary
    document = {
        "schemaVersion": SCHEMA_VERSION,
        "layerguardVersion": __version__,
        "began": report.instant,
        "complete": report.complete,
        "outcome": f"{report.outcome}.",
        "summary": {
            "imageUses": summary.image_uses,
            "images": summary.images,
            "layers": summary.layers,
            **{state.value: count for state, count in report.counts.items()},
            "unanswered": report.unanswered,
            "problems": report.problems,
            "calls": summary.calls,
            "seconds": round(summary.seconds, 3),
        },
    }
    yield json.dumps(_legible(document), indent=2).removesuffix("\n}")
    yield ',\n  "sources": ['
    for number, each in enumerate(report.sources):
        yield ",\n    " if number else "\n    "
        yield json.dumps(_legible(_source(each)), indent=2).replace("\n", "\n    ")
    yield "\n  ]\n}\n" if report.sources else "]\n}\n"


def _source(audited: AuditedSource) -> dict[str, Any]:
    return {
        "name": audited.source.name,
        "kind": audited.source.kind.value,
        "problems": list(audited.source.problems),
        "unanswered": len(audited.unanswered),
        "images": [_image(finding) for finding in audited.findings],
    }


def _image(finding: Finding) -> dict[str, Any]:
    use, verdict = finding.use, finding.verdict
    return {
        "urn": use.urn or None,
        "resourceType": use.resource_type or None,
        "path": use.path,
        "container": use.container,
        "reference": use.text,
        "platform": _text(use.platform),
        "code": verdict.code.text,
        "state": verdict.state.value,
        "certain": verdict.is_certain,
        "enforcement": finding.enforcement.value,
        "why": finding.why,
        "reason": verdict.reason,
        "nextStep": verdict.next_step or None,
        "digest": _text(verdict.digest),
        "manifests": [_manifest(each) for each in verdict.manifests],
    }


def _manifest(report: ManifestReport) -> dict[str, Any]:
    return {
        "digest": str(report.digest),
        "platform": _text(report.platform),
        "layers": [_layer(blob) for blob in report.blobs],
    }


def _layer(blob: CheckedBlob) -> dict[str, Any]:
    return {
        "digest": str(blob.digest),
        "role": blob.role,
        "state": blob.state.name.lower(),
        "size": blob.size,
    }


def _legible(value: Any) -> Any:
    """Return ``value`` with every text made legible: not every reader takes lone surrogates."""
    match value:
        case str(text):
            return legible_line(text)
        case dict(members):
            return {name: _legible(member) for name, member in members.items()}
        case list(items):
            return [_legible(item) for item in items]
    return value


def _text(value: object) -> str | None:
    return None if value is None else str(value)
