"""One stack and one pack on the real engine, run as a person would: `pulumi preview`, `pulumi up`.

The program and the provider are the benchmark's own, so that the times are the engine's and the
pack's: what the sandbox has for both is in Python, and costs as much as what is compared.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from layerguard_sandbox.engine import engine_variables
from layerguard_sandbox.launchers import write_launchers

from bench.program import Program

_PROJECT = "name: bench\nruntime: python\n"  # what the program is in is not asked of a client
_STACK = "dev"


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command of pulumi ended, and all that it printed."""

    passed: bool
    output: str


class Deployment:
    """A stack under ``pack``, with all that belongs to it in ``folder``.

    ``pids`` is where the ids of the engine and the pack are while a command runs.
    """

    def __init__(
        self, pack: Path, provider: Path, folder: Path, environment: Mapping[str, str]
    ) -> None:
        self.pids = folder / "pids"
        self._folder = folder
        self._pack = pack
        launchers = folder / "bin"
        launchers.mkdir()
        write_launchers(launchers, self.pids, environment)
        launcher = launchers / provider.name
        launcher.unlink()
        launcher.symlink_to(provider)
        (folder / "state").mkdir()
        (folder / "Pulumi.yaml").write_text(_PROJECT)
        self._pulumi = launchers / "pulumi"
        self._environment = {
            **os.environ,
            **environment,
            **engine_variables(folder),
        }

    def begin(self) -> Ran:
        """Make the empty stack."""
        return self._run("stack", "init", _STACK)

    def preview(self, program: Program) -> Ran:
        """Run `pulumi preview`."""
        return self._deploy(program, "preview")

    def update(self, program: Program) -> Ran:
        """Run `pulumi up --skip-preview`."""
        return self._deploy(program, "up", "--skip-preview", "--yes")

    def analyze(self, state: Path) -> Ran:
        """Run `pulumi policy analyze` on an exported state."""
        return self._run(
            "policy", "analyze", "--file", str(state), "--policy-pack", str(self._pack)
        )

    def _deploy(self, program: Program, *command: str) -> Ran:
        client = f"--client={program.address}"
        return self._run(*command, "--stack", _STACK, "--policy-pack", str(self._pack), client)

    def _run(self, *command: str) -> Ran:
        ran = subprocess.run(
            [str(self._pulumi), *command, "--non-interactive"],
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return Ran(ran.returncode == 0, ran.stdout)
