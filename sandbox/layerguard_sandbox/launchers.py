"""The executables that the engine looks for on PATH, written for one run of the sandbox.

They are written and not kept, because they name the Python and the pulumi of this machine.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from shlex import quote

from layerguard_sandbox import provider

LANGUAGE_HOST = "pulumi-language-python"
ANALYZER = "pulumi-analyzer-policy-python"
# A program for Python: run a command with the default action of SIGINT.
_WITH_SIGINT = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
    "os.execv(sys.argv[1], sys.argv[1:])"
)


def write_launchers(folder: Path, pids: Path, environment: Mapping[str, str]) -> None:
    """Write launchers of pulumi, of the offline providers and, where needed, of the pack.

    The engine and the pack write their process ids to ``pids``. The user's own AWS_* variables
    are taken out, unless ``environment`` sets them. The engine ends a pack with SIGINT, so none
    of them ignores it, even where this process does. Raises FileNotFoundError without a pulumi.
    """
    pulumi = shutil.which("pulumi")
    if pulumi is None:
        raise FileNotFoundError(
            "There is no pulumi on PATH; `make pulumi-path` finds or builds one."
        )
    foreign = [name for name in os.environ if name.startswith("AWS_") and name not in environment]
    _write(
        folder / "pulumi",
        *(f"unset {name}" for name in foreign),
        f"echo $$ > {quote(str(pids))}",
        f'exec {_restoring_sigint()}{quote(pulumi)} "$@"',
    )
    root = Path(__file__).parents[1]
    for name in provider.NAMES:
        _write(
            folder / f"pulumi-resource-{name}",
            f"cd {quote(str(root))}",
            f'exec {quote(sys.executable)} -u -m layerguard_sandbox.provider {name} "$@"',
        )
    if not _has_language_host(Path(pulumi)):
        # What the language host does otherwise: start the pack in its own environment.
        _write(
            folder / ANALYZER,
            f"echo $$ >> {quote(str(pids))}",
            'exec venv/bin/python -u -m pulumi.policy "$1" .',
        )


def _restoring_sigint() -> str:
    """Return what to put before a command where this process ignores SIGINT.

    Children inherit that (of `nohup`, and of a shell's background jobs), and a shell cannot undo
    it for its own. Source: POSIX, "trap".
    """
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        return ""
    return f"{quote(sys.executable)} -I -S -c {quote(_WITH_SIGINT)} "


def _has_language_host(pulumi: Path) -> bool:
    beside = pulumi.resolve().parent / LANGUAGE_HOST
    return beside.exists() or shutil.which(LANGUAGE_HOST) is not None


def _write(path: Path, *lines: str) -> None:
    path.write_text("\n".join(("#!/bin/sh", *lines, "")))
    path.chmod(0o755)
