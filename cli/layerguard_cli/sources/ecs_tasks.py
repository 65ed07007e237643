"""ECS task definitions: what is registered, what is described, and ``taskdef.json``.

Source: Amazon ECS API reference, "RegisterTaskDefinition" and "DescribeTaskDefinition"; CodeDeploy
user guide, "taskdef.json".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from layerguard.discovery.tree import member

from layerguard_cli.sources.declared import DeclaredResource
from layerguard_cli.sources.form import Declared

_TASK = "aws:ecs/taskDefinition:TaskDefinition"


def is_task_definition(document: Any) -> bool:
    """Tell whether a document has a list of container definitions, alone or as it is described."""
    return any(_definitions(document))


def task_definition(document: Any) -> Declared:
    """Return the task definition as the resource whose inputs have the same names."""
    return Declared([DeclaredResource(_TASK, *each) for each in _definitions(document)])


def _definitions(document: Any) -> Iterator[tuple[Any, str]]:
    """Yield each task definition, and where it stands in the document."""
    for value, title in ((document, ""), (member(document, "taskDefinition"), "taskDefinition")):
        if isinstance(member(value, "containerDefinitions"), list):
            yield value, title
