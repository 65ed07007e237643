"""The worker subprocess: its verdicts, its secrets, and what happens when it or its parent ends."""

from __future__ import annotations

import io
import json
import logging
import os
import pickle
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from layerguard import log
from layerguard.checking.backend import CheckBackend, CheckRequest
from layerguard.checking.checker import Checker
from layerguard.checking.in_process_backend import InProcessBackend
from layerguard.checking.limits import Limits
from layerguard.checking.subprocess_backend import SubprocessBackend
from layerguard.checking.worker import serve
from layerguard.identity import ORDINARY, Identity, StaticKeys
from layerguard.reference import ImageReference
from layerguard.registry.clients import OrdinaryChain
from layerguard.registry.ecr import Ecr
from layerguard.verdict import Code, Verdict
from layerguard_sandbox.ecr import Answer, Fault, SandboxEcr, oci_image
from layerguard_sandbox.ecr.registry import Registry

from tests.checking.recording import Recorder, check, request, start
from tests.fakes import FakeRegistry, manifest, reference, use, without_place
from tests.processes import PATIENCE, children, command_line, is_running, variables, wait_until
from tests.test_architecture import ROOT


@pytest.fixture
def registry(aws: SandboxEcr) -> Registry:
    return aws.registry("123456789012", "eu-west-1")


def ecr_in_process() -> CheckBackend:
    return InProcessBackend(Ecr(OrdinaryChain()))


def fake_in_process() -> CheckBackend:
    registry = FakeRegistry()
    registry.put(manifest("a"), "1")
    return InProcessBackend(registry)


def no_fallback() -> CheckBackend:
    raise AssertionError("The worker does it.")


def request_of(text: str, identity: Identity = ORDINARY) -> CheckRequest:
    parsed = ImageReference.parse(text)
    assert parsed
    return CheckRequest(identity, parsed, None)


@dataclass
class Workers:
    """The children of this process that a test started."""

    before: frozenset[int]

    @property
    def all(self) -> tuple[int, ...]:
        return tuple(each for each in children(os.getpid()) if each not in self.before)

    @property
    def one(self) -> int:
        (worker,) = self.all
        return worker


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    """The log of a pack without LAYERGUARD_LOG: silent."""
    log.log_to(None)
    yield
    logging.getLogger("layerguard").setLevel(logging.NOTSET)


@pytest.fixture(autouse=True)
def workers() -> Iterator[Workers]:
    """The workers of a test; none is left at its end."""
    workers = Workers(frozenset(children(os.getpid())))
    yield workers
    assert workers.all == ()


MakeModule = Callable[[str], str]


@pytest.fixture
def make_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeModule:
    """Makes a module of a program, to be run instead of the worker's; returns its name."""

    def make(program: str) -> str:
        (tmp_path / "other_worker.py").write_text(_IMPORTS + program)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        return "other_worker"

    return make


_IMPORTS = """
import os, pickle, signal, sys, time
from layerguard.checking.backend import Counters
from layerguard.verdict import Code, Verdict

def receive():
    return pickle.load(sys.stdin.buffer)

def send(*message):
    sys.stdout.buffer.write(pickle.dumps(message))
    sys.stdout.buffer.flush()
"""


# What it does for its parent.


def fill(registry: Registry) -> tuple[list[CheckRequest], list[Verdict]]:
    """Push images; return requests to check them, and the verdicts of a backend in this process."""
    texts = [
        registry.push(f"shop/{number % 5}", oci_image(f"app {number}"), tag=str(number)).reference
        for number in range(30)
    ]
    lost = registry.push("shop/lost", oci_image("lost"), tag="1")
    registry.lose_layer("shop/lost", lost.layers[-1])
    host = lost.reference.partition("/")[0]
    texts += [lost.reference, f"{host}/shop/lost:absent", f"{host}/shop/nowhere:1"]
    requests = [request_of(text) for text in texts]
    with closing(ecr_in_process()) as backend:
        return requests, check(backend, *requests)


