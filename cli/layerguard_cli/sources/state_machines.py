"""Step Functions: a definition in the Amazon States Language, and what describes a state machine.

Source: Step Functions developer guide, "State machine structure"; its API reference,
"CreateStateMachine" and "DescribeStateMachine".
"""

from __future__ import annotations

from typing import Any

from layerguard_cli.sources.declared import DeclaredResource
from layerguard_cli.sources.form import Declared

_MACHINE = "aws:sfn/stateMachine:StateMachine"


def is_state_machine(document: Any) -> bool:
    """Tell whether a document has states, or a definition of them as text."""
    if not isinstance(document, dict):
        return False
    if "StartAt" in document and isinstance(document.get("States"), dict):
        return True
    is_machine = "stateMachineArn" in document or "roleArn" in document
    return is_machine and isinstance(document.get("definition"), str)


def state_machine(document: Any) -> Declared:
    """Return the state machine as the resource with this definition."""
    if "States" in document:
        props = {"definition": document}
        return Declared([DeclaredResource(_MACHINE, props, inside="definition")])
    return Declared([DeclaredResource(_MACHINE, {"definition": document["definition"]})])
