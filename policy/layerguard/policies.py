"""The pack's policies: what the engine gets to know of them before anything else is imported.

The engine blocks until the pack prints its port, so only what declares the policies is imported
here. The gates are made a moment later, while the engine gets ready, and the worker that asks ECR
starts beside both.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    ReportViolation,
    ResourceValidationPolicy,
    StackValidationPolicy,
)
from pulumi_policy import policy as sdk

from layerguard import log
from layerguard.bug import REPORT, bug_text, log_bug
from layerguard.checking.subprocess_backend import WORKER, SubprocessBackend
from layerguard.legible import legible_lines

if TYPE_CHECKING:
    from layerguard.checking.backend import CheckBackend
    from layerguard.gates import Gates, Steps

_log = logging.getLogger("layerguard.gates")

OFF_VARIABLE = "LAYERGUARD"
OFF_MESSAGE = "layerguard is off: LAYERGUARD=off is set, so no image was checked."
# Seconds in which the policy server prints its port, which importing the gates would slow down.
_HANDSHAKE_SECONDS = 0.03
_FAIL = "fail"


def policies(
    environment: Mapping[str, str] = os.environ,
    steps: Callable[[], Steps] | None = None,
    worker: str = WORKER,
) -> list[Policy]:
    """Return the pack's policies, in their stable order, for a run in ``environment``.

    ``steps`` makes the steps of a run, and ``worker`` is the module that runs the checks.
    """
    log.begin(environment)
    off = environment.get(OFF_VARIABLE, "").lower() == "off"
    if off:
        print(OFF_MESSAGE, file=sys.stderr, flush=True)
        _log.warning("%s", OFF_MESSAGE)
    _handle_interrupts()
    _mark_secrets()
    backend = SubprocessBackend(_in_process, begin=not off, module=worker)

    def make() -> Gates:
        from layerguard.checking.checker import Checker
        from layerguard.enforcement import Mode
        from layerguard.gates import Gates

        return Gates(
            Mode.of(environment),
            Checker(backend),
            OFF_MESSAGE if off else None,
            sys.stderr,
            environment,
            steps() if steps else None,
        )

    gates = LazyGates(make)
    timer = threading.Timer(_HANDSHAKE_SECONDS, gates.get_ready)
    timer.daemon = True
    timer.start()
    return declare(gates)


class LazyGates:
    """Makes the gates once, when they are first needed."""

    def __init__(self, make: Callable[[], Gates]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._gates: Gates | Exception | None = None

    def get_ready(self) -> None:
        """Make the gates, unless they are made."""
        with self._lock:
            if self._gates is None:
                try:
                    self._gates = self._make()
                except Exception as error:
                    log_bug(bug_text("so no image is checked", error), error)
                    self._gates = error

    def __call__(self) -> Gates:
        """Return the gates; raise what making them raised."""
        self.get_ready()
        if isinstance(self._gates, Exception):
            raise self._gates
        assert self._gates
        return self._gates


def declare(gates: Callable[[], Gates]) -> list[Policy]:
    """Return ``gates`` as the policies that people configure by name.

    Where they cannot be made, which is a bug, each is a violation where the team fails closed, and
    otherwise the notice says so.
    """
    boundary = _Boundary(gates)
    return [
        ResourceValidationPolicy(
            name="ecr-layers-available",
            description="Every layer of every Amazon ECR image that a resource uses is in ECR "
            "before the resource is created or changed.",
            validate=partial(boundary.validate, "update_gate"),
            enforcement_level=EnforcementLevel.MANDATORY,
            config_schema=_schema(),
        ),
        StackValidationPolicy(
            name="ecr-layers-available-preview",
            description="Every layer of every Amazon ECR image that the stack uses is in ECR.",
            validate=partial(boundary.validate, "preview_gate"),
            enforcement_level=EnforcementLevel.MANDATORY,
            config_schema=_schema(),
        ),
        StackValidationPolicy(
            name="ecr-layers-unverified",
            description="Every Amazon ECR image that the stack uses could be verified.",
            validate=partial(boundary.validate, "notice"),
            enforcement_level=EnforcementLevel.ADVISORY,
            config_schema=_schema(),
        ),
    ]


class _Boundary:
    """Runs the gates; where they cannot be made, fails as the configuration says."""

    def __init__(self, gates: Callable[[], Gates]) -> None:
        self._gates = gates
        self._fails_closed = False

    def validate(self, name: str, args: Any, report: ReportViolation) -> None:
        """Run the gate ``name``; no exception leaves it."""
        try:
            gates = self._gates()
        except Exception as error:
            # One configuration serves all, and the update gate comes first.
            config = args.get_config() or {}
            self._fails_closed = self._fails_closed or config.get("undetermined") == _FAIL
            if name == "notice" or self._fails_closed:
                report(_no_gates(error), None)
            return
        gates.validate(name, args, report)


def _no_gates(error: Exception) -> str:
    return legible_lines(
        [
            f"internal-error: {bug_text('so no image was checked', error)}",
            f"  next step: {REPORT}",
        ]
    )


def _handle_interrupts() -> None:
    """Let SIGINT, with which the engine ends a pack, end it also where the parent ignores it."""
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _mark_secrets() -> None:
    """Have the SDK keep the mark of secrets in what it hands to policies, as for remediations.

    Without it a policy cannot tell a secret, and would print it. A test on the real engine holds
    that it works.
    """
    deserialize: Callable[..., Any] | None = getattr(sdk, "deserialize_properties", None)
    if deserialize is None:
        _log.warning("Secrets cannot be told from other values: the SDK has no such function")
    else:
        setattr(sdk, "deserialize_properties", lambda properties, *_: deserialize(properties, True))  # noqa: B010


def _in_process() -> CheckBackend:
    from layerguard.checking.in_process_backend import InProcessBackend
    from layerguard.registry.clients import OrdinaryChain
    from layerguard.registry.ecr import Ecr

    return InProcessBackend(Ecr(OrdinaryChain()))


def _schema() -> PolicyConfigSchema:
    from layerguard.settings import OPTIONS  # while the worker gets ready

    return PolicyConfigSchema({option.name: option.schema for option in OPTIONS})
