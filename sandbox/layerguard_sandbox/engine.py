"""Drives the real Pulumi engine: previews, updates and analyses, with a pack and without a cloud.

Programs are functions, run through the Automation API: it serves the language runtime itself, so
the plain ``pulumi`` binary is enough. State, Pulumi's home and the offline providers live in a
temporary folder that is gone with the context.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pulumi import automation

from layerguard_sandbox import provider
from layerguard_sandbox.launchers import write_launchers

ROOT = Path(__file__).parents[2]
ENDPOINT_NOTICE = "which is not AWS's own endpoint"
PASSPHRASE = "the sandbox keeps no secret"


@dataclass(frozen=True, slots=True)
class Violation:
    """A violation as the engine reports it; ``message`` begins with the policy's description."""

    policy: str
    urn: str
    level: str
    message: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run of the engine ended, its whole output, and its violations.

    The notice that ECR was asked at an endpoint which is not AWS's own, as every run in the sandbox
    has it, is not among the violations but in ``endpoint_notices``.
    """

    passed: bool
    output: str
    violations: tuple[Violation, ...]
    endpoint_notices: tuple[str, ...] = ()

    def messages(self, policy: str) -> tuple[str, ...]:
        """Return the messages of one policy, without its description."""
        return tuple(
            violation.message.partition("\n")[2].strip()
            for violation in self.violations
            if violation.policy == policy
        )

    def headlines(self, policy: str) -> list[str]:
        """Return the first lines of the messages of one policy, sorted."""
        return sorted(message.partition("\n")[0] for message in self.messages(policy))


def engine_variables(home: Path) -> dict[str, str]:
    """Return the variables that keep a pulumi within ``home``: launchers, state and own folder."""
    return {
        "PATH": f"{home / 'bin'}:{os.environ['PATH']}",
        "PULUMI_BACKEND_URL": f"file://{home / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_HOME": str(home / "home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }


def sample_stack() -> None:
    """Run the project's sample stack, as the language host would."""
    runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")


