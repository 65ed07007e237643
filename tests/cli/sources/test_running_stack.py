"""A running stack, through commands that stand in for the pulumi binary."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

import pytest
from layerguard_cli.sources.running_stack import Pulumi
from layerguard_cli.sources.source import SourceKind, SourceUnreadable

from tests.cli.sources.states import HOST, export, state, summary_of
from tests.processes import is_running, wait_until

EXPORT = json.dumps(export(state("web", f"{HOST}/shop/web:1")))


def pulumi(folder: Path, script: str, timeout: float = 30.0) -> Pulumi:
    binary = folder / "pulumi"
    binary.write_text(f"#!/bin/sh\n{script}\n")
    binary.chmod(0o755)
    return Pulumi(str(binary), {**os.environ, "OUT": str(folder / "out")}, timeout)


def error_of(stack: Pulumi, name: str = "acme/shop/dev") -> str:
    with pytest.raises(SourceUnreadable) as raised:
        stack.read_stack(name)
    return str(raised.value)


def test_it_is_exported_by_its_name_without_a_prompt_and_without_secrets(tmp_path: Path) -> None:
    script = f'echo "$@" >"$OUT"; read line && echo asked; echo {shlex.quote(EXPORT)}'
    source = pulumi(tmp_path, script).read_stack("acme/shop/dev")
    assert (source.name, source.kind, source.problems) == ("acme/shop/dev", SourceKind.STACK, ())
    assert [summary_of(use) for use in source.uses] == ["web imageUri: shop/web:1"]
    arguments = (tmp_path / "out").read_text()
    assert arguments == "stack export --stack=acme/shop/dev --non-interactive\n"


def test_without_pulumi_the_reason_has_what_to_do() -> None:
    assert error_of(Pulumi(None, {})) == (
        "There is no pulumi on PATH to export the stack with; install it, or give a file that "
        "pulumi stack export made."
    )


def test_a_failure_has_the_message_of_pulumi(tmp_path: Path) -> None:
    failing = pulumi(tmp_path, "echo \"error: no stack named 'dev' found\" >&2; exit 6")
    assert error_of(failing) == "pulumi stack export failed: error: no stack named 'dev' found"
    assert error_of(pulumi(tmp_path, "exit 1")) == "pulumi stack export failed: without a message."


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("true", "It has no JSON document."),
        ("echo hello", "It is not valid JSON at line 1, column 1."),
        ("echo '{}'", "What pulumi stack export printed is no stack export."),
    ],
)
def test_output_that_is_no_export_is_refused(tmp_path: Path, script: str, reason: str) -> None:
    assert error_of(pulumi(tmp_path, script)) == reason


def test_one_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    hanging = pulumi(tmp_path, 'sleep 300 & echo $! >"$OUT"; wait', timeout=1.0)
    assert error_of(hanging) == "pulumi stack export did not answer within 1 s."
    child = int((tmp_path / "out").read_text())
    wait_until(lambda: not is_running(child))
