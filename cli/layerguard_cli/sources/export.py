"""``pulumi stack export``: the state of a stack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from layerguard.enforcement import Mode

from layerguard_cli.sources.resources import read_resources
from layerguard_cli.sources.source import Source, SourceKind, SourceUnreadable

# Source: the engine's apitype package; version 4 is version 3 with a list of features.
_VERSIONS = (3, 4)


def is_export(document: Any) -> bool:
    """Tell whether a JSON document is a stack export."""
    return isinstance(document, dict) and "deployment" in document and "version" in document


def read_export(name: str, document: Mapping[str, Any], environment: Mapping[str, str]) -> Source:
    """Return the image uses of a state; raise SourceUnreadable for an unknown version.

    ``name`` is the path, for a stack without resources: only a URN has the name of its stack.
    """
    version, deployment = document["version"], document["deployment"] or {}
    if version not in _VERSIONS:
        raise SourceUnreadable(
            "It is a stack export of a form that is not known; versions 3 and 4 are. Export the "
            "stack again, with a current Pulumi."
        )
    resources = deployment.get("resources") or [] if isinstance(deployment, dict) else None
    if not isinstance(resources, list):
        raise SourceUnreadable("It is a stack export without a list of resources.")
    read = read_resources(Mode.ANALYZE, resources, environment, {})
    return Source(read.name or name, SourceKind.STACK_EXPORT, read.uses, read.unread, read.run)
