"""The report as JSON: valid against its schema, which describes every member."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from layerguard import __version__
from layerguard.enforcement import Enforcement
from layerguard.verdict import BlobState, Code, State
from layerguard_cli.reports.as_json import SCHEMA_VERSION, render
from layerguard_cli.reports.audit_report import AuditReport
from layerguard_cli.sources.source import SourceKind

from tests.cli.reports import reports
from tests.fakes import digest_of

SCHEMA = json.loads(
    (Path(__file__).parents[3] / "docs" / "audit-report.schema.json").read_text(encoding="utf-8")
)
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)
REPORTS = (reports.full, reports.clean, reports.empty, reports.interrupted)


def rendered(report: AuditReport) -> Any:
    document = json.loads(render(report))
    VALIDATOR.validate(document)
    return document


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    yield from (each for each in schema["$defs"].values() if each.get("type") == "object")


@pytest.mark.parametrize("make", REPORTS)
def test_every_report_is_valid_and_always_the_same(make: Any) -> None:
    assert rendered(make()) == rendered(make())


def test_the_schema_is_one_and_describes_every_member_and_allows_no_other() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    for each in objects(SCHEMA):
        assert each["additionalProperties"] is False
        assert set(each["required"]) == set(each["properties"])
        assert all("description" in member for member in each["properties"].values())


def test_the_schema_knows_every_word() -> None:
    kinds = SCHEMA["$defs"]["source"]["properties"]["kind"]["enum"]
    image = SCHEMA["$defs"]["image"]["properties"]
    layers = SCHEMA["$defs"]["layer"]["properties"]["state"]["enum"]
    assert set(kinds) == {kind.value for kind in SourceKind}
    assert set(image["state"]["enum"]) == {state.value for state in State}
    assert set(image["enforcement"]["enum"]) == {each.value for each in Enforcement}
    assert set(layers) == {state.name.lower() for state in BlobState}
    code = Draft202012Validator(image["code"])
    assert all(code.is_valid(each.text) for each in Code)


def test_the_head_has_what_when_and_how_much() -> None:
    document = rendered(reports.full())
    assert {name: value for name, value in document.items() if name != "sources"} == {
        "schemaVersion": SCHEMA_VERSION,
        "layerguardVersion": __version__,
        "began": "2026-11-24T09:30:05Z",
        "complete": True,
        "outcome": "5 image uses are unavailable, 1 image use is undetermined, "
        "1 image use is pending, the sources could not be read in full.",
        "summary": {
            "imageUses": 10,
            "images": 6,
            "layers": 14,
            "unavailable": 5,
            "undetermined": 1,
            "pending": 1,
            "skipped": 1,
            "available": 3,
            "unanswered": 0,
            "problems": 1,
            "calls": document["summary"]["calls"],
            "seconds": 1.25,
        },
    }


def test_an_image_has_every_member() -> None:
    base, lost, app = (
        reports.layer("base", 2_900),
        reports.layer("lost", 4_000),
        reports.layer("app", 1_000),
    )
    digest = str(reports.image_of(base, lost, app, config="b").digest)
    broken = rendered(reports.full())["sources"][0]["images"][1]
    reference = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:broken"
    there, missing = "available", "unavailable"
    assert broken == {
        "urn": "urn:pulumi:production::shop::aws:ecs/taskDefinition:TaskDefinition::broken",
        "resourceType": "aws:ecs/taskDefinition:TaskDefinition",
        "path": "containerDefinitions[0].image",
        "container": "web",
        "reference": reference,
        "platform": "linux/amd64",
        "code": "layer-missing",
        "state": "unavailable",
        "certain": True,
        "enforcement": "block",
        "why": "It is proven that the image cannot be pulled.",
        "reason": Code.LAYER_MISSING.meaning,
        "nextStep": f"push the image again, which uploads what is missing: docker push {reference}",
        "digest": digest,
        "manifests": [
            {
                "digest": digest,
                "platform": None,
                "layers": [
                    {
                        "digest": str(digest_of(content)),
                        "role": role,
                        "state": state,
                        "size": size * reports.SCALE,
                    }
                    for content, role, state, size in (
                        (base, "layer 1 of 3", there, 2_900),
                        (lost, "layer 2 of 3", missing, 4_000),
                        (app, "layer 3 of 3", there, 1_000),
                        ("b", "config", there, 1),
                    )
                ],
            }
        ],
    }


def test_an_interrupted_audit_has_how_much_is_not_answered() -> None:
    document = rendered(reports.interrupted())
    assert document["complete"] is False
    assert document["outcome"] == "The audit is not complete."
    assert document["sources"][0]["unanswered"] == document["summary"]["unanswered"] == 1


def test_an_image_that_only_warns_has_the_reason() -> None:
    gone = rendered(reports.full())["sources"][0]["images"][4]
    assert (gone["state"], gone["enforcement"]) == ("unavailable", "warn")
    assert gone["why"] == "The text is only handed on, so it is not certain that anything pulls it."


@given(text=st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=50))
def test_a_legible_text_comes_back_as_it_was(text: str) -> None:
    image = rendered(reports.one_bad(f"x{text}", f"x{text}"))["sources"][0]["images"][0]
    assert (image["reference"], image["reason"]) == (f"x{text}", f"x{text}")
    assert render(reports.one_bad(text, text)).isascii()
