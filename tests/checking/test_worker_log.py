"""The worker's log: what it logs and what it writes to stderr, and how it ended."""

from __future__ import annotations

import logging
import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from layerguard import log
from layerguard.checking.backend import CheckBackend
from layerguard.checking.in_process_backend import InProcessBackend
from layerguard.checking.subprocess_backend import SubprocessBackend
from layerguard.verdict import Code
from layerguard_sandbox.ecr import SandboxEcr

from tests.checking.recording import check, request
from tests.fakes import FakeRegistry, manifest
from tests.processes import children, wait_until

LINE = re.compile(r"\S+Z (\d+) (\w+) ([\w.]+): (.*)")
Run = Callable[[str], "list[tuple[str, str, str]]"]


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """The file of a log at debug."""
    path = tmp_path / "layerguard.log"
    log.begin({"LAYERGUARD_LOG": f"debug:{path}"})
    yield path
    log.log_to(None)
    logging.getLogger("layerguard").setLevel(logging.NOTSET)


def fake_in_process() -> CheckBackend:
    registry = FakeRegistry()
    registry.put(manifest("a"), "1")
    return InProcessBackend(registry)


def records(file: Path) -> list[tuple[str, str, str]]:
    """Return level, logger and message of each record."""
    found = (LINE.fullmatch(line) for line in file.read_text().splitlines())
    return [(each[2], each[3], each[4]) for each in found if each]


def warnings(file: Path) -> list[str]:
    return [message for level, _, message in records(file) if level == "WARNING"]


PROGRAM = """
import io, os, signal, sys, threading
from layerguard.checking.worker import main, serve
"""


