"""Completion: what real shells offer with the script that the command prints."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from layerguard_cli import COMMANDS

COMMAND = Path(sys.executable).parent / "layerguard"
# Ask the function that the script registers, as bash does at a press of the tab key.
IN_BASH = """
source "$1"; shift
read -r _ _ _ _ function _ <<<"$(complete -p layerguard)"
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
"$function" layerguard "${@: -1}" "${@: -2:1}"
printf '%s\\n' "${COMPREPLY[@]}"
"""
IN_FISH = "source $argv[1]; complete --do-complete $argv[2]"
OFFERS = [
    (["check", "--p"], {"--platform", "--profile"}),
    (["completion", ""], {"bash", "zsh", "fish"}),
    (["batch-check-layer-availability", "--output", ""], {"json", "text", "table"}),
    (["batch-check-layer-availability", "--color", ""], {"on", "off", "auto"}),
    (["sandbox", "--la"], {"--latency"}),
    ([""], {command.name for command in COMMANDS}),
]


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the script of each shell."""
    folder = tmp_path_factory.mktemp("scripts")
    for shell in ("bash", "zsh", "fish"):
        run = subprocess.run([COMMAND, "completion", shell], capture_output=True, check=True)
        assert run.stderr == b""
        (folder / shell).write_bytes(run.stdout)
    return folder


def shell(name: str) -> str:
    """Return the path of the shell, or skip the test where it is not installed."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed here")
    return found


@pytest.mark.parametrize(("words", "offered"), OFFERS, ids=lambda value: " ".join(sorted(value)))
def test_bash_offers(words: list[str], offered: set[str], scripts: Path) -> None:
    run = subprocess.run(
        [shell("bash"), "-c", IN_BASH, "bash", scripts / "bash", "layerguard", *words],
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(run.stdout.split()) == offered
    assert run.stderr == ""


@pytest.mark.parametrize(("words", "offered"), OFFERS, ids=lambda value: " ".join(sorted(value)))
def test_fish_offers(words: list[str], offered: set[str], scripts: Path) -> None:
    run = subprocess.run(
        [shell("fish"), "-c", IN_FISH, scripts / "fish", " ".join(["layerguard", *words])],
        capture_output=True,
        text=True,
        check=True,
    )
    assert {line.partition("\t")[0] for line in run.stdout.splitlines()} == offered


def test_zsh_finds_the_script_in_its_folder(scripts: Path, tmp_path: Path) -> None:
    shutil.copy(scripts / "zsh", tmp_path / "_layerguard")
    code = (
        "fpath=($1 $fpath); autoload -Uz compinit; compinit -u -D\n"
        "print -r -- $_comps[layerguard]; autoload +X _layerguard"
    )
    run = subprocess.run(
        [shell("zsh"), "-f", "-c", code, "zsh", tmp_path],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (run.stdout, run.stderr) == ("_layerguard\n", "")
    subprocess.run([shell("zsh"), "-n", scripts / "zsh"], check=True)
