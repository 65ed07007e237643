"""The state of a stack: ``pulumi stack export``, and the checkpoint of a self-managed backend.

Source: the engine's apitype package, "UntypedDeployment" and "VersionedCheckpoint".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from layerguard.enforcement import Mode

from layerguard_cli.sources.form import Context
from layerguard_cli.sources.resources import read_resources
from layerguard_cli.sources.source import Source, SourceKind, SourceUnreadable

# Version 4 is version 3 with a list of features.
_VERSIONS = (3, 4)


def is_export(document: Any) -> bool:
    """Tell whether a JSON document is a stack export."""
    return isinstance(document, dict) and "deployment" in document and "version" in document


def is_checkpoint(document: Any) -> bool:
    """Tell whether a JSON document is a checkpoint, as a backend in a bucket or a folder keeps."""
    return isinstance(document, dict) and "checkpoint" in document and "version" in document


def read_exports(documents: Sequence[Any], context: Context) -> Source:
    """Return the image uses of the stack that the first document is an export of."""
    return read_export(context.name, documents[0], context.environment)


def read_export(name: str, document: Mapping[str, Any], environment: Mapping[str, str]) -> Source:
    """Return the image uses of a state; raise SourceUnreadable for an unknown version.

    ``name`` is the path, for a stack without resources: only a URN has the name of its stack.
    """
    return _read(name, SourceKind.STACK_EXPORT, document, document["deployment"], environment)


def read_checkpoint(documents: Sequence[Any], context: Context) -> Source:
    """Return the image uses of a state; raise SourceUnreadable for an unknown version."""
    document = documents[0]
    checkpoint = document["checkpoint"]
    latest = checkpoint.get("latest") if isinstance(checkpoint, dict) else checkpoint
    kind = SourceKind.PULUMI_CHECKPOINT
    return _read(context.name, kind, document, latest, context.environment)


def _read(
    name: str,
    kind: SourceKind,
    document: Mapping[str, Any],
    deployment: Any,
    environment: Mapping[str, str],
) -> Source:
    what = "stack export" if kind is SourceKind.STACK_EXPORT else "checkpoint"
    if document["version"] not in _VERSIONS:
        raise SourceUnreadable(
            f"It is a {what} of a form that is not known; versions 3 and 4 are. Export the "
            "stack again, with a current Pulumi."
        )
    deployment = deployment or {}
    resources = deployment.get("resources") or [] if isinstance(deployment, dict) else None
    if not isinstance(resources, list):
        raise SourceUnreadable(f"It is a {what} without a list of resources.")
    read = read_resources(Mode.ANALYZE, resources, environment, {})
    return Source(read.name or name, kind, read.uses, read.unread, read.run)