@pytest.fixture
def run(tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a program instead of the worker's and one check; returns the records."""

    def run(program: str) -> list[tuple[str, str, str]]:
        (tmp_path / "other_worker.py").write_text(PROGRAM + program)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        with closing(SubprocessBackend(fake_in_process, module="other_worker")) as backend:
            assert check(backend, request())[0].code is Code.AVAILABLE
            return records(file)

    return run


def test_what_the_worker_logs_is_in_the_log_in_its_order_and_with_its_process(
    aws: SandboxEcr, file: Path
) -> None:
    before = set(children(os.getpid()))
    with closing(SubprocessBackend(fake_in_process)) as backend:
        (worker,) = set(children(os.getpid())) - before
        assert check(backend, request())[0].code is Code.REPOSITORY_NOT_FOUND
    lines = [line for line in file.read_text().splitlines() if f"Z {worker} " in line]
    shown = [found[4] for found in map(LINE.fullmatch, lines) if found]
    assert shown[0] == "Credentials from the default credential chain: found in env after 0.0 s"
    assert shown[1] == f"ECR in eu-west-1 is asked at {aws.endpoint}/"
    assert re.fullmatch(
        r"BatchGetImage of 123456789012 in eu-west-1, shop/web, 1 ids: repository-not-found in "
        r"\d\.\d{3} s(, request \S+)?: ECR says RepositoryNotFoundException: .*",
        shown[2],
    )
    (warning,) = set(shown) & set(warnings(file))
    assert "with the default credential chain: repository-not-found in 0." in warning


def test_a_worker_that_is_killed_is_named_with_its_signal(run: Run, file: Path) -> None:
    run("sys.stdin.buffer.read(1); os.kill(os.getpid(), signal.SIGKILL)\n")
    (warning,) = warnings(file)
    assert re.fullmatch(
        r"The worker \(process \d+\) was killed by SIGKILL \(by the system, if memory ran out\), "
        r"with [01] checks under way; this process asks ECR in its place",
        warning,
    )


@pytest.mark.parametrize(
    ("program", "how"),
    [
        ("sys.exit(3)", "ended with exit code 3"),
        ("os.kill(os.getpid(), signal.SIGTERM)", "was ended by SIGTERM"),
        ("os.kill(os.getpid(), signal.SIGRTMIN + 3)", r"was ended by (SIG\S+|signal \d+)"),
    ],
)
def test_the_end_of_a_worker_is_in_words(run: Run, file: Path, program: str, how: str) -> None:
    run(program)
    assert re.search(rf"The worker \(process \d+\) {how}, with", warnings(file)[-1])


def test_the_last_words_of_a_worker_stand_before_its_end(run: Run) -> None:
    found = run("raise RuntimeError('no \\x1b[31m more')")
    texts = [(logger, message) for level, logger, message in found if level == "WARNING"]
    assert texts[0] == (
        "layerguard.checking.worker",
        "on stderr: Traceback (most recent call last):",
    )
    assert texts[-2] == (
        "layerguard.checking.worker",
        r"on stderr: RuntimeError: no \x1b[31m more",
    )
    assert "ended with exit code 1" in texts[-1][1]


def test_of_a_flood_on_stderr_the_beginning_and_the_end_are_logged(run: Run, file: Path) -> None:
    found = run(
        "for number in range(50_000): print('line', number, file=sys.stderr)\n"
        "sys.stderr.write('x' * 3_000_000); sys.stderr.flush(); os.close(2); sys.exit(3)\n"
    )
    flood = [message for _, logger, message in found if logger == "layerguard.checking.worker"]
    assert flood[:2] == ["on stderr: line 0", "on stderr: line 1"]
    assert len(flood) == 200 + 1 + 20
    assert re.fullmatch(r"and [\d]{5} more lines on stderr, of which the last are:", flood[200])
    assert file.stat().st_size < 300_000


def test_a_bug_in_the_worker_is_logged_with_its_traceback(run: Run, file: Path) -> None:
    run(
        """
from layerguard.checking.in_process_backend import InProcessBackend
from layerguard.checking.worker import private_pipes
import layerguard.log

class Registry:
    calls, foreign_endpoints = 0, frozenset()
    def set_retry_seconds(self, _): pass
    def for_identity(self, _):
        layerguard.log.HIDDEN.add(["a secret of the worker"])
        raise ZeroDivisionError("a secret of the worker")

backend = InProcessBackend(Registry())
class Ends:
    def start(self, request, listener):
        class Once:
            def decided(self, *_, **__): os._exit(3)
        backend.start(request, Once())
    def __getattr__(self, name): return lambda *_: None
serve(Ends(), *private_pipes())
"""
    )
    text = file.read_text()
    assert re.search(
        r" ERROR layerguard\.checking\.in_process_backend: This is a bug of Layerguard 0\.1\.0, in "
        r"checking \(layerguard\.checking\.in_process_backend:\d+\): ZeroDivisionError: \*\*\*\n"
        r"    Traceback \(most recent call last\):\n",
        text,
    )
    assert "\n    ZeroDivisionError: ***\n" in text
    assert "a secret of the worker" not in text


def test_what_a_library_warns_of_in_the_worker_is_logged_without_its_secrets(
    run: Run, file: Path
) -> None:
    found = run(
        """
import logging
from layerguard.checking.worker import private_pipes
import layerguard.log

class Ends:
    def start(self, *_):
        layerguard.log.HIDDEN.add(["a secret of the worker"])
        logging.getLogger("botocore.credentials").warning("Failed with %s", "a secret of the worker")
        logging.getLogger("botocore.hooks").debug("a secret of the worker")
        os._exit(3)
    def __getattr__(self, name): return lambda *_: None
serve(Ends(), *private_pipes())
"""
    )
    warning = "botocore.credentials: Failed with ***"
    assert ("DEBUG", "layerguard.checking.worker", warning) in found
    assert "botocore.hooks" not in file.read_text()


def test_a_worker_that_cannot_be_started_is_named_with_the_reason(
    file: Path, tmp_path: Path
) -> None:
    nowhere = str(tmp_path / "python")
    with closing(SubprocessBackend(fake_in_process, python=nowhere)) as backend:
        assert check(backend, request())[0].code is Code.AVAILABLE
        why = f"The worker cannot be started ([Errno 2] No such file or directory: '{nowhere}')"
        assert str(backend) == f"in this process: {why}"
    assert warnings(file) == [f"{why}; this process asks ECR in its place"]


def test_a_process_that_holds_the_stderr_of_a_dead_worker_delays_nothing_for_long(
    run: Run, file: Path
) -> None:
    run(
        "import subprocess\n"
        "subprocess.Popen(['sleep', '2'], stdout=subprocess.DEVNULL)\n"
        "sys.stdin.buffer.read(1); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    wait_until(lambda: any("SIGKILL" in each for each in warnings(file)))
    assert signal.SIGKILL.name in warnings(file)[-1]