class Engine:
    """One stack, one pack, and the real engine, for as long as a ``with`` block lasts.

    ``environment`` is added to that of every process; the user's own AWS_* variables are taken
    out, so that no account of AWS is ever called. ``echo`` gets each line as the engine prints it.
    """

    def __init__(
        self,
        program: Callable[[], object],
        pack: Path,
        environment: Mapping[str, str],
        pack_config: Mapping[str, Any] | None = None,
        echo: Callable[[str], object] | None = None,
    ) -> None:
        self.program = program
        self._pack = pack
        self._environment = environment
        self._pack_config = pack_config
        self._echo = echo

    def __enter__(self) -> Engine:
        self._folder = tempfile.TemporaryDirectory(prefix="layerguard-")
        try:
            self._set_up(Path(self._folder.name))
        except BaseException:
            self._folder.cleanup()
            raise
        return self

    def _set_up(self, home: Path) -> None:
        self._journal = home / "journal"
        self._pids = home / "pids"
        (home / "bin").mkdir()
        (home / "state").mkdir()
        write_launchers(home / "bin", self._pids, self._environment)
        self._variables = {
            "LAYERGUARD_CACHE": "",  # that one would go before the other
            "XDG_CACHE_HOME": str(home / "cache"),
            **self._environment,
            **engine_variables(home),
            provider.JOURNAL_VARIABLE: str(self._journal),
        }
        self._options: dict[str, Any] = {"policy_packs": [str(self._pack)]}
        if self._pack_config is not None:
            config = home / "pack-config.json"
            config.write_text(json.dumps(self._pack_config))
            self._options["policy_pack_configs"] = [str(config)]
        self._stack = automation.create_stack(
            "dev",
            project_name="layerguard-sample",
            program=self._run_program,
            opts=automation.LocalWorkspaceOptions(
                work_dir=str(home),
                env_vars=self._variables,
                pulumi_command=automation.PulumiCommand(str(home)),
            ),
        )

    def __exit__(self, *_: object) -> None:
        for process in self._processes():
            _end(process)
        self._folder.cleanup()
        # The Automation API leaves event loops of failed programs behind. Collected at any other
        # time, they warn while another thread parses, and Python 3.11 cannot parse within parsing
        # (gh-106905).
        gc.collect()

    @property
    def folder(self) -> str:
        """The temporary folder of this engine; every process of it has the folder on its PATH."""
        return self._folder.name

    @property
    def variables(self) -> Mapping[str, str]:
        """The variables with which any pulumi finds this engine's state and providers."""
        return dict(self._variables)

    def configure(self, **values: str) -> None:
        """Set values in the stack's configuration."""
        for key, value in values.items():
            self._complete(self._stack.set_config, key, automation.ConfigValue(value))

    def preview(self) -> Outcome:
        """Run ``pulumi preview``."""
        return self._run(self._stack.preview)

    def up(self) -> Outcome:
        """Run ``pulumi up --skip-preview``."""
        return self._run(self._stack.up)

    def destroy(self) -> None:
        """Run ``pulumi destroy``."""
        self._complete(self._stack.destroy)

    def export(self, path: Path) -> Path:
        """Write what ``pulumi stack export`` writes to ``path``; return it."""
        exported = self._complete(self._stack.export_stack)
        path.write_text(
            json.dumps({"version": exported.version, "deployment": exported.deployment})
        )
        return path

    def analyze(self, state: Path) -> Outcome:
        """Run ``pulumi policy analyze --file STATE``."""
        command = [
            str(Path(self._folder.name, "bin", "pulumi")),
            "policy",
            "analyze",
            "--non-interactive",
        ]
        command += ["--file", str(state), "--policy-pack", str(self._pack)]
        for config in self._options.get("policy_pack_configs", ()):
            command += ["--policy-pack-config", config]
        run = self._complete(
            subprocess.run,
            command,
            cwd=self._folder.name,
            env={**os.environ, **self._variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        for line in run.stdout.splitlines():
            if self._echo:
                self._echo(line)
        return Outcome(run.returncode == 0, run.stdout, ())

    def asked_to_create(self) -> tuple[str, ...]:
        """Return ``TYPE::NAME`` of each resource that a provider was asked to create, in order."""
        lines = self._journal.read_text().splitlines() if self._journal.exists() else []
        entries = (json.loads(line) for line in lines)
        return tuple(
            entry["urn"].split("::", 2)[2] for entry in entries if entry["operation"] == "create"
        )

    def forget(self) -> None:
        """Forget what the providers were asked."""
        self._journal.unlink(missing_ok=True)

    def _complete(self, command: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """Run one command of pulumi to its end; one that is interrupted leaves its ids behind."""
        try:
            result = command(*arguments, **options)
        except automation.CommandError:
            self._pids.unlink()
            raise
        self._pids.unlink()
        return result

    def _processes(self) -> tuple[int, ...]:
        """Return the ids of the engine and the pack of a run that was interrupted."""
        return tuple(map(int, self._pids.read_text().split())) if self._pids.exists() else ()

    def _run_program(self) -> None:
        self.program()

    def _run(self, operation: Callable[..., Any]) -> Outcome:
        lines: list[str] = []
        violations: list[Violation] = []
        endpoint_notices: list[str] = []

        def on_line(line: str) -> None:
            lines.append(line)
            if self._echo:
                self._echo(line)

        def on_event(event: automation.EngineEvent) -> None:
            policy = event.policy_event
            if policy and ENDPOINT_NOTICE in policy.message:
                endpoint_notices.append(policy.message)
            elif policy:
                violations.append(
                    Violation(
                        policy.policy_name,
                        policy.resource_urn or "",
                        policy.enforcement_level,
                        policy.message,
                    )
                )

        try:
            self._complete(
                operation, on_output=on_line, on_error=on_line, on_event=on_event, **self._options
            )
            passed = True
        except automation.CommandError:
            passed = False
        return Outcome(passed, "\n".join(lines), tuple(violations), tuple(endpoint_notices))


def _end(process: int) -> None:
    """End a process that may be gone already: with SIGINT and, after 10 s, SIGKILL."""
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGINT)
        for _ in range(50):
            if _is_gone(process):
                return
            time.sleep(0.2)
        os.kill(process, signal.SIGKILL)


def _is_gone(process: int) -> bool:
    try:
        return os.waitpid(process, os.WNOHANG)[0] == process
    except ChildProcessError:  # it is another process's child
        with suppress(ProcessLookupError):
            os.kill(process, 0)
            return False
        return True
