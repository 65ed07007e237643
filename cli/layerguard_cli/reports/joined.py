"""Several reports as one: the parts of a sweep that was split over machines or jobs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from layerguard.checking.checker import Summary
from layerguard.enforcement import Finding
from layerguard.reference import ImageReference
from layerguard.verdict import State

from layerguard_cli.reports.audit_report import AuditedSource, AuditReport


def joined(reports: Sequence[AuditReport]) -> AuditReport:
    """Return the report on the sources of all ``reports``, which is at least one.

    A source that is in several of them, with the same image uses, stands as the latest has it; two
    that differ both stay. Each image and each layer is counted once; the calls and the seconds are
    those of all audits together.
    """
    sources: dict[object, AuditedSource] = {}
    for report in sorted(reports, key=lambda each: each.began):
        for source in report.sources:
            sources[_identity(source)] = source
    kept = tuple(_named_apart(sources.values()))
    began = min(report.began for report in reports)
    complete = all(report.complete for report in reports)
    return AuditReport(kept, _summary(reports, kept), began, complete)


def _identity(audited: AuditedSource) -> object:
    """Return what two audits of one source have in common."""
    places = tuple(
        (each.use.urn, each.use.path, each.use.container, each.use.text)
        for each in audited.findings
    )
    source = audited.source
    return source.name, source.kind, source.problems, len(audited.unanswered), places


def _named_apart(sources: Iterable[AuditedSource]) -> Iterable[AuditedSource]:
    """Yield ``sources``; the second of a name gets a number."""
    seen: dict[str, int] = {}
    for each in sources:
        name = each.source.name
        seen[name] = seen.get(name, 0) + 1
        number = seen[name]
        named = replace(each.source, name=f"{name} ({number})") if number > 1 else each.source
        yield replace(each, source=named)


def _summary(reports: Iterable[AuditReport], sources: Iterable[AuditedSource]) -> Summary:
    findings = [finding for each in sources for finding in each.findings]
    states = [finding.verdict.state for finding in findings]
    return Summary(
        len(states) - states.count(State.SKIPPED),
        len({image for finding in findings if (image := _image(finding))}),
        len(set(_layers(findings))),
        states.count(State.UNAVAILABLE),
        states.count(State.UNDETERMINED),
        states.count(State.PENDING),
        sum(report.summary.calls for report in reports),
        sum(report.summary.seconds for report in reports),
    )


def _image(finding: Finding) -> object:
    """Return the image that ECR was asked about; None where it was not."""
    text = finding.use.text
    reference = ImageReference.find(text) if text else None
    if reference is not None:
        return reference.repository, reference.image_id
    return text if finding.verdict.manifests else None  # the account of a secret is not shown


def _layers(findings: Iterable[Finding]) -> Iterable[object]:
    """Yield each layer and config, which are the same ones only in the same repository."""
    for finding in findings:
        reference = ImageReference.find(finding.use.text) if finding.use.text else None
        repository = reference.repository if reference else finding.use.text
        for manifest in finding.verdict.manifests:
            for blob in manifest.blobs:
                yield repository, blob.digest