def test_a_verdict_comes_with_the_counters_and_before_its_explanation(aws: SandboxEcr) -> None:
    registry = aws.registry("123456789012", "eu-west-1")
    pushed = registry.push("shop/web", oci_image("web", layers=3), tag="1.0")
    absent = pushed.reference.removesuffix(":1.0") + ":1.1"
    with closing(SubprocessBackend(no_fallback)) as backend:
        (available,) = start(backend, request_of(pushed.reference))
        assert available.verdict.code is Code.AVAILABLE
        assert not available.is_explaining
        assert (len(available.verdict.layers), available.counters.calls) == (4, len(aws.requests))
        assert len(available.counters.foreign_endpoints) == 1
        (missing,) = start(backend, request_of(absent))
        assert "The nearest tag is 1.0." in missing.explanation.reason
        assert missing.verdict.code is missing.explanation.code is Code.IMAGE_NOT_FOUND
        assert missing.order == ["decided", "explained"]


def test_the_worker_is_started_at_once_or_with_the_first_check(
    workers: Workers, registry: Registry
) -> None:
    with closing(SubprocessBackend(no_fallback)):
        assert workers.one
    with closing(SubprocessBackend(no_fallback, begin=False)) as backend:
        assert workers.all == ()
        backend.limit(Limits(), ())
        assert workers.all == ()
        pushed = registry.push("shop/web", oci_image("web"), tag="1")
        check(backend, request_of(pushed.reference))
        assert workers.one


