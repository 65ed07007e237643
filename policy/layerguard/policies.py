"""The pack's policies: what the engine is told of them before anything else is imported.

Until the pack has said its port nothing goes on in the engine, so only what declares the policies
is imported here. The gates come a moment later, while the engine gets ready, and a process that
asks ECR gets ready beside both.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    ReportViolation,
    ResourceValidationPolicy,
    StackValidationPolicy,
)

from layerguard.checking.subprocess_backend import SubprocessBackend

if TYPE_CHECKING:
    from layerguard.checking.backend import CheckBackend
    from layerguard.gates import Gates

OFF_VARIABLE = "LAYERGUARD"
OFF_MESSAGE = "layerguard is off: LAYERGUARD=off is set, so no image was checked."
_NO_GATES = (
    "internal-error: This is a bug of Layerguard, so no image was checked: {}: {}\n"
    "  next step: please report this text to the maintainers of Layerguard."
)
# Seconds in which the pack's server says its port, which importing the gates would slow down.
_HANDSHAKE = 0.03


def policies(environment: Mapping[str, str] = os.environ) -> list[Policy]:
    """Return the pack's policies, in their stable order, for a run in ``environment``."""
    off = environment.get(OFF_VARIABLE, "").lower() == "off"
    if off:
        print(OFF_MESSAGE, file=sys.stderr, flush=True)
    backend = SubprocessBackend(_investigator_here, begin=not off)

    def make() -> Gates:
        from layerguard.checking.checker import Checker
        from layerguard.gates import Gates, Mode

        checker = Checker(backend)
        off_message = OFF_MESSAGE if off else None
        return Gates(Mode.of(environment), checker, off_message, sys.stderr, environment)

    late = LazyGates(make)
    timer = threading.Timer(_HANDSHAKE, late.get_ready)
    timer.daemon = True
    timer.start()
    return declare(late)


class LazyGates:
    """Makes the gates once, for whoever needs them first."""

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

    Where they cannot be made, which is a bug, nobody is stopped and the notice speaks of it.
    """

    def update_gate(args: Any, report: ReportViolation) -> None:
        with suppress(Exception):
            gates().guarded(gates().update_gate)(args, report)

    def preview_gate(args: Any, report: ReportViolation) -> None:
        with suppress(Exception):
            gates().guarded(gates().preview_gate)(args, report)

    def notice(args: Any, report: ReportViolation) -> None:
        try:
            gates().guarded(gates().notice)(args, report)
        except Exception as error:
            report(_NO_GATES.format(type(error).__name__, error), None)

    return [
        ResourceValidationPolicy(
            name="ecr-layers-available",
            description="Every layer of every Amazon ECR image that a resource uses is in ECR "
            "before the resource is created or changed.",
            validate=update_gate,
            enforcement_level=EnforcementLevel.MANDATORY,
            config_schema=_schema(),
        ),
        StackValidationPolicy(
            name="ecr-layers-available-preview",
            description="Every layer of every Amazon ECR image that the stack uses is in ECR.",
            validate=preview_gate,
            enforcement_level=EnforcementLevel.MANDATORY,
            config_schema=_schema(),
        ),
        StackValidationPolicy(
            name="ecr-layers-unverified",
            description="Every Amazon ECR image that the stack uses could be verified.",
            validate=notice,
            enforcement_level=EnforcementLevel.ADVISORY,
            config_schema=_schema(),
        ),
    ]


def _investigator_here() -> CheckBackend:
    from layerguard.checking.in_process_backend import InProcessBackend
    from layerguard.registry.clients import OrdinaryChain
    from layerguard.registry.ecr import Ecr

    return InProcessBackend(Ecr(OrdinaryChain()))


def _schema() -> PolicyConfigSchema:
    from layerguard.settings import OPTIONS  # while the process that asks gets ready

    return PolicyConfigSchema({option.name: option.schema for option in OPTIONS})
