"""``layerguard audit`` in a terminal session: what a person sees, and Ctrl-C."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from layerguard_sandbox.ecr import SandboxEcr

from tests.cli.auditing import (
    ABSENT,
    COMMAND,
    REPORT,
    WEB,
    environment,
    hang_after,
    wait_until_asked,
)

pytestmark = pytest.mark.skipif(
    shutil.which("tmux") is None,
    reason="tmux is not installed (Debian and Ubuntu: apt install tmux)",
)


class Terminal:
    """A tmux session of 80 columns that runs one command, with a server of its own."""

    def __init__(self, folder: Path, command: list[str], variables: dict[str, str]) -> None:
        self._socket = str(folder / "tmux")
        self._done = folder / "exit code"
        self._pid = folder / "pid"
        line = (
            f'sh -c \'echo $$ >"$0"; exec "$@"\' {shlex.quote(str(self._pid))} '
            f"{shlex.join(command)}; echo $? >{shlex.quote(str(self._done))}; exec sleep 600"
        )
        self._tmux(
            "-f", os.devnull, "new-session", "-d", "-x", "80", "-y", "50", line, env=variables
        )

    def _tmux(self, *words: str, env: dict[str, str] | None = None) -> str:
        command = ["tmux", "-u", "-S", self._socket, *words]
        return subprocess.run(command, capture_output=True, text=True, check=True, env=env).stdout

    @property
    def screen(self) -> str:
        """What the person sees."""
        return self._tmux("capture-pane", "-p")

    def press(self, key: str) -> None:
        self._tmux("send-keys", key)

    def wait_for(self, what: Callable[[], object]) -> None:
        """Wait until it is so; fail with the screen where it never is."""
        for _ in range(600):
            if what():
                return
            time.sleep(0.05)
        pytest.fail(f"the screen is:\n{self.screen}")

    def exit_code(self) -> int:
        """Wait for the end of the command."""
        self.wait_for(lambda: self._done.exists() and self._done.read_text().strip())
        return int(self._done.read_text())

    @property
    def is_running(self) -> bool:
        """Whether the command's own process is there."""
        try:
            os.kill(int(self._pid.read_text()), 0)
        except ProcessLookupError:
            return False
        return True

    def end(self) -> None:
        self._tmux("kill-server")


@pytest.fixture
def terminal(ecr: SandboxEcr, tmp_path: Path) -> Iterator[Terminal]:
    """An audit of an image that is there, one that is not, and one that ECR never answers about."""
    hang_after(ecr, "shop/report")
    references = tmp_path / "references.txt"
    references.write_text("\n".join((WEB, ABSENT, REPORT)))
    variables = environment(ecr, TERM="screen-256color")
    variables.pop("NO_COLOR", None)
    variables.pop("TMUX", None)
    terminal = Terminal(tmp_path, [*COMMAND, str(references)], variables)
    try:
        yield terminal
    finally:
        terminal.end()


def test_a_bar_shows_how_many_are_known(terminal: Terminal) -> None:
    terminal.wait_for(lambda: "2/3" in terminal.screen)
    assert re.search(r"^asking ECR ━+.*━ 2/3 0:00:\d\d$", terminal.screen, re.MULTILINE)


def test_ctrl_c_ends_with_what_is_known_marked_incomplete(
    terminal: Terminal, ecr: SandboxEcr
) -> None:
    wait_until_asked(ecr, "BatchGetImage", "shop/report")
    terminal.wait_for(lambda: "2/3" in terminal.screen)
    terminal.press("C-c")
    assert terminal.exit_code() == 130
    assert not terminal.is_running
    screen = terminal.screen
    assert "asking ECR" not in screen
    assert "Traceback" not in screen
    lines = [line.rstrip() for line in screen.splitlines()]
    begin = lines.index("not checked  1 image use that the audit did not come to.")
    assert lines[begin - 1].endswith("(references)")
    assert lines[begin + 1 : begin + 4] == [
        f"unavailable  {ABSENT}",
        "             line 2",
        "             image-not-found: ECR says ImageNotFound: Requested image not",
    ]
    assert "1 image use is unavailable, the audit is not complete." in lines
    assert "1 unavailable, 0 undetermined, 0 pending, 0 skipped, 1 available" in lines


def test_the_end_leaves_the_table_and_nothing_of_the_bar(
    terminal: Terminal, ecr: SandboxEcr
) -> None:
    terminal.wait_for(lambda: "2/3" in terminal.screen)
    ecr.faults.clear()
    assert terminal.exit_code() == 1
    assert "asking ECR" not in terminal.screen
    assert "\n1 image use is unavailable.\n" in terminal.screen
