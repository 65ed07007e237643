"""The report as JUnit XML: valid against Jenkins's schema (README.md says where it is from)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as st
from layerguard_cli.reports.as_junit import render
from layerguard_cli.reports.audit_report import AuditReport

from tests.cli.reports import reports

SCHEMA = xmlschema.XMLSchema(Path(__file__).parent / "junit-10.xsd")


def suites_of(report: AuditReport) -> Element:
    document = render(report)
    root = fromstring(document.encode())
    SCHEMA.validate(root)
    return root


def outcomes(suite: Element) -> list[tuple[str | None, str | None]]:
    return [
        (case[0].tag, case[0].get("type")) if len(case) else (None, None)
        for case in suite.iter("testcase")
    ]


@pytest.mark.parametrize("make", [reports.full, reports.clean, reports.empty, reports.interrupted])
def test_every_report_is_valid_and_always_the_same(make: Callable[[], AuditReport]) -> None:
    suites_of(make())
    assert render(make()) == render(make())


def test_a_source_is_a_suite_and_its_totals_are_those_of_its_cases() -> None:
    root = suites_of(reports.full())
    names = ("name", "tests", "failures", "errors", "skipped", "timestamp")
    assert [[suite.get(name) for name in names] for suite in root] == [
        ["acme/shop/production", "8", "4", "1", "1", "2026-11-24T09:30:05"],
        ["deploy/my app.yaml", "4", "1", "1", "1", "2026-11-24T09:30:05"],
    ]
    assert [root.get(name) for name in names[:4]] == ["layerguard", "12", "5", "2"]


def test_a_state_decides_the_outcome() -> None:
    stack, file = suites_of(reports.full())
    assert outcomes(stack) == [
        (None, None),
        ("failure", "layer-missing"),
        ("failure", "layer-archived"),
        ("failure", "layer-missing"),
        ("failure", "image-not-found"),
        ("error", "access-denied"),
        ("skipped", "unknown-in-preview"),
        (None, None),
    ]
    assert outcomes(file) == [
        ("skipped", "not-private-ecr"),
        ("failure", "reference-invalid"),
        (None, None),
        ("error", None),
    ]


def test_a_case_has_where_and_the_message_of_the_gates() -> None:
    report = reports.full()
    case = suites_of(report)[0][1]
    assert case.get("classname") == report.findings[1].use.urn
    assert case.get("name") == (
        'containerDefinitions[0].image (container "web"): '
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:broken"
    )
    assert case[0].get("message") == report.findings[1].verdict.reason
    assert case[0].text == report.findings[1].message


def test_a_use_without_a_resource_is_the_sources() -> None:
    assert suites_of(reports.full())[1][0].get("classname") == "deploy/my app.yaml"


def test_a_problem_of_a_source_is_an_error() -> None:
    case = suites_of(reports.full())[1][-1]
    assert case.get("name") == "read the source"
    assert case[0].get("message") == "Document 3 is not YAML."


def test_what_an_interrupted_audit_did_not_come_to_is_an_error() -> None:
    root = suites_of(reports.interrupted())
    stack, audit = root
    assert outcomes(stack) == [(None, None), ("error", None)]
    assert (stack[1].get("name") or "").endswith("shop/web:broken")
    assert audit[0][0].get("message") == "The audit was interrupted before its end."
    assert root.get("errors") == "2"


def test_the_cases_share_the_seconds_of_the_audit() -> None:
    root = suites_of(reports.full())
    assert [case.get("time") for case in root[0]] == ["0.114"] * 8
    assert float(root.get("time") or 0) == pytest.approx(1.25, abs=0.01)


def test_what_xml_forbids_is_escaped() -> None:
    case = suites_of(reports.one_bad("a\0b\x1bc\ud800d\uffff", "reason"))[0][0]
    assert (case.get("name") or "").endswith(r"a\x00b\x1bc\ud800d\uffff")


def test_an_image_that_stops_no_deployment_is_a_failure_with_the_reason() -> None:
    case = suites_of(reports.full())[0][4]
    assert case[0].tag == "failure"
    assert (
        "  not stopped: The text is only handed on, so it is not certain that anything pulls it."
        in (case[0].text or "")
    )


@given(text=st.text())
def test_any_text_makes_a_valid_document(text: str) -> None:
    root = suites_of(reports.one_bad(text, text))
    assert outcomes(root[0]) == [("failure", "reference-invalid"), ("error", None)]
