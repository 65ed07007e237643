"""Runs ``layerguard audit`` as a subprocess, over a sandbox."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from layerguard_sandbox.ecr import Answer, Fault, SandboxEcr
from layerguard_sandbox.engine import ROOT

from tests.processes import wait_until

COMMAND = (sys.executable, "-m", "layerguard_cli", "audit")
WEB = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:1.4.2"
WORKER = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/worker:1.4.2"
REPORT = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/report:1.4.2"
ABSENT = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:none"


def environment(ecr: SandboxEcr, **more: str) -> dict[str, str]:
    own = {
        "PYTHONPATH": os.pathsep.join(str(ROOT / each) for each in ("policy", "cli", "sandbox")),
        "PYTHONWARNINGS": "error",
    }
    return {**ecr.isolate(os.environ), **own, **more}


def audit(
    ecr: SandboxEcr, *words: str | Path, stdin: str = "", cwd: str | None = None, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run it to its end, without a terminal."""
    return subprocess.run(
        [*COMMAND, *map(str, words)],
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        env=environment(ecr, **more),
        cwd=cwd,
        timeout=60,
    )


def audit_json(
    ecr: SandboxEcr, *words: str | Path, stdin: str = "", cwd: str | None = None, **more: str
) -> Any:
    run = audit(ecr, "--format", "json", *words, stdin=stdin, cwd=cwd, **more)
    assert run.stdout, run.stderr
    return json.loads(run.stdout)


def without_endpoint_note(stderr: str) -> str:
    """What is on standard error beside the note about the sandbox's endpoint."""
    notes = re.findall(
        r"^layerguard: ECR was asked at http://127.0.0.1:[0-9]+/?, not .*\n", stderr, re.MULTILINE
    )
    assert len(notes) == 1, stderr
    return stderr.replace(notes[0], "")


def hang_after(ecr: SandboxEcr, repository: str) -> None:
    """Let ECR never answer about a repository."""
    ecr.faults.add(Fault(Answer.HANG, repository=repository))


def wait_until_asked(ecr: SandboxEcr, operation: str, repository: str) -> None:
    """Wait until ECR was asked this; fail where it never is."""
    wait_until(
        lambda: any(
            (each.operation, each.repository) == (operation, repository) for each in ecr.requests
        )
    )
