"""The identity of a resource's own provider, out of the provider's inputs.

Source: the inputs of pulumi-aws 7 and pulumi-aws-native 1, and of pulumi-aws 6, which has one
``assumeRole`` for the list. Nested values, lists and booleans arrive as JSON text, in which a
dictionary of a Python program keeps its keys in snake_case; ``allowedAccountIds`` and the other
guards of a provider do not change its identity.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar

from layerguard.discovery.provider_inputs import elements_of, value_of
from layerguard.discovery.tree import Mark, SecretText, Tree, member, unknown_among
from layerguard.identity import ORDINARY, AssumedRole, Identity, StaticKeys, WebIdentity

_PROVIDERS = ("pulumi:providers:aws", "pulumi:providers:aws-native")
_UNITS = {"s": 1, "m": 60, "h": 3600}
_DURATION_PART = re.compile(r"([0-9]{1,9})([smh])")
_Value = TypeVar("_Value")


class NotKnown(Exception):
    """A value of the provider is unknown or hidden, as ``mark`` says."""

    def __init__(self, mark: Mark) -> None:
        super().__init__(mark.value)
        self.mark = mark


def provider_identity(provider_type: str, inputs: Tree) -> Identity:
    """Return the identity of a provider; the ordinary chain for any but the two AWS providers.

    Raises NotKnown where an input that decides it is unknown in a preview, or a hidden secret.
    """
    if provider_type not in _PROVIDERS:
        return ORDINARY
    keys = _text(inputs, "accessKey"), _text(inputs, "secretKey")
    roles = [*_objects(inputs, "assumeRoles"), *_objects(inputs, "assumeRole")]
    webs = [_web_identity(each) for each in _objects(inputs, "assumeRoleWithWebIdentity")]
    endpoints = list(_objects(inputs, "endpoints"))
    identity = Identity(
        profile=_text(inputs, "profile"),
        config_files=_texts(inputs, "sharedConfigFiles"),
        credentials_files=(
            *_texts(inputs, "sharedCredentialsFiles"),
            *filter(None, [_text(inputs, "sharedCredentialsFile")]),
        ),
        keys=StaticKeys(keys[0], keys[1], _text(inputs, "token")) if keys[0] and keys[1] else None,
        web_identity=next((each for each in webs if each), None),
        roles=tuple(role for each in roles if (role := _role(each))),
        region=_text(inputs, "stsRegion") or _text(inputs, "region"),
        ecr_endpoint=next(filter(None, (_text(each, "ecr") for each in endpoints)), None),
        sts_endpoint=next(filter(None, (_text(each, "sts") for each in endpoints)), None),
        use_fips=_flag(inputs, "useFipsEndpoint"),
        use_dual_stack=_flag(inputs, "useDualstackEndpoint"),
        skip_instance_metadata=bool(_flag(inputs, "skipMetadataApiCheck")),
    )
    # A region alone is no identity: providers of many regions are one principal.
    if replace(identity, region=None) == ORDINARY:
        return ORDINARY
    return replace(identity, hidden=tuple(sorted(set(_secrets(inputs)))))


def _secrets(inputs: Tree) -> Iterator[str]:
    """Yield the texts in ``inputs``, and in the JSON texts among them, that are secrets."""
    ahead = [value_of(inputs, key) for key in inputs] if isinstance(inputs, dict) else []
    while ahead:
        value = ahead.pop()
        if isinstance(value, SecretText):
            yield str(value)
        elif isinstance(value, dict):
            ahead += value.values()
        elif isinstance(value, list):
            ahead += value


def _role(inputs: Tree) -> AssumedRole | None:
    arn = _text(inputs, "roleArn")
    if not arn:
        return None
    tags = _known(value_of(inputs, "tags"))
    return AssumedRole(
        arn,
        _text(inputs, "externalId"),
        _text(inputs, "sessionName"),
        _seconds(inputs),
        _text(inputs, "policy"),
        _texts(inputs, "policyArns"),
        tuple(sorted((key, str(_known(value))) for key, value in tags.items()))
        if isinstance(tags, dict)
        else (),
        _texts(inputs, "transitiveTagKeys"),
        _text(inputs, "sourceIdentity"),
    )


def _web_identity(inputs: Tree) -> WebIdentity | None:
    arn = _text(inputs, "roleArn")
    if not arn:
        return None
    return WebIdentity(
        arn,
        _text(inputs, "webIdentityToken"),
        _text(inputs, "webIdentityTokenFile"),
        _text(inputs, "sessionName"),
        _seconds(inputs),
        _text(inputs, "policy"),
        _texts(inputs, "policyArns"),
    )


def _seconds(inputs: Tree) -> int | None:
    """Return a duration: ``1h30m`` in the classic provider, a number of seconds in the other."""
    number = _known(value_of(inputs, "durationSeconds"))
    if isinstance(number, (int, float)):
        return int(number) if math.isfinite(number) else None
    text = _text(inputs, "duration") or ""
    parts = _DURATION_PART.findall(text)
    if _DURATION_PART.sub("", text):
        return None
    return sum(int(count) * _UNITS[unit] for count, unit in parts) or None


def _text(inputs: Tree, key: str) -> str | None:
    value = _known(member(inputs, key))
    return str(value) if isinstance(value, str) and value else None


def _flag(inputs: Tree, key: str) -> bool | None:
    value = _known(value_of(inputs, key))
    return value if isinstance(value, bool) else None


def _texts(inputs: Tree, key: str) -> tuple[str, ...]:
    found = map(_known, elements_of(inputs, key))
    return tuple(str(each) for each in found if isinstance(each, str) and each)


def _objects(inputs: Tree, key: str) -> Iterator[Tree]:
    for each in map(_known, elements_of(inputs, key)):
        if isinstance(each, dict):
            yield {camel_case(name): value for name, value in each.items()}


def camel_case(name: str) -> str:
    """Return ``name`` as Pulumi's schemas write it."""
    return re.sub("_([a-z])", lambda letter: letter[1].upper(), name)


def _known(value: _Value) -> _Value:
    if isinstance(value, Mark) and unknown_among(value):
        raise NotKnown(value)
    return value
