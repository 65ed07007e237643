"""The table of exit codes, line by line, each with a real run of the installed command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from layerguard.cli import COMMANDS
from layerguard.cli.exits import EXITS

from sandbox.ecr import SandboxEcr, oci_image

COMMAND = Path(sys.executable).parent / "layerguard"
HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
ASK = ["batch-check-layer-availability", "--repository-name", "shop/web", "--layer-digests", "x"]
NOBODY = "sha256:" + "0" * 64
# A row for each row of the table that one run shows, without a signal: command, code, words.
RUNS = [
    ("check", 0, ["check", f"{HOST}/shop/web:1", "nginx:1"]),
    ("check", 1, ["check", f"{HOST}/shop/web:absent", f"{HOST}/shop/web:1"]),
    ("check", 2, ["check"]),
    ("check", 2, ["check", "--profile", "nobodys", f"{HOST}/shop/web:1"]),
    (ASK[0], 0, [*ASK[:-1], NOBODY]),
    (ASK[0], 1, [*ASK[:-1], NOBODY, "--fail-on-unavailable"]),
    (ASK[0], 2, ASK[:1]),
    (ASK[0], 255, [*ASK[:-1], NOBODY, "--profile", "nobodys"]),
    ("completion", 0, ["completion", "bash"]),
    ("completion", 2, ["completion", "tcsh"]),
    ("sandbox", 2, ["sandbox", "--port", "none"]),
]
# Rows that take a signal, a pipe or a terminal; each is held where the command is.
ELSEWHERE = {("sandbox", 0), *((name, code) for name in EXITS for code in (130, 141))}


@pytest.fixture(scope="module")
def environment() -> Iterator[Mapping[str, str]]:
    with SandboxEcr() as ecr:
        ecr.registry("123456789012", "eu-west-1").push("shop/web", oci_image("web"), tag="1")
        yield {**ecr.isolate(os.environ), "AWS_DEFAULT_REGION": "eu-west-1"}


@pytest.mark.parametrize(("command", "code", "words"), RUNS, ids=str)
def test_a_run_ends_with_the_code_of_its_row(
    command: str, code: int, words: list[str], environment: Mapping[str, str]
) -> None:
    run = subprocess.run(
        [COMMAND, *words], env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == code, run.stderr
    assert code in {row.code for row in EXITS[command]}


def test_each_row_of_the_table_is_run() -> None:
    rows = {(each.name, row.code) for each in COMMANDS for row in EXITS[each.name]}
    assert rows - ELSEWHERE - {("audit", code) for code in range(3)} == {
        (command, code) for command, code, _ in RUNS
    }


def test_a_reader_that_goes_away_ends_the_command_with_141() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    run = subprocess.run(
        [COMMAND, "completion", "bash"], stdout=writing, stderr=subprocess.PIPE, check=False
    )
    os.close(writing)
    assert (run.returncode, run.stderr) == (141, b"")


def test_ctrl_c_ends_a_check_with_130() -> None:
    process = subprocess.Popen(
        [COMMAND, "check", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdin
        # More than the pipe holds: once it is written, the command is reading.
        process.stdin.write("# nothing\n" * 20_000)
        process.stdin.flush()
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
    finally:
        process.kill()
        process.communicate()