def test_static_keys_are_in_no_command_line_and_no_environment(
    aws: SandboxEcr, workers: Workers, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = registry.push("shop/web", oci_image("web"), tag="1").reference
    keys = StaticKeys(aws.keys.access_key, aws.keys.secret_key)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAANOTHERUSER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the key of another user")
    with closing(SubprocessBackend(no_fallback)) as backend:
        (verdict,) = check(backend, request_of(text, Identity(keys=keys)))
        assert verdict.code is Code.AVAILABLE
        assert {each.access_key for each in aws.requests} == {keys.access_key}
        shown = command_line(workers.one) + variables(workers.one)
    assert "layerguard.checking.worker" in shown
    for secret in (keys.access_key, keys.secret_key):
        assert secret not in shown


def test_limits_and_forgotten_repositories_reach_the_worker(registry: Registry) -> None:
    pushed = registry.push("shop/web", oci_image("web"), tag="1")
    absent = request_of(pushed.reference.removesuffix(":1") + ":2")
    with closing(SubprocessBackend(no_fallback)) as backend:
        backend.limit(Limits(), ("shop",))
        assert check(backend, absent)[0].code is Code.CACHE_NOT_FILLED
        backend.limit(Limits(absent=1.0), ())
        (verdict,) = check(backend, absent)
        assert verdict.reason.endswith("It did not come within 1 s either.")
        backend.limit(Limits(), ())
        registry.push("shop/web", oci_image("new"), tag="2")
        assert check(backend, absent)[0].code is Code.IMAGE_NOT_FOUND
        backend.forget(absent.reference.repository)
        assert check(backend, absent)[0].code is Code.AVAILABLE


def test_limits_that_were_set_before_the_worker_was_started_reach_it(registry: Registry) -> None:
    pushed = registry.push("shop/web", oci_image("web"), tag="1")
    absent = request_of(pushed.reference.removesuffix(":1") + ":2")
    with closing(SubprocessBackend(no_fallback, begin=False)) as backend:
        backend.limit(Limits(), ("shop",))
        assert check(backend, absent)[0].code is Code.CACHE_NOT_FILLED


def test_ctrl_c_does_not_end_the_worker(workers: Workers, registry: Registry) -> None:
    text = registry.push("shop/web", oci_image("web"), tag="1").reference
    with closing(SubprocessBackend(no_fallback)) as backend:
        check(backend, request_of(text))  # it is up
        os.kill(workers.one, signal.SIGINT)
        assert check(backend, request_of(text))[0].code is Code.AVAILABLE
        assert workers.one


def test_a_program_that_gets_credentials_reads_nothing_of_the_parents(
    aws: SandboxEcr,
    registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    text = registry.push("shop/web", oci_image("web"), tag="1").reference
    credentials = {
        "Version": 1,
        "AccessKeyId": aws.keys.access_key,
        "SecretAccessKey": aws.keys.secret_key,
    }
    program = tmp_path / "credentials"
    program.write_text(f"#!/bin/sh\ncat >/dev/null\necho '{json.dumps(credentials)}'\n")
    program.chmod(stat.S_IRWXU)
    config = tmp_path / "config"
    config.write_text(f"[profile team]\ncredential_process = {program}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    with closing(SubprocessBackend(no_fallback)) as backend:
        verdicts = check(backend, request_of(text, Identity(profile="team")), request_of(text))
        assert [each.code for each in verdicts] == [Code.AVAILABLE] * 2


class RecordingBackend:
    """Records the operations that are called, and their arguments."""

    def __init__(self) -> None:
        self.operations: list[tuple[object, ...]] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *arguments: self.operations.append((name, *arguments))


@pytest.mark.parametrize("end", [b"", pickle.dumps("cut short")[:-3]])
def test_the_worker_serves_requests_until_they_end(end: bytes) -> None:
    backend = RecordingBackend()
    operations: list[tuple[object, ...]] = [
        ("limit", Limits(), ("shop",)),
        ("prioritise", request()),
        ("forget", reference().repository),
    ]
    serve(backend, io.BytesIO(b"".join(map(pickle.dumps, operations)) + end), io.BytesIO())
    assert backend.operations == operations


DECIDES_WHEN_PRIORITISED = """
numbers = {}
while True:
    match receive():
        case ("start", number, request):
            numbers[request] = number
        case ("prioritise", request):
            verdict = Verdict(Code.AVAILABLE, "At last.")
            send("decided", numbers[request], verdict, Counters(), False)
"""


def test_priorities_reach_the_worker(make_module: MakeModule) -> None:
    module = make_module(DECIDES_WHEN_PRIORITISED)
    one, two = request("shop/web:1"), request("shop/web:2")
    with closing(SubprocessBackend(no_fallback, module=module)) as backend:
        recorders = dict(zip((one, two), start(backend, one, two), strict=True))
        for each in (two, one):
            backend.prioritise(each)
            assert recorders[each].verdict.reason == "At last."


# Answers each request with far more than a pipe holds, before it reads the next one.
WRITES_MUCH = f"""
while True:
    _, number, *_ = receive()
    verdict = Verdict(Code.AVAILABLE, "x" * {4 * 65_536})
    send("decided", number, verdict, Counters(), False)
"""


def test_a_worker_and_a_parent_that_both_write_much_do_not_block_each_other(
    make_module: MakeModule,
) -> None:
    with closing(SubprocessBackend(no_fallback, module=make_module(WRITES_MUCH))) as backend:
        long = request("shop/web:" + "1" * 100)
        verdicts = check(backend, *[long] * 1_000)
        assert {each.code for each in verdicts} == {Code.AVAILABLE}


# A worker that does not read.

NEVER_READS = "time.sleep(600)\n"


def use_everything(backend: CheckBackend) -> list[Recorder]:
    """Send far more than a pipe holds, by every operation."""
    recorders = []
    for number in range(5_000):
        each = request(f"shop/{number}:{'1' * 100}")
        recorders += start(backend, each)
        backend.prioritise(each)
        backend.forget(each.reference.repository)
        backend.limit(Limits(image=number + 1.0), ())
    return recorders


def test_a_worker_that_never_reads_blocks_no_operation(
    make_module: MakeModule, workers: Workers
) -> None:
    with closing(SubprocessBackend(no_fallback, module=make_module(NEVER_READS))) as backend:
        recorders = use_everything(backend)
        assert workers.one
    assert not any(each.is_decided for each in recorders)


def test_a_worker_that_is_stopped_blocks_no_operation_and_holds_a_run_within_its_limits(
    registry: Registry, workers: Workers
) -> None:
    text = registry.push("shop/web", oci_image("web"), tag="1").reference
    with closing(SubprocessBackend(no_fallback)) as backend:
        check(backend, request_of(text))  # it is up
        os.kill(workers.one, signal.SIGSTOP)
        use_everything(backend)
        checker = Checker(backend)
        checker.limit(Limits(total=0.5))
        began = time.monotonic()
        verdicts = checker.check([use("shop/web:1"), use("shop/web:2")])
        assert 0.4 < time.monotonic() - began < PATIENCE
        assert [each.code for each in verdicts] == [Code.TIMED_OUT] * 2


# A worker that ends.


def test_a_worker_that_is_killed_in_the_middle_loses_no_check(
    aws: SandboxEcr, workers: Workers, registry: Registry
) -> None:
    requests, expected = fill(registry)
    aws.clear_requests()
    aws.faults.add(Fault(Answer.HANG, operation="BatchGetImage"))
    with closing(SubprocessBackend(ecr_in_process)) as backend:
        recorders = start(backend, *requests)
        wait_until(lambda: aws.requests)
        os.kill(workers.one, signal.SIGKILL)
        aws.faults.clear()
        assert [each.verdict for each in recorders] == expected
        # Later checks run in this process too, with the limits that are set.
        backend.limit(Limits(), ("shop",))
        absent = request_of(requests[0].reference.text + "-absent")
        assert check(backend, absent)[0].code is Code.CACHE_NOT_FILLED
        assert workers.all == ()


def test_a_worker_that_is_killed_before_it_is_sent_anything_loses_no_check(
    workers: Workers,
) -> None:
    with closing(SubprocessBackend(fake_in_process)) as backend:
        os.kill(workers.one, signal.SIGKILL)
        recorders = start(backend, *[request()] * 2_000)
        assert {each.verdict.code for each in recorders} == {Code.AVAILABLE}


DIES_WHILE_IT_EXPLAINS = """
_, number, _ = receive()
verdict = Verdict(Code.IMAGE_NOT_FOUND, "It is not there.")
send("decided", number, verdict, Counters(2), True)
receive()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_verdict_stands_although_the_worker_dies_while_it_explains(
    make_module: MakeModule,
) -> None:
    module = make_module(DIES_WHILE_IT_EXPLAINS)
    with closing(SubprocessBackend(fake_in_process, module=module)) as backend:
        (decided,) = start(backend, request("shop/web:2"))
        assert decided.verdict.code is Code.IMAGE_NOT_FOUND
        (not_decided,) = start(backend, request())
        # The fallback would find it available, as it does the other.
        assert not_decided.verdict.code is Code.AVAILABLE
        assert decided.explanation == decided.verdict
    assert decided.order == ["decided", "explained"]


USELESS = {
    "text": "print('hello from sitecustomize', flush=True)\ntime.sleep(600)\n",
    "ends at once": "raise SystemExit(1)\n",
    "not a result": "send(1)\ntime.sleep(600)\n",
    "a result of no kind": "send('decided', 1)\ntime.sleep(600)\n",
    "a result of too many": "send('decided', 1, 2, 3, 4, 5)\ntime.sleep(600)\n",
    "more than memory": "sys.stdout.buffer.write(b'\\x80\\x05\\x8e' + b'\\x7f' * 8)\n"
    "sys.stdout.buffer.flush()\ntime.sleep(600)\n",
    "raises when it is read": "class Odd:\n    def __reduce__(self):\n        return int, ('x',)\n"
    "send(Odd())\ntime.sleep(600)\n",
}


@pytest.mark.parametrize("program", USELESS.values(), ids=USELESS)
def test_a_worker_that_sends_junk_or_nothing_is_replaced(
    program: str, workers: Workers, make_module: MakeModule
) -> None:
    module = make_module(program)
    with closing(SubprocessBackend(fake_in_process, module=module)) as backend:
        assert check(backend, request())[0].code is Code.AVAILABLE
        assert workers.all == ()


SENDS_UNKNOWN_NUMBERS = """
_, number, _ = receive()
verdict = Verdict(Code.IMAGE_NOT_FOUND, "It is not there.")
for each in (number + 1, "number", None):
    send("decided", each, verdict, Counters(), False)
    send("explained", each, verdict)
send("explained", number, verdict)
send("decided", number, verdict, Counters(), False)
receive()
"""


def test_a_result_of_a_check_that_does_not_run_is_ignored(make_module: MakeModule) -> None:
    module = make_module(SENDS_UNKNOWN_NUMBERS)
    with closing(SubprocessBackend(no_fallback, module=module)) as backend:
        (recorder,) = start(backend, request())
        assert recorder.verdict.code is Code.IMAGE_NOT_FOUND
    assert recorder.order == ["decided"]


def test_without_a_python_to_start_checks_run_in_this_process(
    workers: Workers, tmp_path: Path
) -> None:
    nowhere = str(tmp_path / "python")
    with closing(SubprocessBackend(fake_in_process, python=nowhere)) as backend:
        assert check(backend, request())[0].code is Code.AVAILABLE
        assert workers.all == ()


@pytest.mark.parametrize("is_running_first", [False, True])
def test_where_nothing_can_run_checks_each_is_a_bug(
    is_running_first: bool, workers: Workers, tmp_path: Path, make_module: MakeModule
) -> None:
    python = sys.executable if is_running_first else str(tmp_path / "python")
    module = make_module(NEVER_READS)
    with closing(SubprocessBackend(no_fallback, python=python, module=module)) as backend:
        recorders = start(backend, request("shop/web:1"), request("shop/web:2"))
        if is_running_first:
            os.kill(workers.one, signal.SIGKILL)
        for recorder in [*recorders, *start(backend, request("shop/web:3"))]:
            assert without_place(recorder.verdict.reason) == (
                "This is a bug of Layerguard 0.1.0, in starting a check: "
                "AssertionError: The worker does it."
            )
            assert recorder.verdict.code is Code.INTERNAL_ERROR


# The end of the backend and of the parent.


def test_close_leaves_no_process_and_nothing_begins_after_it(
    aws: SandboxEcr, workers: Workers, registry: Registry
) -> None:
    text = registry.push("shop/web", oci_image("web"), tag="1").reference
    aws.faults.add(Fault(Answer.HANG))
    backend = SubprocessBackend(no_fallback)
    (before,) = start(backend, request_of(text))
    wait_until(lambda: aws.requests)
    backend.close()
    assert workers.all == ()
    (after,) = start(backend, request_of(text))
    assert workers.all == ()
    assert not before.is_decided
    assert not after.is_decided


PARENT = f"""
import sys, threading
sys.path[:0] = [{str(ROOT / "policy")!r}, {str(ROOT / "sandbox")!r}, {str(ROOT)!r}]
from layerguard.checking.subprocess_backend import SubprocessBackend
from tests.checking.recording import start
from tests.checking.test_subprocess_backend import no_fallback, request_of
backend = SubprocessBackend(no_fallback)
start(backend, request_of({{text!r}}))
print("up", flush=True)
threading.Event().wait()
"""


@pytest.mark.parametrize("is_asking", [False, True])
def test_the_worker_ends_when_its_parent_is_killed(
    aws: SandboxEcr, registry: Registry, is_asking: bool
) -> None:
    text = registry.push("shop/web", oci_image("web"), tag="1").reference
    if is_asking:
        aws.faults.add(Fault(Answer.HANG))
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(text=text)], stdout=subprocess.PIPE
    )
    assert parent.stdout
    with parent.stdout:
        assert parent.stdout.readline() == b"up\n"
        wait_until(lambda: aws.requests)
        (worker,) = children(parent.pid)
        parent.kill()
        parent.wait()
    wait_until(lambda: not is_running(worker))
