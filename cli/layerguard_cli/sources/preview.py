"""``pulumi preview --json``: the steps that an update would take.

Pulumi writes one digest, or with PULUMI_ENABLE_STREAMING_JSON_PREVIEW each event of the engine on
a line of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from layerguard.enforcement import Mode

from layerguard_cli.sources.form import Context
from layerguard_cli.sources.resources import read_resources
from layerguard_cli.sources.source import Source, SourceKind

# Source: the engine's pkg/display, PreviewDigest.
_MEMBERS = {"config", "steps", "diagnostics", "duration", "changeSummary", "maybeCorrupt"}
# After these the resource in the step's new state does not exist.
_DELETE = "delete"
_GONE = (_DELETE, "delete-replaced", "discard", "discard-replaced", "remove-pending-replace")
_SAME = "same"


def is_digest(document: Any) -> bool:
    """Tell whether a JSON document is the digest of a preview."""
    if not isinstance(document, dict) or not document:
        return False
    steps = document.get("steps")
    known = isinstance(steps, list) and all(
        isinstance(each, dict) and "op" in each for each in steps
    )
    return "changeSummary" in document or (known and bool(steps)) or document.keys() <= _MEMBERS


def is_event(document: Any) -> bool:
    """Tell whether a JSON document is an event of the engine."""
    return isinstance(document, dict) and "sequence" in document and "timestamp" in document


def read_previews(documents: Sequence[Any], context: Context) -> Source:
    """Return the image uses of the preview that the documents, events or a digest, are."""
    if is_event(documents[0]):
        return read_events(context.name, documents, context.environment)
    return read_digest(context.name, documents[0], context.environment)


def read_events(name: str, events: Iterable[Any], environment: Mapping[str, str]) -> Source:
    """Return the image uses of a preview whose events were written one by one."""
    known = [event for event in events if isinstance(event, dict)]
    digest: dict[str, Any] = {
        "steps": list(_steps(_of(known, "resourcePreEvent"))),
        "diagnostics": list(_of(known, "diagnosticEvent")),
    }
    for prelude in _of(known, "preludeEvent"):
        digest["config"] = prelude.get("config")
    for summary in _of(known, "summaryEvent"):
        digest["changeSummary"] = summary.get("resourceChanges")
    return read_digest(name, digest, environment)


def read_digest(name: str, digest: Mapping[str, Any], environment: Mapping[str, str]) -> Source:
    """Return the image uses of what there will be after the update."""
    steps = [each for each in _list(digest.get("steps")) if isinstance(each, dict)]
    read = read_resources(Mode.PREVIEW, _states(steps), environment, _object(digest.get("config")))
    problems = (*_gaps(digest, steps), *read.unread)
    return Source(read.name or name, SourceKind.PREVIEW, read.uses, problems, read.run)


def _states(steps: Iterable[Mapping[str, Any]]) -> Collection[Any]:
    """Return the states after the last of several steps of one resource: a refresh, a replacement.

    A deletion after a refresh ends the resource; the deletion of a former copy leaves the new one.
    """
    states: dict[str, Any] = {}
    for number, step in enumerate(steps):
        urn = str(step.get("urn", number))
        if step.get("op") not in _GONE:
            if step.get("newState") is not None:
                states[urn] = step["newState"]
        elif step["op"] == _DELETE and _object(step.get("oldState")).get("delete") is not True:
            states.pop(urn, None)
    return states.values()


def _gaps(digest: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a sentence for each reason why the steps are not the whole stack."""
    severities = Counter(
        each.get("severity") for each in _list(digest.get("diagnostics")) if isinstance(each, dict)
    )
    if severities["error"]:
        yield (
            "The preview ended with an error, so its steps may not be all: "
            "pulumi preview says what is wrong."
        )
    changes = digest.get("changeSummary")
    if not isinstance(changes, dict):
        yield "The preview has no summary, so it did not come to its end."
        return
    same = changes.get(_SAME)
    left_out = (same if isinstance(same, int) else 0) - [step.get("op") for step in steps].count(
        _SAME
    )
    if left_out > 0:
        left = "resource is" if left_out == 1 else "resources are"
        yield (
            f"{left_out:,} unchanged {left} left out, with all images and providers among them: "
            "add --show-sames to pulumi preview --json."
        )


def _steps(events: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the steps in events as a digest has them.

    Events have no dependencies. A resource depends on none that comes after it, so each is taken
    to depend on all before it.
    """
    before: list[Any] = []
    for metadata in (_object(event.get("metadata")) for event in events):
        new = metadata.get("new")
        if isinstance(new, dict):
            new = {**new, "dependencies": before}
            before = [new.get("urn")]
        yield {**metadata, "newState": new}


def _of(events: Iterable[Mapping[str, Any]], kind: str) -> Iterator[dict[str, Any]]:
    return (event[kind] for event in events if isinstance(event.get(kind), dict))


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
