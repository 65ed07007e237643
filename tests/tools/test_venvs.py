"""When a virtual environment is made anew, with a script in place of Python."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.tools.conftest import ROOT, Machine
from tools.job import SetupFailed
from tools.venvs import ENVIRONMENTS, Environment, provide

WANTED = Environment("venv", ("-r", "needs.txt"), ("needs.txt",), "this test")
# `python -m venv FOLDER` puts this script into FOLDER; `pip install` refuses the need "absent".
PYTHON = """
case $2 in
venv) mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
pip) ! grep absent needs.txt ;;
esac"""


@dataclass(frozen=True)
class Clone:
    """A clone whose one environment is ready."""

    folder: Path
    machine: Machine

    def provide(self) -> None:
        provide(WANTED, self.folder, self.machine.environ, str(self.machine.commands / "python"))

    def remakes(self) -> bool:
        witness = self.folder / "venv" / "witness"
        witness.touch()
        self.provide()
        return not witness.exists()

    def needs(self, text: str) -> None:
        (self.folder / "needs.txt").write_text(text)


@pytest.fixture
def clone(machine: Machine) -> Clone:
    machine.install("python", PYTHON)
    made = Clone(machine.folder / "clone", machine)
    made.folder.mkdir()
    made.needs("boto3\n")
    made.provide()
    return made


def test_a_ready_environment_is_left_as_it_is(clone: Clone) -> None:
    assert not clone.remakes()


def test_changed_needs_make_it_anew(clone: Clone) -> None:
    clone.needs("boto3\nmoto\n")
    assert clone.remakes()
    assert not clone.remakes()


def test_one_whose_making_was_interrupted_is_made_anew(clone: Clone) -> None:
    (clone.folder / "venv" / "layerguard-ready").unlink()
    assert clone.remakes()


def test_one_whose_needs_cannot_be_met_is_never_ready_and_says_why(clone: Clone) -> None:
    clone.needs("absent\n")
    for _ in range(2):
        with pytest.raises(SetupFailed, match=r"^python failed .* 1:\n    absent$"):
            clone.provide()


def test_a_clone_that_was_moved_is_set_up_again(clone: Clone) -> None:
    moved = Clone(clone.folder.rename(clone.folder.with_name("moved")), clone.machine)
    assert moved.remakes()


def test_the_files_that_decide_the_real_environments_are_there() -> None:
    for environment in ENVIRONMENTS:
        for name in environment.decided_by:
            assert (ROOT / name).is_file()
