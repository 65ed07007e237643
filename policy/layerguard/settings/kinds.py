"""The kinds of values that options take.

The engine validates a configuration against the schemas before the pack sees it, from a file and
from Pulumi Cloud alike. So ``read`` checks only what keeps a value of another type from being
taken for one of this kind. Source: the engine's pkg/resource/analyzer, ReconcilePolicyPackConfig.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from layerguard.identity import AssumedRole, Identity

DEFAULT_ACCOUNT = "default"
T = TypeVar("T")
E = TypeVar("E", bound=Enum)
_ROLE_ARN = r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$"
_TEXT = {"type": "string", "minLength": 1}


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """A kind of values: their JSON schema, and the same in words.

    ``read`` returns what a value means; it raises KeyError, TypeError or ValueError for what is
    not of this kind.
    """

    schema: Mapping[str, Any]
    allowed: str
    read: Callable[[Any], T]


@dataclass(frozen=True, slots=True)
class Exemption:
    """A glob, and why what fits it is exempt. ``*`` fits any characters, ``/`` too."""

    glob: str
    reason: str

    def fits(self, *texts: str | None) -> bool:
        """Tell whether the whole of one of ``texts`` fits; the case of letters counts."""
        return any(fnmatchcase(text, self.glob) for text in texts if text is not None)


def choice(values: type[E]) -> Kind[E]:
    """One of the values of an enumeration."""
    words = [each.value for each in values]
    return Kind({"type": "string", "enum": words}, ", ".join(f"`{each}`" for each in words), values)


def number(least: int, most: int) -> Kind[float]:
    """A number between two others."""

    def read(value: Any) -> float:
        if not least <= value <= most:
            raise ValueError(value)
        return float(value)

    schema = {"type": "number", "minimum": least, "maximum": most}
    return Kind(schema, f"number from {least} to {most}", read)


def whole_number(least: int, most: int) -> Kind[int]:
    """A whole number between two others; the engine hands over 3 as 3.0."""
    kind = number(least, most)
    schema = {**kind.schema, "type": "integer"}
    return Kind(schema, f"whole {kind.allowed}", lambda value: int(kind.read(value)))


def exemptions(subject: str) -> Kind[tuple[Exemption, ...]]:
    """A list of globs for ``subject``, each with a reason."""

    def read(value: Any) -> tuple[Exemption, ...]:
        return tuple(
            Exemption(_of(str, each[subject]), _of(str, each["reason"]))
            for each in _of(list, value)
        )

    schema = {"type": "array", "items": _object({subject: _TEXT, "reason": _TEXT})}
    return Kind(schema, f"list of `{{{subject}: glob, reason: text}}`", read)


def texts(pattern: str, allowed: str) -> Kind[tuple[str, ...]]:
    """A list of texts that fit a regular expression."""
    schema = {"type": "array", "items": {"type": "string", "pattern": pattern}}
    return Kind(schema, allowed, lambda value: tuple(_of(str, each) for each in _of(list, value)))


def identities() -> Kind[Mapping[str, Identity]]:
    """An object with a role or a profile for each account of a registry."""
    role = _object({"roleArn": {"type": "string", "pattern": _ROLE_ARN}, "externalId": _TEXT})
    schema = {
        "type": "object",
        "propertyNames": {"pattern": f"^([0-9]{{12}}|{DEFAULT_ACCOUNT})$"},
        "additionalProperties": {
            "oneOf": [{**role, "required": ["roleArn"]}, _object({"profile": _TEXT})]
        },
    }

    def read(value: Any) -> Mapping[str, Identity]:
        return MappingProxyType(
            {account: _identity(each) for account, each in _of(dict, value).items()}
        )

    return Kind(schema, "account or `default` to `{roleArn, externalId}` or `{profile}`", read)


def _identity(value: Any) -> Identity:
    if "profile" in _of(dict, value):
        return Identity(profile=_of(str, value["profile"]))
    external_id = value.get("externalId")
    role = AssumedRole(
        _of(str, value["roleArn"]), None if external_id is None else _of(str, external_id)
    )
    return Identity(roles=(role,))


def _of(kind: type[T], value: Any) -> T:
    if not isinstance(value, kind):
        raise TypeError(value)
    return value


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
