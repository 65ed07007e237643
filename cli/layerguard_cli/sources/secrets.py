"""Secrets that a source does not show, which discovery takes for unknown values.

In a stack's state they are encrypted, in a preview blinded.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from layerguard.discovery import ImageUse
from layerguard.discovery.resources import EngineProvider
from layerguard.verdict import Code, Verdict

from layerguard_cli.sources.engine_json import HIDDEN, UNKNOWN

_STEP = re.compile(r'\["(?P<quoted>[^"]*)"\]|\[(?P<index>\d+)\]|(?P<key>[^.\[\]]+)')
_IMAGE = Verdict(
    Code.SECRET_NOT_SHOWN,
    "The value is a secret that is not shown here, so the images in it are not known.",
    Code.SECRET_NOT_SHOWN.next_step,
)
_CREDENTIALS = Verdict(
    Code.SECRET_NOT_SHOWN,
    "The credentials of the resource's provider are secrets that are not shown here, so ECR "
    "cannot be asked with them.",
    Code.SECRET_NOT_SHOWN.next_step,
)


def with_secrets_named(
    uses: Iterable[ImageUse], inputs: Mapping[str, object], provider: EngineProvider | None
) -> Iterator[ImageUse]:
    """Yield ``uses``, undetermined where a hidden secret, not an unknown value, is in the way.

    They are those of one resource with these ``inputs``, which ``provider`` makes.
    """
    hides_all = _only_secrets(inputs)
    hides_identity = provider is not None and _only_secrets(provider.props)
    for use in uses:
        if use.identity_unknown is not None and hides_identity:
            use = replace(use, identity_unknown=_CREDENTIALS)
        unknown = isinstance(use.target, Verdict) and use.target.code is Code.UNKNOWN_IN_PREVIEW
        if unknown and (hides_all or _has(_reach(inputs, use.path), (HIDDEN,))):
            use = replace(use, target=_IMAGE)
        yield use


def _only_secrets(value: object) -> bool:
    return _has(value, (HIDDEN,)) and not _has(value, UNKNOWN)


def _has(value: object, texts: Collection[str]) -> bool:
    """Tell whether one of ``texts`` is a string of ``value``, however deep."""
    ahead = [value]
    while ahead:
        match ahead.pop():
            case str(text) if text in texts:
                return True
            case dict(object_):
                ahead += object_.values()
            case list(elements):
                ahead += elements
    return False


def _reach(value: object, path: str) -> object:
    """Return the value at ``path``, or at the longest beginning of it that exists."""
    for step in _STEP.finditer(path):
        if step["index"] and isinstance(value, list) and int(step["index"]) < len(value):
            value = value[int(step["index"])]
        elif isinstance(value, dict) and (key := step["quoted"] or step["key"]) in value:
            value = value[key]
        else:
            break
    return value
