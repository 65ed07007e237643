"""ECS task definitions: what is registered, what is described, and ``taskdef.json``.

Source: Amazon ECS API reference, "RegisterTaskDefinition" and "DescribeTaskDefinition";
CodePipeline user guide, "Amazon ECS and CodeDeploy blue-green action reference" (placeholders).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from layerguard.discovery.tree import member

from layerguard_cli.sources.declared import DeclaredResource
from layerguard_cli.sources.form import Declared

_TASK = "aws:ecs/taskDefinition:TaskDefinition"
_CONTAINERS = "containerDefinitions"
_PLACEHOLDER = re.compile(r"<\w+>", re.ASCII)


def is_task_definition(document: Any) -> bool:
    """Tell whether a document has a list of container definitions, alone or as it is described."""
    return any(_definitions(document))


def task_definition(document: Any) -> Declared:
    """Return the task definition as the resource whose inputs have the same names.

    A placeholder, which a pipeline replaces with the image, is left out.
    """
    resources = []
    notes = []
    for value, title in _definitions(document):
        containers = []
        for number, container in enumerate(value[_CONTAINERS]):
            image = member(container, "image")
            is_open = isinstance(image, str) and _PLACEHOLDER.fullmatch(image) is not None
            containers.append({**container, "image": None} if is_open else container)
            if is_open:
                notes.append(f"{_CONTAINERS}[{number}].image is a placeholder for an image.")
        props = {**value, _CONTAINERS: containers}
        resources.append(DeclaredResource(_TASK, props, title))
    return Declared(resources, notes=tuple(notes))


def _definitions(document: Any) -> Iterator[tuple[Any, str]]:
    """Yield each task definition, and where it stands in the document."""
    for value, title in ((document, ""), (member(document, "taskDefinition"), "taskDefinition")):
        if isinstance(value, dict) and isinstance(value.get(_CONTAINERS), list):
            yield value, title
