"""The policies as they are declared: their gates are made late, once, and end no deployment."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest
from layerguard.bug import REPORT
from layerguard.checking.checker import Checker
from layerguard.enforcement import Mode
from layerguard.gates import Gates
from layerguard.policies import LazyGates, declare
from pulumi_policy import ResourceValidationPolicy, StackValidationPolicy

from tests.fakes import FakeRegistry, without_place
from tests.test_architecture import ROOT


class Maker:
    """Makes gates, and counts how often."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.made = 0

    def __call__(self) -> Gates:
        self.made += 1
        if self.failure:
            raise self.failure
        return Gates(Mode.PREVIEW, Checker.in_process(FakeRegistry()), None, io.StringIO())


def reported(
    gates: Callable[[], Gates], config: Mapping[str, str] = MappingProxyType({})
) -> dict[str, list[str]]:
    """Return what each policy reports, as the SDK's server calls them, about an empty stack."""
    found: dict[str, list[str]] = {}
    args: Any = SimpleNamespace(
        get_config=lambda: dict(config),
        resources=(),
        props={},
        urn="urn",
        resource_type="a:b:C",
        opts=None,
    )
    for policy in declare(gates):
        lines = found.setdefault(policy.name, [])

        def report(message: str, _urn: str | None = None, lines: list[str] = lines) -> None:
            is_bug = message.startswith("internal-error: ")
            lines.append(without_place(message) if is_bug else message)

        assert isinstance(policy, (ResourceValidationPolicy, StackValidationPolicy))
        validate: Any = policy.validate
        validate(args, report)
    return found


def test_the_gates_are_made_once_by_whatever_needs_them_first() -> None:
    maker, together = Maker(), threading.Barrier(8)
    late = LazyGates(maker)

    def take(_: int) -> Gates:
        together.wait(20)
        return late()

    assert maker.made == 0
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(take, range(8)))
    late.get_ready()
    assert maker.made == 1
    assert {id(each) for each in taken} == {id(late())}


def test_a_bug_in_making_the_gates_is_in_the_notice() -> None:
    maker = Maker(ZeroDivisionError("oh"))
    late = LazyGates(maker)
    late.get_ready()  # on a timer's thread, where an exception would be lost
    for _ in range(2):
        assert reported(late) == {
            "ecr-layers-available": [],
            "ecr-layers-available-preview": [],
            "ecr-layers-unverified": [
                "internal-error: This is a bug of Layerguard 0.1.0, so no image was checked: "
                "ZeroDivisionError: oh\n"
                f"  next step: {REPORT}"
            ],
        }
    # It is not tried again for every resource.
    assert maker.made == 1


def test_a_bug_in_making_the_gates_is_a_violation_of_each_where_the_team_fails_closed() -> None:
    late = LazyGates(Maker(ZeroDivisionError("\ud800\n::oh")))
    message = (
        "internal-error: This is a bug of Layerguard 0.1.0, so no image was checked: "
        r"ZeroDivisionError: \ud800\n::oh"
        "\n"
        f"  next step: {REPORT}"
    )
    assert reported(late, {"undetermined": "fail"}) == {
        "ecr-layers-available": [message],
        "ecr-layers-available-preview": [message],
        "ecr-layers-unverified": [message],
    }


def test_gates_report_nothing_about_an_empty_stack() -> None:
    assert reported(LazyGates(Maker())) == {
        "ecr-layers-available": [],
        "ecr-layers-available-preview": [],
        "ecr-layers-unverified": [],
    }


@pytest.mark.parametrize(("off", "processes"), [("off", 0), ("", 1)])
def test_a_worker_is_started_unless_layerguard_is_off(off: str, processes: int) -> None:
    program = f"""
import os, sys
sys.path[:0] = [{str(ROOT / "policy")!r}, {str(ROOT)!r}]
from layerguard.policies import policies
from tests.processes import children
declared = policies({{"LAYERGUARD": {off!r}}})
print(len(declared), len(children(os.getpid())))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"3 {processes}\n"
    assert ("LAYERGUARD=off" in done.stderr) is (off == "off")
