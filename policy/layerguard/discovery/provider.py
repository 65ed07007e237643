"""The identity of a resource's own provider, out of the provider's inputs.

Source: the inputs of pulumi-aws 7 and pulumi-aws-native 1, and of pulumi-aws 6, which has one
``assumeRole`` for the list. Nested values, lists and booleans arrive as JSON text, in which a
dictionary of a Python program keeps its keys in snake_case; ``allowedAccountIds`` and the other
guards of a provider do not change whom it asks as.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar

from layerguard.discovery.tree import Mark, Tree, member
from layerguard.identity import ORDINARY, AssumedRole, Identity, StaticKeys, WebIdentity

_PROVIDERS = ("pulumi:providers:aws", "pulumi:providers:aws-native")
_UNITS = {"s": 1, "m": 60, "h": 3600}
_Value = TypeVar("_Value")


class NotKnownYet(Exception):
    """A value of the provider is the output of a resource that does not exist yet."""


def provider_identity(provider_type: str, inputs: Tree) -> Identity:
    """Return as whom the provider asks; the ordinary chain for any but the two AWS providers.

    Raises NotKnownYet where an input that decides it is unknown in a preview.
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
    # A region alone says nothing of whom: providers of many regions are one principal.
    return ORDINARY if replace(identity, region=None) == ORDINARY else identity


def _role(inputs: Tree) -> AssumedRole | None:
    arn = _text(inputs, "roleArn")
    if not arn:
        return None
    tags = _parsed(member(inputs, "tags"))
    return AssumedRole(
        arn,
        _text(inputs, "externalId"),
        _text(inputs, "sessionName"),
        _seconds(inputs),
        _text(inputs, "policy"),
        _texts(inputs, "policyArns"),
        tuple(sorted((key, str(value)) for key, value in tags.items()))
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
    number = _parsed(member(inputs, "durationSeconds"))
    if isinstance(number, (int, float)):
        return int(number)
    text = _text(inputs, "duration")
    total, digits = 0, ""
    for character in text or "":
        if character.isdigit():
            digits += character
        elif character in _UNITS and digits:
            total, digits = total + int(digits) * _UNITS[character], ""
        else:
            return None
    return total or None


def _text(inputs: Tree, key: str) -> str | None:
    value = _known(member(inputs, key))
    return value if isinstance(value, str) and value else None


def _flag(inputs: Tree, key: str) -> bool | None:
    value = _parsed(member(inputs, key))
    return value if isinstance(value, bool) else None


def _texts(inputs: Tree, key: str) -> tuple[str, ...]:
    return tuple(each for each in _elements(inputs, key) if isinstance(each, str) and each)


def _objects(inputs: Tree, key: str) -> Iterator[Tree]:
    for each in _elements(inputs, key):
        if isinstance(each, dict):
            yield {camel_case(name): value for name, value in each.items()}


def camel_case(name: str) -> str:
    """Return ``name`` as Pulumi's schemas write it."""
    return re.sub("_([a-z])", lambda letter: letter[1].upper(), name)


def _elements(inputs: Tree, key: str) -> Iterator[Tree]:
    """Yield the elements of a list; anything else stands for itself."""
    value = _parsed(member(inputs, key))
    yield from map(_known, value if isinstance(value, list) else [value])


def _parsed(value: Tree) -> Tree:
    """Return the value in JSON text, and any other value as it is."""
    if not isinstance(_known(value), str):
        return value
    try:
        parsed: Tree = json.loads(str(value))
    except (ValueError, RecursionError):
        return value
    return parsed


def _known(value: _Value) -> _Value:
    if value is Mark.UNKNOWN:
        raise NotKnownYet
    return value
