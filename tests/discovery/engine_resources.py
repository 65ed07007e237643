"""Stand-ins for the resources that the policy SDK hands over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Provider:
    resource_type: str = "pulumi:providers:aws"
    props: Mapping[str, object] = field(default_factory=dict)


@dataclass
class Resource:
    urn: str
    props: Mapping[str, Any]
    resource_type: str = "aws:lambda/function:Function"
    provider: Any = field(default_factory=Provider)
    parent: Any = None
    dependencies: Sequence[Any] = ()
    property_dependencies: Mapping[str, Sequence[Any]] = field(default_factory=dict)
