"""Runs the unit tests on every Python that the project supports, each in an environment of its own.

`python -m tools.pythons` takes versions, and without any runs all of them. One that this machine
does not have is left out, with a line on stderr.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tools.job import SetupFailed, exit_status, say
from tools.versions import answered

VERSIONS = ("3.10", "3.11", "3.12", "3.13")
# They need the engine, whose packs run in policy/venv, or look at the set-up of the clone.
_WITHOUT = ("engine", "sandbox/test_demo.py", "sandbox/test_engine.py", "test_readme.py")


def find(version: str, environ: Mapping[str, str]) -> Path | None:
    """Return a Python of this version on PATH or of pyenv, None where none runs."""
    for candidate in _candidates(version, environ):
        found = answered([candidate, "--version"], environ)
        if found and f"{found.major}.{found.minor}" == version:
            return candidate
    return None


def _candidates(version: str, environ: Mapping[str, str]) -> Iterator[Path]:
    on_path = shutil.which(f"python{version}", path=environ.get("PATH", ""))
    if on_path:
        yield Path(on_path)
    pyenv = Path(environ.get("PYENV_ROOT") or Path(environ.get("HOME", "/")) / ".pyenv")
    yield from sorted(pyenv.glob(f"versions/{version}.*/bin/python"), reverse=True)


def passes(version: str, root: Path, environ: Mapping[str, str]) -> bool:
    """Run the unit tests on one version; return whether they passed, or there is no such Python."""
    python = find(version, environ)
    if python is None:
        say(f"there is no Python {version} on this machine, so it is left out")
        return True
    folder = f".venv-{version}"
    left_out = [f"--ignore=tests/{each}" for each in _WITHOUT]
    pytest = [f"{root / folder}/bin/python", "-m", "pytest", *left_out]
    commands = (
        [str(python), "-m", "tools.venvs", folder],
        [*pytest, *environ.get("PYTEST_ARGS", "").split()],
    )
    variables = {**environ, "PIP_NO_COMPILE": "1"}  # most of what is installed is never imported
    return all(
        not subprocess.run(each, cwd=root, env=variables, check=False).returncode
        for each in commands
    )


def main(versions: Sequence[str]) -> None:
    """Test on these versions; raise SetupFailed with those on which a test fails."""
    root = Path(__file__).resolve().parent.parent
    failed = [each for each in versions or VERSIONS if not passes(each, root, os.environ)]
    if failed:
        raise SetupFailed(f"Tests fail on Python {', '.join(failed)}.")


if __name__ == "__main__":
    sys.exit(exit_status(lambda: main(sys.argv[1:])))
