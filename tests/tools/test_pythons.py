"""Which Pythons the unit tests run on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools.conftest import ROOT, Machine
from tools.pythons import VERSIONS, find, passes


def pyenv(machine: Machine, version: str) -> Path:
    """Install a Python as pyenv does, beside PATH; return it."""
    python = machine.folder / ".pyenv" / "versions" / version / "bin" / "python"
    python.parent.mkdir(parents=True)
    machine.install("made", f"echo Python {version}").rename(python)
    return python


def test_one_on_path_is_found(machine: Machine) -> None:
    python = machine.install("python3.12", "echo Python 3.12.7")
    assert find("3.12", machine.environ) == python
    assert find("3.13", machine.environ) is None


@pytest.mark.parametrize("script", ["exit 127", "echo Python 3.11.7"])
def test_one_of_pyenv_is_found_where_the_one_on_path_is_none(machine: Machine, script: str) -> None:
    machine.install("python3.12", script)
    pyenv(machine, "3.1.20")
    python = pyenv(machine, "3.12.1")
    assert find("3.12", machine.environ) == python


def test_a_version_that_is_not_there_is_left_out_with_a_word(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert passes("3.10", machine.folder, machine.environ)
    assert capsys.readouterr().err == (
        "layerguard: there is no Python 3.10 on this machine, so it is left out\n"
    )


def test_the_versions_are_those_that_the_project_supports() -> None:
    assert f'requires-python = ">={VERSIONS[0]}"' in (ROOT / "pyproject.toml").read_text()
