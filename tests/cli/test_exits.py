"""The table of exit codes, line by line, each with a real run of the installed command."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest
from layerguard_cli import COMMANDS, main
from layerguard_cli.exits import EXITS, INTERRUPTED, READER_GONE
from layerguard_sandbox.ecr import Answer, Fault, SandboxEcr, oci_image

from tests.fakes import without_place
from tests.processes import wait_until

COMMAND = Path(sys.executable).parent / "layerguard"
HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
ASK = ["batch-check-layer-availability", "--repository-name", "shop/web", "--layer-digests", "x"]
ABSENT = "sha256:" + "0" * 64
# A row for each row of the table that one run shows, without a signal: command, code, words.
RUNS = [
    ("check", 0, ["check", f"{HOST}/shop/web:1", "nginx:1"]),
    ("check", 1, ["check", f"{HOST}/shop/web:absent", f"{HOST}/shop/web:1"]),
    ("check", 64, ["check"]),
    ("check", 64, ["check", "--external-id", "x", f"{HOST}/shop/web:1"]),
    ("check", 2, ["check", "--profile", "absent", f"{HOST}/shop/web:1"]),
    ("audit", 0, ["audit", "there.txt"]),
    ("audit", 1, ["audit", "there.txt", "absent.txt"]),
    ("audit", 2, ["audit", "there.txt", "none.txt"]),
    ("audit", 64, ["audit"]),
    ("audit", 64, ["audit", "--format", "none", "there.txt"]),
    ("report", 0, ["report", "there.json"]),
    ("report", 1, ["report", "there.json", "absent.json"]),
    ("report", 2, ["report", "there.json", "none.json"]),
    ("report", 64, ["report"]),
    (ASK[0], 0, [*ASK[:-1], ABSENT]),
    (ASK[0], 1, [*ASK[:-1], ABSENT, "--fail-on-unavailable"]),
    (ASK[0], 2, ASK[:1]),
    (ASK[0], 255, [*ASK[:-1], ABSENT, "--profile", "absent"]),
    ("completion", 0, ["completion", "bash"]),
    ("completion", 64, ["completion", "tcsh"]),
    ("sandbox", 64, ["sandbox", "--port", "none"]),
]
# What prints something for a reader that is not there.
PRINTS = {
    "check": ["check", f"{HOST}/shop/web:1"],
    "audit": ["audit", "there.txt"],
    ASK[0]: [*ASK[:-1], ABSENT],
    "completion": ["completion", "bash"],
    "report": ["report", "there.json"],
    "sandbox": ["sandbox"],
}
# What waits for the answer of an ECR that gives none.
WAITS = {
    "check": ["check", f"{HOST}/shop/silent:1"],
    "audit": ["audit", "silent.txt"],
    ASK[0]: [ASK[0], "--repository-name", "shop/silent", "--layer-digests", ABSENT],
}
# Held in test_sandbox.py: it ends by a signal, or its port is taken.
SERVES = {("sandbox", 0), ("sandbox", 2)}


@pytest.fixture(scope="module")
def ecr() -> Iterator[SandboxEcr]:
    with SandboxEcr() as ecr:
        ecr.registry("123456789012", "eu-west-1").push("shop/web", oci_image("web"), tag="1")
        ecr.faults.add(Fault(Answer.HANG, repository="shop/silent"))
        yield ecr


@pytest.fixture(scope="module")
def environment(ecr: SandboxEcr) -> Mapping[str, str]:
    return {**ecr.isolate(os.environ), "AWS_DEFAULT_REGION": "eu-west-1"}


@pytest.fixture(scope="module", autouse=True)
def lists(
    tmp_path_factory: pytest.TempPathFactory, environment: Mapping[str, str]
) -> Iterator[None]:
    """Work in a folder with lists of references, and the reports of audits of them."""
    folder = tmp_path_factory.mktemp("lists")
    for name, tag in (("there", "web:1"), ("absent", "web:absent"), ("silent", "silent:1")):
        (folder / f"{name}.txt").write_text(f"{HOST}/shop/{tag}\n")
        if name != "silent":
            words = ["audit", f"{folder}/{name}.txt", "--format", "json"]
            command = [str(COMMAND), *words, "--out", f"{folder}/{name}.json"]
            subprocess.run(command, env=environment, stderr=subprocess.DEVNULL, check=False)
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        yield


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
    run = {(command, code) for command, code, _ in RUNS} | SERVES
    run |= {(command, INTERRUPTED) for command in WAITS}
    run |= {(command, READER_GONE) for command in PRINTS}
    assert rows == run


@pytest.mark.parametrize("words", PRINTS.values(), ids=PRINTS)
def test_a_reader_that_goes_away_ends_the_command_with_141(
    words: list[str], environment: Mapping[str, str]
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    run = subprocess.run(
        [COMMAND, *words],
        env=environment,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=60,
    )
    os.close(writing)
    assert run.returncode == READER_GONE
    assert not re.search("Traceback|Exception|BrokenPipe", run.stderr)


@pytest.mark.parametrize("words", WAITS.values(), ids=WAITS)
def test_ctrl_c_ends_the_command_with_130(
    words: list[str], environment: Mapping[str, str], ecr: SandboxEcr
) -> None:
    ecr.clear_requests()
    process = subprocess.Popen(
        [COMMAND, *words],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_until(lambda: any(each.repository == "shop/silent" for each in ecr.requests))
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, "Traceback" in stderr) == (INTERRUPTED, False)


def test_a_full_disk_is_not_the_exit_code_of_an_unavailable_image() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("the system has no device that is always full")
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(
            [COMMAND, "check", "nginx:1"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert run.returncode == 2
    assert run.stderr.endswith("layerguard: [Errno 28] No space left on device.\n")
    assert "Exception" not in run.stderr


@pytest.mark.parametrize("redirected", ["2>&-", "2>/dev/full", "2>&- <&-", ">&-", ">&- 2>&-"])
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["check", f"{HOST}/shop/web:1", "nginx"], 0),
        (["check", f"{HOST}/shop/web:absent"], 1),
        (["audit", "there.txt", "--format", "json"], 0),
        (["audit", "absent.txt"], 1),
        (["audit"], 64),
        (["check"], 64),
        (["completion", "bash"], 0),
    ],
    ids=str,
)
def test_a_stream_that_is_closed_or_full_changes_no_exit_code(
    words: list[str], code: int, redirected: str, environment: Mapping[str, str]
) -> None:
    """A closed output is one that nobody wants; only a full one loses what somebody does."""
    line = f"{shlex.join([str(COMMAND), *words])} {redirected}"
    run = subprocess.run(
        ["sh", "-c", line], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert run.returncode == code
    assert not re.search("Traceback|Exception|Errno", run.stdout + run.stderr)


def test_a_bug_is_not_the_exit_code_of_an_unavailable_image(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise KeyError("\x1b[2J")

    broken = SimpleNamespace(add_arguments=lambda _: None, run=fail)
    monkeypatch.setitem(sys.modules, "layerguard_cli.completion", broken)
    assert main(["completion"]) == 2
    assert without_place(capsys.readouterr().err) == (
        "layerguard: internal-error: This is a bug of Layerguard 0.1.0, in the command line: "
        "KeyError: '\\x1b[2J'\n"
    )


def test_ctrl_c_ends_a_check_that_reads_with_130() -> None:
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
