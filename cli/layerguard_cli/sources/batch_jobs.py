"""AWS Batch job definitions and jobs, as they are registered and described.

Source: AWS Batch API reference, "RegisterJobDefinition", "DescribeJobDefinitions", "DescribeJobs".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from layerguard.discovery.tree import member

from layerguard_cli.sources.declared import DeclaredResource
from layerguard_cli.sources.form import Declared

_JOB = "aws:batch/jobDefinition:JobDefinition"
_PROPERTIES = ("containerProperties", "ecsProperties", "eksProperties", "nodeProperties")


def is_batch_job(document: Any) -> bool:
    """Tell whether a document is a job definition, or describes definitions or jobs."""
    return any(_definitions(document))


def batch_jobs(document: Any) -> Declared:
    """Return each definition as the resource whose inputs have the same names."""
    return Declared([DeclaredResource(_JOB, *each) for each in _definitions(document)])


def _definitions(document: Any) -> Iterator[tuple[Any, str]]:
    if _is_definition(document):
        yield document, ""
    for key in ("jobDefinitions", "jobs"):
        values = member(document, key)
        for number, value in enumerate(values if isinstance(values, list) else ()):
            if _is_definition(value):
                yield value, f"{key}[{number}]"
            elif isinstance(member(value, "container"), dict) and member(value, "jobDefinition"):
                yield {"containerProperties": member(value, "container")}, f"{key}[{number}]"


def _is_definition(value: Any) -> bool:
    named = isinstance(value, dict) and ("jobDefinitionName" in value or "type" in value)
    return named and any(isinstance(value.get(each), dict) for each in _PROPERTIES)
