"""Secrets that a source does not show: discovery takes them for unknown values, this tells them.

Whoever asks Pulumi for a stack's state or a preview gets secrets encrypted or blinded.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace

from layerguard.discovery import ImageUse
from layerguard.discovery.resources import EngineProvider
from layerguard.verdict import Code, Verdict

from layerguard_cli.sources.engine_json import HIDDEN, UNKNOWN

_STEP = re.compile(r'\["(?P<quoted>[^"]*)"\]|\[(?P<index>\d+)\]|(?P<key>[^.\[\]]+)')
_NEXT_STEP = (
    "export the stack with pulumi stack export --show-secrets; the policy pack sees secrets without"
    " that."
)
_IMAGE = Verdict(
    Code.SECRET_NOT_SHOWN,
    "The value is a secret that is not shown here, so the images in it are not known.",
    _NEXT_STEP,
)
_CREDENTIALS = Verdict(
    Code.SECRET_NOT_SHOWN,
    "The credentials of the resource's provider are secrets that are not shown here, so nobody can "
    "be asked as this provider.",
    _NEXT_STEP,
)


def with_secrets_named(
    use: ImageUse, inputs: Mapping[str, object], provider: EngineProvider | None
) -> ImageUse:
    """Return ``use``, undetermined where not an unknown value but a hidden secret is in the way.

    ``inputs`` are those of its resource, which ``provider`` makes.
    """
    if use.identity_unknown is not None and provider and _only_secrets(provider.props):
        use = replace(use, identity_unknown=_CREDENTIALS)
    unknown = isinstance(use.target, Verdict) and use.target.code is Code.UNKNOWN_IN_PREVIEW
    if unknown and (_has(_reach(inputs, use.path), (HIDDEN,)) or _only_secrets(inputs)):
        use = replace(use, target=_IMAGE)
    return use


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
    """Return what ``path`` leads to, as far as the way goes."""
    for step in _STEP.finditer(path):
        if step["index"] and isinstance(value, list) and int(step["index"]) < len(value):
            value = value[int(step["index"])]
        elif isinstance(value, dict) and (key := step["quoted"] or step["key"]) in value:
            value = value[key]
        else:
            break
    return value
