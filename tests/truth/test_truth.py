"""What must be reported of resources that people really deployed, through discovery and checking."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from layerguard.checking.checker import Checker
from layerguard.discovery.resources import DiscoveredResources
from layerguard.enforcement import Enforcement, Finding, Mode, Run, apply_settings, decide
from layerguard.settings import Settings
from layerguard.verdict import Code, State

from tests.truth.registry import TruthRegistry

FOLDER = Path(__file__).parent
CASES = [json.loads(line) for line in (FOLDER / "cases.jsonl").read_text().splitlines()]
OPEN = frozenset((FOLDER / "open.txt").read_text().split())
SENTINELS = ("04da6b54-80e4-46f7-96ec-b56ff0331ba9",)
ENVIRONMENT = {"AWS_REGION": "us-east-1"}


@dataclass(frozen=True)
class Resource:
    """A resource as the policy SDK hands it over."""

    urn: str
    resource_type: str
    props: Mapping[str, Any]
    provider: None = None


def findings_on(case: Mapping[str, Any]) -> list[Finding]:
    """Return the findings on the resource of ``case`` in a preview, with the usual settings."""
    given = case["resource"]
    urn = f"urn:pulumi:dev::truth::{given['type']}::{given['name']}"
    found = DiscoveredResources(SENTINELS, ENVIRONMENT).discover(
        Resource(urn, given["type"], given["inputs"])
    )
    settings = Settings()
    uses = [apply_settings(use, settings) for use in found.uses]
    checker = Checker.in_process(TruthRegistry.named(case["registry"]))
    try:
        verdicts = checker.check(uses)
    finally:
        checker.close()
    run = Run(Mode.PREVIEW)
    return [decide(*each, settings, run) for each in zip(uses, verdicts, strict=True)]


def is_met(expect: str, findings: list[Finding]) -> bool:
    blocking = [each for each in findings if each.enforcement is Enforcement.BLOCK]
    reported = [each for each in findings if each.enforcement is not Enforcement.NONE]
    kind, _, codes = expect.partition(":")
    match kind:
        case "available":
            has_available = any(each.verdict.state is State.AVAILABLE for each in findings)
            return has_available and not reported
        case "not-stop":
            return not blocking
        case "told":
            return bool(reported)
        case "stops":
            return any(each.verdict.code.text in codes.split(",") for each in blocking)
        case "no-bug":
            return all(each.verdict.code is not Code.INTERNAL_ERROR for each in findings)
        case "context":
            return True
        case _:
            raise ValueError(f"There is no expectation {expect}.")


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(
            case,
            id=case["id"],
            marks=[pytest.mark.xfail(reason="not met yet", strict=True)]
            if case["id"] in OPEN
            else [],
        )
        for case in CASES
    ],
)
def test_what_is_so_is_reported(case: Mapping[str, Any]) -> None:
    findings = findings_on(case)
    assert is_met(case["expect"], findings), [finding.message for finding in findings]
