"""The process that asks ECR: its verdicts, its secrets, and its end, whoever ends first."""

from __future__ import annotations

import io
import json
import os
import pickle
import signal
import stat
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from layerguard.checking.backend import CheckBackend, CheckListener, CheckRequest
from layerguard.checking.in_process_backend import InProcessBackend
from layerguard.checking.limits import Limits
from layerguard.checking.subprocess_backend import SubprocessBackend
from layerguard.checking.worker import serve
from layerguard.identity import ORDINARY, Identity, StaticKeys
from layerguard.reference import ImageReference, Repository
from layerguard.registry.clients import OrdinaryChain
from layerguard.registry.ecr import Ecr
from layerguard.verdict import Code, Verdict
from layerguard_sandbox.ecr import Answer, Fault, SandboxEcr, oci_image
from layerguard_sandbox.ecr.registry import Registry

from tests.checking.listening import Heard, without_what_is_there
from tests.fakes import FakeRegistry, manifest, reference
from tests.processes import children, command_line, is_running, variables, wait_until
from tests.test_architecture import ROOT


@pytest.fixture
def ecr(monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxEcr]:
    with SandboxEcr() as ecr:
        for name, value in ecr.environment.items():
            monkeypatch.setenv(name, value)
        yield ecr


@pytest.fixture
def registry(ecr: SandboxEcr) -> Registry:
    return ecr.registry("123456789012", "eu-west-1")


def from_here() -> CheckBackend:
    return InProcessBackend(Ecr(OrdinaryChain()))


def never() -> CheckBackend:
    raise AssertionError("the child does it")


def subject(text: str, identity: Identity = ORDINARY) -> CheckRequest:
    parsed = ImageReference.parse(text)
    assert parsed
    return CheckRequest(identity, parsed, None)


def inspect(backend: CheckBackend, *subjects: CheckRequest) -> list[Verdict]:
    heard = [Heard() for _ in subjects]
    for each, listener in zip(subjects, heard, strict=True):
        backend.start(each, listener)
    return [each.verdict for each in heard]


@dataclass
class Own:
    """Which of this process's children are those of a test."""

    before: frozenset[int]

    @property
    def all(self) -> tuple[int, ...]:
        return tuple(each for each in children(os.getpid()) if each not in self.before)

    @property
    def one(self) -> int:
        (child,) = self.all
        return child


@pytest.fixture(autouse=True)
def own() -> Iterator[Own]:
    """The children of this test; none is left at its end."""
    own = Own(frozenset(children(os.getpid())))
    yield own
    assert own.all == ()


def stuffed(registry: Registry) -> tuple[list[CheckRequest], list[Verdict]]:
    """Fill a registry; return images, and what is true of them as this process finds out."""
    texts = [
        registry.push(f"shop/{number % 5}", oci_image(f"app {number}"), tag=str(number)).reference
        for number in range(30)
    ]
    lost = registry.push("shop/lost", oci_image("lost"), tag="1")
    registry.lose_layer("shop/lost", lost.layers[-1])
    host = lost.reference.partition("/")[0]
    texts += [lost.reference, f"{host}/shop/lost:absent", f"{host}/shop/nowhere:1"]
    subjects = [subject(text) for text in texts]
    with closing(from_here()) as backend:
        return subjects, inspect(backend, *subjects)


def test_what_is_found_out_apart_is_what_is_found_out_here(registry: Registry) -> None:
    subjects, expected = stuffed(registry)
    assert [each.code for each in expected] == [
        *[Code.AVAILABLE] * 30,
        Code.LAYER_MISSING,
        Code.IMAGE_NOT_FOUND,
        Code.REPOSITORY_NOT_FOUND,
    ]
    told = without_what_is_there(expected)
    with closing(SubprocessBackend(never)) as backend:
        assert inspect(backend, *subjects) == told
    with closing(SubprocessBackend(never)) as backend:
        assert inspect(backend, *subjects[::-1]) == told[::-1]


