"""The launchers that the engine finds on PATH."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from layerguard_sandbox.launchers import write_launchers


@pytest.fixture
def sigint_is_ignored() -> Iterator[None]:
    """As in a process that `nohup` started, or a shell in its background."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("sigint_is_ignored")
def test_the_engine_is_ended_by_sigint_though_what_started_it_ignores_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupts_itself = '#!/bin/sh\necho "$1"\nkill -INT $$\necho still here\n'
    pulumi = tmp_path / "bin" / "pulumi"
    pulumi.parent.mkdir()
    pulumi.write_text(interrupts_itself)
    pulumi.chmod(0o755)
    monkeypatch.setenv("PATH", str(pulumi.parent), prepend=":")
    launchers = tmp_path / "launchers"
    launchers.mkdir()
    write_launchers(launchers, tmp_path / "pids", {})
    ran = subprocess.run(
        [launchers / "pulumi", "pre view"], stdout=subprocess.PIPE, text=True, check=False
    )
    assert (ran.returncode, ran.stdout) == (-signal.SIGINT, "pre view\n")
