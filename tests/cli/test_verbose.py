"""The log of the commands: on standard error with -v, in a file, and not at all otherwise."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from layerguard_sandbox.ecr import SandboxEcr

from tests.cli.auditing import ABSENT, WEB, audit, environment

RECORD = re.compile(r"^\d{4}-\d\d-\d\dT\S+Z \d+ [A-Z]+ layerguard[\w.]*: ", re.MULTILINE)


def check(ecr: SandboxEcr, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "layerguard_cli", "check", *words],
        capture_output=True,
        text=True,
        check=False,
        env=environment(ecr, **more),
        timeout=60,
    )


def test_without_the_option_there_is_no_log(ecr: SandboxEcr) -> None:
    for run in (check(ecr, WEB), audit(ecr, "-", stdin=WEB)):
        assert run.stdout
        assert not RECORD.search(run.stdout + run.stderr)


@pytest.mark.parametrize("option", ["-v", "--verbose"])
def test_with_the_option_every_call_is_on_standard_error(ecr: SandboxEcr, option: str) -> None:
    silent = check(ecr, ABSENT)
    for run in (check(ecr, option, ABSENT), audit(ecr, option, "-", stdin=ABSENT)):
        assert run.returncode == 1
        assert not RECORD.search(run.stdout)
        asked = "BatchGetImage of 123456789012 in eu-west-1, shop/web, 1 ids: ok in "
        assert f" DEBUG layerguard.registry: {asked}" in run.stderr
        cause = " INFO layerguard.checking: 1 image use: image-not-found: "
        assert cause in run.stderr.splitlines()[-2]
    verbose = check(ecr, option, ABSENT)
    assert silent.stdout.splitlines()[:-1] == verbose.stdout.splitlines()[:-1]


def test_a_log_may_go_to_a_file_that_only_its_user_can_read(
    ecr: SandboxEcr, tmp_path: Path
) -> None:
    file = tmp_path / "layerguard.log"
    run = check(ecr, WEB, LAYERGUARD_LOG=f"info:{file}")
    assert run.returncode == 0
    assert not RECORD.search(run.stderr)
    text = file.read_text()
    assert f" INFO layerguard.registry: ECR in eu-west-1 is asked at {ecr.endpoint}/\n" in text
    assert " DEBUG " not in text
    assert file.stat().st_mode & 0o077 == 0


def test_a_wrong_value_is_one_sentence_and_no_failure(ecr: SandboxEcr) -> None:
    run = check(ecr, WEB, LAYERGUARD_LOG="everything")
    assert run.returncode == 0
    assert run.stderr.splitlines()[0] == (
        "layerguard: LAYERGUARD_LOG is 'everything': allowed are debug, info, warning and error, "
        "each also with :FILE, a whole path; there is no log."
    )


def test_a_bug_is_logged_with_its_traceback(ecr: SandboxEcr, tmp_path: Path) -> None:
    """The bug is a module of the command that cannot be imported."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\nsys.modules['layerguard_cli.audit.report_writer'] = None\n"
    )
    variables = environment(ecr)
    path = os.pathsep.join((str(tmp_path), variables["PYTHONPATH"]))
    run = audit(ecr, "-v", "-", stdin=WEB, PYTHONPATH=path)
    assert run.returncode == 2
    assert " ERROR layerguard: This is a bug of Layerguard 0.1.0" in run.stderr
    assert "    Traceback (most recent call last):" in run.stderr
    assert re.search(
        r"^layerguard: internal-error: This is a bug of Layerguard 0\.1\.0, in the command line "
        r"\(layerguard_cli\.audit\.command:\d+\): ",
        run.stderr,
        re.MULTILINE,
    )