def test_who_listens_hears_that_it_began_when_it_lasts_and_of_the_effort(
    ecr: SandboxEcr,
) -> None:
    registry = ecr.registry("123456789012", "eu-west-1")
    pushed = registry.push("shop/web", oci_image("web", layers=3), tag="1")
    ecr.faults.add(Fault(latency=2.0, operation="BatchGetImage"))
    with closing(SubprocessBackend(never)) as backend:
        heard = Heard()
        backend.start(subject(pushed.reference), heard)
        wait_until(lambda: heard.began == 1)
        assert heard.efforts == []
        ecr.faults.clear()
        assert heard.verdict.code is Code.AVAILABLE
    (effort,) = heard.efforts
    assert (heard.began, effort.layers, effort.calls) == (1, 4, len(ecr.requests))


def test_what_ends_at_once_is_told_once(ecr: SandboxEcr) -> None:
    registry = ecr.registry("123456789012", "eu-west-1")
    pushed = registry.push("shop/web", oci_image("web", layers=3), tag="1")
    with closing(SubprocessBackend(never)) as backend:
        heard = [Heard() for _ in range(3)]
        for each in heard:
            backend.start(subject(pushed.reference), each)
            assert each.verdict.code is Code.AVAILABLE
        # The first waits for the child's first connection; nobody waits for the others.
        assert [each.began for each in heard[1:]] == [0, 0]


def test_the_child_is_started_at_once_or_with_the_first_inspection(
    own: Own, registry: Registry
) -> None:
    with closing(SubprocessBackend(never)):
        assert own.one
    with closing(SubprocessBackend(never, begin=False)) as backend:
        assert own.all == ()
        backend.limit(Limits(), ())
        assert own.all == ()
        pushed = registry.push("shop/web", oci_image("web"), tag="1")
        inspect(backend, subject(pushed.reference))
        assert own.one


