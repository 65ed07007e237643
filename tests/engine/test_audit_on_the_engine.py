"""Audits of what the real engine has made: a running stack, and its export beside the gates."""

from __future__ import annotations

import os
from pathlib import Path
from xml.etree import ElementTree

import pytest
from layerguard_sandbox.ecr import SandboxEcr, fill
from layerguard_sandbox.engine import Engine

from tests.cli.auditing import audit, audit_json
from tests.engine.conftest import Start
from tests.engine.programs import recorded

EXPECTED = {
    ("as-keys", "imageUri"): "secret-not-shown",
    ("cart", "imageUri"): "repository-not-found",
    ("grouped", "imageUri"): "layer-missing",
    ("later", "imageUri"): "repository-not-found",
    ("secretive", "containerDefinitions"): "secret-not-shown",
    ("web", "containerDefinitions[0].image"): "layer-missing",
    ("web", "containerDefinitions[1].image"): "not-private-ecr",
    ("web", "spec.template.spec.containers[0].image"): "layer-missing",
    ("worker", "imageUri"): "available",
}


@pytest.fixture
def deployed(start: Start, ecr: SandboxEcr) -> Engine:
    """A running stack, made while the gates were off; one image of it has lost a layer."""
    ecr.principals.add_role("123456789012", "deploy", trusts=[ecr.keys.arn])
    web = fill(ecr).web
    ecr.registry("123456789012", "eu-west-1").lose_layer(web.repository, web.layers[0])
    engine = start(recorded, {**ecr.environment, "LAYERGUARD": "off"})
    outcome = engine.up()
    assert outcome.passed, outcome.output
    return engine


def test_a_running_stack_is_audited_by_its_name(deployed: Engine, ecr: SandboxEcr) -> None:
    variables = {**deployed.variables, "PATH": os.environ["PATH"]}
    found = audit_json(ecr, "--stack", "dev", "--stack", "gone", cwd=deployed.folder, **variables)
    dev, gone = found["sources"]
    assert (dev["name"], dev["kind"], dev["problems"]) == ("dev", "stack", [])
    assert {
        (image["urn"].rpartition("::")[2], image["path"]): image["code"] for image in dev["images"]
    } == EXPECTED
    assert (gone["name"], gone["kind"]) == ("gone", "unreadable")
    assert gone["problems"] == ["pulumi stack export failed: error: no stack named 'gone' found"]


def test_an_audit_of_an_export_reports_what_the_gates_report(
    deployed: Engine, start: Start, ecr: SandboxEcr, tmp_path: Path
) -> None:
    state = deployed.export(tmp_path / "export.json")
    analyzed = [line.strip() for line in start(lambda: None).analyze(state).output.splitlines()]
    report = audit(ecr, state, "--format", "junit").stdout
    reported = [
        (case.findtext("failure") or case.findtext("error") or "").splitlines()
        for case in ElementTree.fromstring(report).iter("testcase")
    ]
    bad = [[line.strip() for line in lines] for lines in reported if lines]
    assert len(bad) == 6
    for lines in bad:
        begins = [place for place, line in enumerate(analyzed) if line == lines[0]]
        assert any(analyzed[place : place + len(lines)] == lines for place in begins), lines
