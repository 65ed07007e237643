"""The two virtual environments, made anew when one is missing, unfinished or out of date.

`python -m tools.venvs` makes them with the Python that runs it; with the name of a folder, it
makes the first of them there, and only that.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tools.job import SetupFailed, exit_status, run, say
from tools.lock import hold

_STAMP = "layerguard-ready"  # written last: an environment without it is unfinished


@dataclass(frozen=True)
class Environment:
    """A virtual environment of the clone. Paths are relative to the clone."""

    folder: str
    install: tuple[str, ...]  # arguments of `pip install`
    decided_by: tuple[str, ...]  # files whose content decides what these arguments install
    purpose: str


# fmt: off
ENVIRONMENTS = (
    Environment(".venv", ("-r", "requirements.txt", "-e", "."),
                ("requirements.txt", "policy/requirements.txt", "pyproject.toml"),
                "the sample stack, the sandbox, the tests and the layerguard command"),
    Environment("policy/venv", ("-r", "policy/requirements.txt"), ("policy/requirements.txt",),
                "the policy pack, as it is published"),
)
# fmt: on


def provide(
    environment: Environment, root: Path, environ: Mapping[str, str], python: str = sys.executable
) -> None:
    """Makes the environment, unless it is there, whole and of this Python and these files.

    Raises SetupFailed when Python or pip cannot; the next call then starts from nothing.
    """
    folder = root / environment.folder
    stamp, key = folder / _STAMP, _key(environment, root)
    if stamp.is_file() and stamp.read_text() == key:
        return
    if importlib.util.find_spec("ensurepip") is None:
        raise SetupFailed(
            f"{python} cannot make virtual environments: it has no ensurepip module.\n"
            "On Debian and Ubuntu: apt install python3-venv"
        )
    made_with = f"Python {platform.python_version()}, one or two minutes"
    say(f"installing {environment.folder} for {environment.purpose} ({made_with})")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    log = folder / "setup.log"
    run([python, "-m", "venv", folder], environ, root, log)
    pip = (folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check")
    run([*pip, "install", *environment.install], environ, root, log)
    stamp.write_text(key)


def _key(environment: Environment, root: Path) -> str:
    """Changes with all that an environment depends on; it cannot be moved, so its place too."""
    key = hashlib.sha256(repr((sys.version, sys.base_prefix, root, environment)).encode())
    for name in environment.decided_by:
        # From there on pyproject.toml configures the checkers, and decides nothing here.
        key.update((root / name).read_bytes().partition(b"\n[tool.ruff")[0])
    return key.hexdigest()


def main(folders: Sequence[str]) -> None:
    """Provides the environments of this clone, or those for the tests in other folders."""
    root = Path(__file__).resolve().parent.parent
    others = tuple(replace(ENVIRONMENTS[0], folder=folder) for folder in folders)
    with hold(root / "Makefile"):
        for environment in others or ENVIRONMENTS:
            provide(environment, root, os.environ)


if __name__ == "__main__":
    sys.exit(exit_status(lambda: main(sys.argv[1:])))
