"""SARIF, for code scanning: a result for every image use that is not known to be available.

Source: the OASIS standard "Static Analysis Results Interchange Format (SARIF) Version 2.1.0".
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from layerguard import __version__
from layerguard.enforcement import Finding
from layerguard.legible import legible_line
from layerguard.verdict import Code, State

from layerguard_cli.reports.audit_report import INTERRUPTED, AuditedSource, AuditReport

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_LEVELS = {State.UNAVAILABLE: "error", State.UNDETERMINED: "warning", State.PENDING: "note"}
# What is available or skipped is no result, and so no rule.
_RULES = tuple(code for code in Code if code.state in _LEVELS)
# GitHub reads the first alone; section 3.27.17 wants a version in the name.
_FINGERPRINTS = ("primaryLocationLineHash", "layerguardImageUse/v1")


def render(report: AuditReport) -> str:
    """Return a log with one run, in ASCII.

    The level is ``error`` for what is unavailable, ``warning`` for what is undetermined and
    ``note`` for what is pending. The run did not succeed when the audit was interrupted, or a
    source was not read in full.
    """
    notifications = list(_notifications(report))
    run = {
        "tool": {
            "driver": {
                "name": "Layerguard",
                "version": __version__,
                "semanticVersion": __version__,
                "rules": [_rule(code) for code in _RULES],
            }
        },
        "automationDetails": {"id": "layerguard/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": not notifications,
                "startTimeUtc": report.instant,
                "toolExecutionNotifications": notifications,
            }
        ],
        "results": [
            _result(audited, finding)
            for audited in report.sources
            for finding in audited.findings
            if finding.verdict.code in _RULES
        ],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(code: Code) -> dict[str, Any]:
    """SARIF 2.1.0, section 3.49."""
    return {
        "id": code.text,
        "name": "".join(word.capitalize() for word in code.text.split("-")),
        "shortDescription": {"text": code.meaning},
        "fullDescription": {"text": code.meaning},
        "help": {"text": f"{code.meaning} The verdict is '{code.state.value}'."},
        "defaultConfiguration": {"level": _LEVELS[code.state]},
    }


def _result(audited: AuditedSource, finding: Finding) -> dict[str, Any]:
    """SARIF 2.1.0, section 3.27."""
    use, verdict = finding.use, finding.verdict
    identity = json.dumps((audited.source.name, use.urn, use.path, use.container, use.text))
    fingerprint = hashlib.sha256(identity.encode()).hexdigest()
    return {
        "ruleId": verdict.code.text,
        "ruleIndex": _RULES.index(verdict.code),
        "level": _LEVELS[verdict.state],
        "message": _message(finding.message),
        "locations": [_location(audited, finding)],
        "partialFingerprints": dict.fromkeys(_FINGERPRINTS, fingerprint),
    }


def _location(audited: AuditedSource, finding: Finding) -> dict[str, Any]:
    """The property, by its resource; and the file that names it, where there is one."""
    use = finding.use
    path, owner = legible_line(use.path), legible_line(use.urn or audited.source.name)
    logical = {"name": path, "fullyQualifiedName": f"{owner}#{path}", "kind": "property"}
    physical = {} if audited.file is None else {"physicalLocation": _artifact(audited.file)}
    return {**physical, "logicalLocations": [logical]}


def _artifact(path: str) -> dict[str, Any]:
    # A path may hold bytes that are no text, which Python reads as surrogates.
    uri = quote(path.encode("utf-8", "surrogatepass"))
    return {"artifactLocation": {"uri": f"file://{uri}" if path.startswith("/") else uri}}


def _notifications(report: AuditReport) -> Iterator[dict[str, Any]]:
    """SARIF 2.1.0, section 3.58: why the run is not complete."""
    if not report.complete:
        yield _notification(INTERRUPTED)
    for audited in report.sources:
        name = audited.source.name
        for problem in audited.source.problems:
            yield _notification(f"{name}: {problem}")
        if audited.unanswered:
            yield _notification(
                f"{name}: image uses that were not checked: {len(audited.unanswered)}."
            )


def _notification(text: str) -> dict[str, Any]:
    return {"level": "error", "message": _message(legible_line(text))}


def _message(text: str) -> dict[str, str]:
    """Return a plain text message in which nothing of ``text`` has a meaning.

    In it a brace begins a placeholder, and ``[text](place)`` is a link.
    Source: SARIF 2.1.0, sections 3.11.5 and 3.11.6.
    """
    bare = text.replace("{", "{{").replace("}", "}}")
    return {"text": re.sub(r"\[(?=[^\[\]]*\]\()", r"\\[", bare)}