def test_static_keys_are_told_and_stand_in_no_command_line_and_no_environment(
    ecr: SandboxEcr, own: Own, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = registry.push("shop/web", oci_image("web"), tag="1").reference
    keys = StaticKeys(ecr.keys.access_key, ecr.keys.secret_key)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIASOMEBODYELSE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the key of somebody else")
    with closing(SubprocessBackend(never)) as backend:
        asked = subject(text, Identity(keys=keys))
        (verdict,) = inspect(backend, asked)
        assert verdict.code is Code.AVAILABLE
        assert {request.access_key for request in ecr.requests} == {keys.access_key}
        shown = command_line(own.one) + variables(own.one)
    assert "layerguard.checking.worker" in shown
    for secret in (keys.access_key, keys.secret_key):
        assert secret not in shown


def test_limits_and_what_is_to_be_forgotten_reach_the_child(registry: Registry) -> None:
    pushed = registry.push("shop/web", oci_image("web"), tag="1")
    absent = subject(pushed.reference.removesuffix(":1") + ":2")
    with closing(SubprocessBackend(never)) as backend:
        backend.limit(Limits(), ("shop",))
        assert inspect(backend, absent)[0].code is Code.CACHE_NOT_FILLED
        backend.limit(Limits(absent=1.0), ())
        (verdict,) = inspect(backend, absent)
        assert verdict.reason.endswith("It did not come within 1 s either.")
        backend.limit(Limits(), ())
        registry.push("shop/web", oci_image("new"), tag="2")
        assert inspect(backend, absent)[0].code is Code.IMAGE_NOT_FOUND
        backend.forget(absent.reference.repository)
        assert inspect(backend, absent)[0].code is Code.AVAILABLE


def test_limits_that_were_set_before_the_child_was_started_reach_it_too(registry: Registry) -> None:
    pushed = registry.push("shop/web", oci_image("web"), tag="1")
    absent = subject(pushed.reference.removesuffix(":1") + ":2")
    with closing(SubprocessBackend(never, begin=False)) as backend:
        backend.limit(Limits(), ("shop",))
        assert inspect(backend, absent)[0].code is Code.CACHE_NOT_FILLED


def test_ctrl_c_is_for_the_parent_to_answer(own: Own, registry: Registry) -> None:
    text = registry.push("shop/web", oci_image("web"), tag="1").reference
    with closing(SubprocessBackend(never)) as backend:
        inspect(backend, subject(text))  # it is up
        os.kill(own.one, signal.SIGINT)
        (verdict,) = inspect(backend, subject(text))
        assert verdict.code is Code.AVAILABLE
        assert own.one


def test_a_program_that_gets_credentials_takes_nothing_that_is_told(
    ecr: SandboxEcr,
    registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    text = registry.push("shop/web", oci_image("web"), tag="1").reference
    said = {
        "Version": 1,
        "AccessKeyId": ecr.keys.access_key,
        "SecretAccessKey": ecr.keys.secret_key,
    }
    program = tmp_path / "credentials"
    program.write_text(f"#!/bin/sh\ncat >/dev/null\necho '{json.dumps(said)}'\n")
    program.chmod(stat.S_IRWXU)
    config = tmp_path / "config"
    config.write_text(f"[profile team]\ncredential_process = {program}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    with closing(SubprocessBackend(never)) as backend:
        as_team = subject(text, Identity(profile="team"))
        assert [each.code for each in inspect(backend, as_team, subject(text))] == [
            Code.AVAILABLE
        ] * 2


def test_a_child_that_dies_in_the_middle_loses_nothing(
    ecr: SandboxEcr, own: Own, registry: Registry
) -> None:
    subjects, expected = stuffed(registry)
    ecr.clear_requests()
    ecr.faults.add(Fault(Answer.HANG, operation="BatchGetImage"))
    heard = [Heard() for _ in subjects]
    with closing(SubprocessBackend(from_here)) as backend:
        for each, listener in zip(subjects, heard, strict=True):
            backend.start(each, listener)
        wait_until(lambda: ecr.requests)
        os.kill(own.one, signal.SIGKILL)
        ecr.faults.clear()
        assert [each.verdict for each in heard] == expected
        # What comes later is asked from here too, with the limits that were set.
        backend.limit(Limits(), ("shop",))
        absent = subject(subjects[0].reference.text + "-absent")
        assert inspect(backend, absent)[0].code is Code.CACHE_NOT_FILLED
        assert own.all == ()


def test_a_child_that_is_dead_before_anything_is_told_loses_nothing(own: Own) -> None:
    registry = FakeRegistry()
    registry.put(manifest("a"), "1")
    with closing(SubprocessBackend(lambda: InProcessBackend(registry))) as backend:
        os.kill(own.one, signal.SIGKILL)
        heard = [Heard() for _ in range(2_000)]
        for listener in heard:
            backend.start(CheckRequest(ORDINARY, reference(), None), listener)
        assert {each.verdict.code for each in heard} == {Code.AVAILABLE}


def test_without_a_python_to_start_the_work_is_done_here(own: Own, tmp_path: Path) -> None:
    registry = FakeRegistry()
    registry.put(manifest("a"), "1")
    nowhere = str(tmp_path / "python")
    with closing(SubprocessBackend(lambda: InProcessBackend(registry), python=nowhere)) as backend:
        (verdict,) = inspect(backend, CheckRequest(ORDINARY, reference(), None))
        assert verdict.code is Code.AVAILABLE
        assert own.all == ()


CHATTY = "print('hello from sitecustomize', flush=True)\nimport time\ntime.sleep(600)\n"
SILENT = "raise SystemExit(1)\n"


@pytest.mark.parametrize("text", [CHATTY, SILENT], ids=["says what is no verdict", "ends at once"])
def test_a_child_that_is_of_no_use_is_done_without(
    text: str, own: Own, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = FakeRegistry()
    registry.put(manifest("a"), "1")
    (tmp_path / "of_no_use.py").write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with closing(
        SubprocessBackend(lambda: InProcessBackend(registry), module="of_no_use")
    ) as backend:
        (verdict,) = inspect(backend, CheckRequest(ORDINARY, reference(), None))
        assert verdict.code is Code.AVAILABLE
        assert own.all == ()


# Finds out about nothing until it is prioritised.
LAZY = """
import pickle, sys
from layerguard.checking.backend import Counters
from layerguard.verdict import Code, Verdict
numbers = {}
while True:
    match pickle.load(sys.stdin.buffer):
        case ("start", number, subject):
            numbers[subject] = number
        case ("prioritise", subject):
            said = ("ended", numbers[subject], Verdict(Code.AVAILABLE, "At last."), Counters())
            sys.stdout.buffer.write(pickle.dumps(said))
            sys.stdout.buffer.flush()
"""


def test_the_child_hears_what_somebody_waits_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lazy.py").write_text(LAZY)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    one, two = (CheckRequest(ORDINARY, reference(f"shop/web:{tag}"), None) for tag in "12")
    with closing(SubprocessBackend(never, module="lazy")) as backend:
        heard = {each: Heard() for each in (one, two)}
        for each, listener in heard.items():
            backend.start(each, listener)
        for each in (two, one):
            backend.prioritise(each)
            assert heard[each].verdict.reason == "At last."


class Noted:
    """A backend that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []

    def limit(self, limits: Limits, cache_prefixes: Collection[str]) -> None:
        self.told.append(("limit", limits, cache_prefixes))

    def start(self, subject: CheckRequest, _listener: CheckListener) -> None:
        self.told.append(("start", subject))

    def prioritise(self, subject: CheckRequest) -> None:
        self.told.append(("prioritise", subject))

    def forget(self, repository: Repository) -> None:
        self.told.append(("forget", repository))

    def close(self) -> None:
        self.told.append(("close",))


def test_the_child_does_what_it_is_told_until_it_is_told_no_more() -> None:
    asked = CheckRequest(ORDINARY, reference(), None)
    words: tuple[tuple[object, ...], ...] = (
        ("limit", Limits(), ("shop",)),
        ("start", 1, asked),
        ("prioritise", asked),
        ("forget", asked.reference.repository),
    )
    backend = Noted()
    serve(backend, io.BytesIO(b"".join(map(pickle.dumps, words))), io.BytesIO())
    assert backend.told == [
        ("limit", Limits(), ("shop",)),
        ("start", asked),
        ("prioritise", asked),
        ("forget", asked.reference.repository),
    ]


# Answers each question with far more than a pipe holds, before it reads the next one.
TALKATIVE = f"""
import pickle, sys
from layerguard.checking.backend import Counters
from layerguard.verdict import Code, Verdict
while True:
    word, number, *_ = pickle.load(sys.stdin.buffer)
    verdict = Verdict(Code.AVAILABLE, "x" * {4 * 65_536})
    sys.stdout.buffer.write(pickle.dumps(("ended", number, verdict, Counters())))
    sys.stdout.buffer.flush()
"""


def test_who_tells_much_and_hears_much_at_the_same_time_is_never_stuck(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "talkative.py").write_text(TALKATIVE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with closing(SubprocessBackend(never, module="talkative")) as backend:
        long = reference("shop/web:" + "1" * 100)
        verdicts = inspect(backend, *[CheckRequest(ORDINARY, long, None)] * 1_000)
        assert {each.code for each in verdicts} == {Code.AVAILABLE}


def test_its_end_leaves_no_process_and_nothing_begins_after_it(
    ecr: SandboxEcr, own: Own, registry: Registry
) -> None:
    text = registry.push("shop/web", oci_image("web"), tag="1").reference
    ecr.faults.add(Fault(Answer.HANG))
    backend, heard = SubprocessBackend(never), Heard()
    backend.start(subject(text), heard)
    wait_until(lambda: ecr.requests)
    backend.close()
    assert own.all == ()
    backend.start(subject(text), heard)
    assert own.all == ()
    assert heard.efforts == []


PARENT = f"""
import os, sys, threading
sys.path[:0] = [{str(ROOT / "policy")!r}, {str(ROOT / "sandbox")!r}, {str(ROOT)!r}]
from layerguard.checking.subprocess_backend import SubprocessBackend
from tests.checking.listening import Heard
from tests.checking.test_subprocess_backend import never, subject
backend = SubprocessBackend(never)
backend.start(subject({{text!r}}), Heard())
print("up", flush=True)
threading.Event().wait()
"""


@pytest.mark.parametrize("is_asking", [False, True])
def test_the_child_ends_when_its_parent_is_killed(
    ecr: SandboxEcr, registry: Registry, is_asking: bool
) -> None:
    text = registry.push("shop/web", oci_image("web"), tag="1").reference
    if is_asking:
        ecr.faults.add(Fault(Answer.HANG))
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(text=text)], stdout=subprocess.PIPE
    )
    assert parent.stdout
    with parent.stdout:
        assert parent.stdout.readline() == b"up\n"
        wait_until(lambda: ecr.requests)
        (child,) = children(parent.pid)
        parent.kill()
        parent.wait()
    wait_until(lambda: not is_running(child))
