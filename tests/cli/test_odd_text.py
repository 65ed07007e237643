"""Odd text on the real command line: names of files, options, references and terminals."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from layerguard_cli import main
from layerguard_cli.reports.formats import FORMATS
from layerguard_sandbox.ecr import SandboxEcr

from tests.cli.auditing import WEB, audit, environment

ODD = "\x1b[2J\u202e::set-env\u2028::stop ##[add-path]x"
POD = """\
apiVersion: v1
kind: Pod
metadata: {name: web}
spec: {containers: [{name: "\\e[2J\\u202E\\n::stop-commands::x", image: "%s-none"}]}
"""


def assert_is_legible(output: str) -> None:
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u2028\u202e\ud800-\udfff]", output)
    assert not re.search(r"^\s*::|##(vso)?\[", output, re.MULTILINE)


@pytest.mark.parametrize("name", FORMATS)
def test_a_report_of_odd_names_is_legible(ecr: SandboxEcr, tmp_path: Path, name: str) -> None:
    pod = tmp_path / os.fsdecode(b"not-utf-8-\xff-\x1b[2J.yaml")
    pod.write_text(POD % WEB)
    run = audit(ecr, pod, "--format", name)
    assert run.returncode == 1
    assert "image-not-found" in run.stdout
    assert_is_legible(run.stdout + run.stderr)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_no_encoding_of_a_terminal_is_trouble(
    ecr: SandboxEcr, tmp_path: Path, encoding: str
) -> None:
    pod = tmp_path / "\u2713.yaml"
    pod.write_text(POD % WEB)
    run = audit(ecr, pod, PYTHONIOENCODING=encoding)
    assert run.returncode == 1
    assert "Traceback" not in run.stderr


def test_a_check_of_odd_references_is_legible(
    ecr: SandboxEcr, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(ecr).items():
        monkeypatch.setenv(name, value)
    assert main(["check", f"{WEB}{ODD}", "::error::x", "x\udcff\0"]) == 1
    output = capsys.readouterr()
    assert "reference-invalid: argument: 123456789012" in output.out
    assert_is_legible(output.out + output.err)


@pytest.mark.parametrize(
    "words",
    [
        ["audit", f"--none={ODD}"],
        ["audit", "--all", "--out", f"{ODD}/none", "-"],
        ["check", "y", "--none=" + ODD.replace(" ", "")],
        ["check", "--platform", ODD, "x"],
        ["check", "--role-arn", ODD, "x"],
        [ODD],
    ],
    ids=lambda words: ascii(words[:2]),
)
def test_an_error_message_about_odd_usage_is_legible(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code: object = main(words)
    except SystemExit as ended:
        code = ended.code
    # What has a space in it is no option, but a source that is not there.
    assert code == (2 if words[0] == "audit" and "--out" not in words else 64)
    assert_is_legible(capsys.readouterr().err)


def test_no_credentials_of_an_endpoint_are_printed(ecr: SandboxEcr, tmp_path: Path) -> None:
    references = tmp_path / "references.txt"
    references.write_text(f"{WEB}\n{WEB}-none\n")
    url = ecr.endpoint.replace("://", "://user:hunter2@")
    run = audit(ecr, references, "--format", "json", "--endpoint-url", url)
    assert run.stdout
    assert "hunter2" not in run.stdout + run.stderr
