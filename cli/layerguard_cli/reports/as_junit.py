"""JUnit XML, for CI systems: a suite for every source, a test case for every image use.

Source: the format as Jenkins's xUnit plugin describes it in ``junit-10.xsd``.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from layerguard.enforcement import Finding
from layerguard.legible import legible_line
from layerguard.verdict import State

from layerguard_cli.reports.audit_report import INTERRUPTED, AuditedSource, AuditReport

_OUTCOMES = {
    State.AVAILABLE: None,
    State.UNAVAILABLE: "failure",
    State.UNDETERMINED: "error",
    State.PENDING: "skipped",
    State.SKIPPED: "skipped",
}
_TOTALS = {"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"}
_NOT_CHECKED = "The audit was interrupted before it came to this image."


def render(report: AuditReport) -> str:
    """Return an XML document: unavailable is a failure, undetermined an error.

    What is pending or skipped is skipped. The images are checked at the same time, so each test
    case takes an equal share of the audit's seconds.
    """
    root = Element("testsuites", name="layerguard")
    share = report.summary.seconds / max(1, len(report.findings))
    suites = [(each.source.name, list(_cases(each, share))) for each in report.sources]
    if not report.complete:
        suites.append(("layerguard", [_case("layerguard", "audit", 0, "error", INTERRUPTED)]))
    for name, cases in suites:
        suite = SubElement(root, "testsuite", name=legible_line(name))
        suite.set("timestamp", report.instant.removesuffix("Z"))
        suite.extend(cases)
        _sum_up(suite)
    _sum_up(root)
    del root.attrib["skipped"]  # the schema has it for a suite alone
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _cases(audited: AuditedSource, share: float) -> Iterator[Element]:
    name = audited.source.name
    for finding in audited.findings:
        yield _checked(finding, name, share)
    for use in audited.unanswered:
        yield _case(use.urn or name, use.title, 0, "error", _NOT_CHECKED)
    for problem in audited.source.problems:
        yield _case(name, "read the source", 0, "error", problem)


def _checked(finding: Finding, source: str, seconds: float) -> Element:
    use, verdict = finding.use, finding.verdict
    outcome = _OUTCOMES[verdict.state]
    case = _case(use.urn or source, use.title, seconds, outcome, verdict.reason)
    for element in case:
        element.set("type", verdict.code.text)
        element.text = finding.message
    return case


def _case(owner: str, name: str, seconds: float, outcome: str | None, reason: str) -> Element:
    case = Element(
        "testcase", classname=legible_line(owner), name=legible_line(name), time=f"{seconds:.3f}"
    )
    if outcome:
        SubElement(case, outcome, message=legible_line(reason))
    return case


def _sum_up(parent: Element) -> None:
    """Set the totals and the seconds of all test cases in ``parent``."""
    for attribute, tag in _TOTALS.items():
        parent.set(attribute, str(sum(1 for _ in parent.iter(tag))))
    seconds = sum(float(case.get("time", 0)) for case in parent.iter("testcase"))
    parent.set("time", f"{seconds:.3f}")
