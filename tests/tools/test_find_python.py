"""Which Python sets the project up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.tools.conftest import ROOT, SYSTEM, Machine

SHIM = 'echo "pyenv: command not found" >&2; echo "Note: more words" >&2; exit 127'


def find_python(machine: Machine, asked: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "tools" / "find-python.sh"],
        env={"PATH": f"{machine.commands}:{SYSTEM}", "PYTHON": asked},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_environment_s_python_stands_for_the_one_it_was_made_with(
    machine: Machine,
) -> None:
    found = find_python(machine, sys.executable)
    assert (found.returncode, found.stderr) == (0, "")
    assert sys.prefix != sys.base_prefix, "the tests run in a virtual environment"
    assert Path(found.stdout.strip()) == Path(sys.executable).resolve()


def test_one_that_does_not_run_is_named_with_its_reason(machine: Machine) -> None:
    shim = machine.install("python3.12", SHIM)
    found = find_python(machine, "python3.12")
    assert (found.returncode, found.stdout) == (1, "")
    assert found.stderr.splitlines()[-2:] == ["Found:", f"    {shim}: pyenv: command not found"]


def test_one_that_is_not_there_is_not_replaced_by_another(machine: Machine) -> None:
    found = find_python(machine, "python3.99")
    assert (found.returncode, found.stdout) == (1, "")
    assert found.stderr.splitlines()[-2:] == ["Looked for: python3.99", "Found: none of them"]
