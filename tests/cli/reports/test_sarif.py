"""The report as SARIF: valid against the standard's schema (README.md says where it is from)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from layerguard.verdict import Code, State
from layerguard_cli.reports.as_sarif import render
from layerguard_cli.reports.audit_report import AuditReport
from layerguard_cli.sources.source import Source, SourceKind

from tests.cli.reports import reports
from tests.fakes import HOST

SCHEMA = json.loads((Path(__file__).parent / "sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
VALIDATOR = Draft7Validator(SCHEMA, format_checker=Draft7Validator.FORMAT_CHECKER)


def run_of(report: AuditReport) -> Any:
    log = json.loads(render(report))
    VALIDATOR.validate(log)
    [run] = log["runs"]
    return run


@pytest.mark.parametrize("make", [reports.full, reports.clean, reports.empty, reports.interrupted])
def test_every_report_is_valid_and_always_the_same(make: Callable[[], AuditReport]) -> None:
    assert run_of(make()) == run_of(make())


def test_a_state_decides_the_level_and_what_is_available_or_skipped_is_no_result() -> None:
    results = run_of(reports.full())["results"]
    assert [(result["ruleId"], result["level"]) for result in results] == [
        ("layer-missing", "error"),
        ("layer-archived", "error"),
        ("layer-missing", "error"),
        ("image-not-found", "error"),
        ("access-denied", "warning"),
        ("unknown-in-preview", "note"),
        ("reference-invalid", "error"),
    ]


def test_every_code_that_can_be_a_result_is_a_rule_with_its_meaning() -> None:
    run = run_of(reports.full())
    rules = run["tool"]["driver"]["rules"]
    no_results = (State.AVAILABLE, State.SKIPPED)
    assert [rule["id"] for rule in rules] == [c.text for c in Code if c.state not in no_results]
    assert rules[0]["name"] == "LayerMissing"
    assert rules[0]["help"]["text"].startswith(Code.LAYER_MISSING.meaning)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert rules[result["ruleIndex"]]["defaultConfiguration"]["level"] == result["level"]


def test_a_result_has_the_message_of_the_gates() -> None:
    report = reports.full()
    assert run_of(report)["results"][0]["message"]["text"] == report.findings[1].message


def test_a_result_of_a_stack_is_at_a_property_of_a_resource() -> None:
    urn = "urn:pulumi:production::shop::aws:ecs/taskDefinition:TaskDefinition::broken"
    assert run_of(reports.full())["results"][0]["locations"] == [
        {
            "logicalLocations": [
                {
                    "name": "containerDefinitions[0].image",
                    "fullyQualifiedName": f"{urn}#containerDefinitions[0].image",
                    "kind": "property",
                }
            ]
        }
    ]


def test_a_result_of_a_file_is_in_the_file() -> None:
    assert run_of(reports.full())["results"][-1]["locations"] == [
        {
            "physicalLocation": {"artifactLocation": {"uri": "deploy/my%20app.yaml"}},
            "logicalLocations": [
                {
                    "name": "CronJob/report.containers[0].image",
                    "fullyQualifiedName": "deploy/my app.yaml#CronJob/report.containers[0].image",
                    "kind": "property",
                }
            ],
        }
    ]


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        ("/srv/a.yaml", "file:///srv/a.yaml"),
        ("a:b#c?.yaml", "a%3Ab%23c%3F.yaml"),
        ("not-utf-8-\udcff.yaml", "not-utf-8-%ED%B3%BF.yaml"),
    ],
)
def test_a_path_becomes_a_uri(name: str, uri: str) -> None:
    bad = reports.elsewhere(f"{HOST}/Not Valid", "path")
    report = reports.audit(Source(name, SourceKind.KUBERNETES, (bad,)))
    [location] = run_of(report)["results"][0]["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_a_pipe_is_no_file() -> None:
    bad = reports.elsewhere(f"{HOST}/Not Valid", "path")
    report = reports.audit(Source("-", SourceKind.REFERENCES, (bad,)))
    assert "physicalLocation" not in run_of(report)["results"][0]["locations"][0]


def test_fingerprints_distinguish_uses_and_stay_when_others_come_and_the_verdict_changes() -> None:
    def fingerprints(report: AuditReport) -> list[str]:
        return [
            result["partialFingerprints"]["primaryLocationLineHash"]
            for result in run_of(report)["results"]
        ]

    both = (reports.image("gone"), reports.image("secret"))
    before = fingerprints(reports.audit(Source("s", SourceKind.STACK, both)))
    after = fingerprints(
        reports.audit(
            Source("s", SourceKind.STACK, (reports.image("new"), *both)),
            registry=reports.registry(),
        )
    )
    assert len(set(after)) == 3
    assert after[1:] == before


def test_a_run_without_notifications_succeeded() -> None:
    [invocation] = run_of(reports.clean())["invocations"]
    assert invocation == {
        "executionSuccessful": True,
        "startTimeUtc": "2026-11-24T09:30:05Z",
        "toolExecutionNotifications": [],
    }


def test_an_interrupted_audit_did_not_succeed() -> None:
    [invocation] = run_of(reports.interrupted())["invocations"]
    assert invocation["executionSuccessful"] is False
    assert [each["message"]["text"] for each in invocation["toolExecutionNotifications"]] == [
        "The audit was interrupted before its end.",
        "acme/shop/production: image uses that were not checked: 1.",
    ]


def test_an_audit_of_a_source_with_problems_did_not_succeed() -> None:
    [invocation] = run_of(reports.full())["invocations"]
    assert invocation["executionSuccessful"] is False
    assert [each["message"]["text"] for each in invocation["toolExecutionNotifications"]] == [
        "deploy/my app.yaml: Document 3 is not YAML."
    ]


def test_a_text_of_the_user_is_no_placeholder_and_no_link() -> None:
    message = run_of(reports.one_bad("{0} [see](1)", "reason"))["results"][0]["message"]["text"]
    assert message.splitlines()[0].endswith(r": {{0}} \[see](1)")


@given(text=st.text())
def test_any_text_makes_a_valid_log(text: str) -> None:
    report = reports.one_bad(text, text)
    run = run_of(replace(report, complete=False))
    assert len(run["results"]) == 1
