"""The kinds of values that options take: each has a schema, a reading, and words."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any, Protocol

from layerguard.identity import AssumedRole, Identity

DEFAULT_ACCOUNT = "default"
_ACCOUNT = r"^[0-9]{12}$"
_ROLE_ARN = r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$"
_PREFIX = r"^(ROOT|[a-z0-9]+(?:(?:[._]|__|-+|/)[a-z0-9]+)*/?)$"
_URL = r"^https?://[^/]+/?$"
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Exemption:
    """A glob, and why what fits it is exempt. ``*`` fits any characters, ``/`` too."""

    glob: str
    reason: str

    def fits(self, *texts: str | None) -> bool:
        """Tell whether the whole of one of ``texts`` fits, in this case of letters."""
        return any(fnmatchcase(text, self.glob) for text in texts if text is not None)


class Kind(Protocol):
    """The kind of values that an option takes."""

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of a value."""

    @property
    def allowed(self) -> str:
        """What is allowed, in words."""

    def parse(self, value: Any, where: str, problems: list[str]) -> Any:
        """Return what ``value`` means; add a sentence to ``problems`` where it means nothing."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the values of an enumeration."""

    values: type[Enum]

    @property
    def schema(self) -> dict[str, Any]:
        """A string out of a list."""
        return {"type": "string", "enum": [each.value for each in self.values]}

    @property
    def allowed(self) -> str:
        """The list."""
        return ", ".join(f"`{each.value}`" for each in self.values)

    def parse(self, value: Any, where: str, problems: list[str]) -> Any:
        """Return the member of the enumeration."""
        if isinstance(value, str) and value in [each.value for each in self.values]:
            return self.values(value)
        problems.append(_refused(where, value, ", ".join(each.value for each in self.values)))
        return None


@dataclass(frozen=True, slots=True)
class Number:
    """A number between two others; a ``whole`` one may arrive as 3.0, too."""

    least: int
    most: int
    whole: bool = False

    @property
    def schema(self) -> dict[str, Any]:
        """A number with its limits."""
        kind = "integer" if self.whole else "number"
        return {"type": kind, "minimum": self.least, "maximum": self.most}

    @property
    def allowed(self) -> str:
        """The limits."""
        return f"{'whole ' if self.whole else ''}number from {self.least} to {self.most}"

    def parse(self, value: Any, where: str, problems: list[str]) -> Any:
        """Return the number."""
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        fits = is_number and math.isfinite(value) and self.least <= value <= self.most
        if fits and not (self.whole and value != int(value)):
            return int(value) if self.whole else float(value)
        problems.append(_refused(where, value, f"a {self.allowed}"))
        return None


@dataclass(frozen=True, slots=True)
class Exemptions:
    """A list of globs for ``subject``, each with a reason."""

    subject: str

    @property
    def schema(self) -> dict[str, Any]:
        """A list of objects with two texts."""
        text = {"type": "string", "minLength": 1}
        return {"type": "array", "items": _object({self.subject: text, "reason": text})}

    @property
    def allowed(self) -> str:
        """The shape of the list."""
        return f"list of `{{{self.subject}: glob, reason: text}}`"

    def parse(self, value: Any, where: str, problems: list[str]) -> tuple[Exemption, ...]:
        """Return the exemptions."""
        found: list[Exemption] = []
        for position, each in enumerate(_list(value, where, self.allowed, problems)):
            place = f"{where}[{position}]"
            texts = _texts(each, place, (self.subject, "reason"), (), problems)
            if texts:
                found.append(Exemption(texts[self.subject], texts["reason"]))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Prefixes:
    """A list of prefixes of repositories."""

    @property
    def schema(self) -> dict[str, Any]:
        """A list of texts."""
        return {"type": "array", "items": {"type": "string", "pattern": _PREFIX}}

    @property
    def allowed(self) -> str:
        """The shape of the list."""
        return "list of repository prefixes, or `ROOT`"

    def parse(self, value: Any, where: str, problems: list[str]) -> tuple[str, ...]:
        """Return the prefixes."""
        prefixes = _list(value, where, self.allowed, problems)
        for position, each in enumerate(prefixes):
            if not isinstance(each, str) or not re.search(_PREFIX, each):
                problems.append(
                    _refused(f"{where}[{position}]", each, "a repository prefix or ROOT")
                )
        return tuple(str(each) for each in prefixes)


@dataclass(frozen=True, slots=True)
class Urls:
    """A list of URLs."""

    @property
    def schema(self) -> dict[str, Any]:
        """A list of texts."""
        return {"type": "array", "items": {"type": "string", "pattern": _URL}}

    @property
    def allowed(self) -> str:
        """The shape of the list."""
        return "list of URLs"

    def parse(self, value: Any, where: str, problems: list[str]) -> tuple[str, ...]:
        """Return the URLs."""
        urls = _list(value, where, self.allowed, problems)
        for position, each in enumerate(urls):
            if not isinstance(each, str) or not re.search(_URL, each):
                problems.append(_refused(f"{where}[{position}]", each, "a URL"))
        return tuple(str(each) for each in urls)


@dataclass(frozen=True, slots=True)
class Identities:
    """Whom to ask as, by the account of the registry."""

    @property
    def schema(self) -> dict[str, Any]:
        """An object of objects: a role, or else a profile."""
        text = {"type": "string", "minLength": 1}
        role = _object(
            {"roleArn": {"type": "string", "pattern": _ROLE_ARN}, "externalId": text}, ("roleArn",)
        )
        return {
            "type": "object",
            "propertyNames": {"pattern": f"{_ACCOUNT}|^{DEFAULT_ACCOUNT}$"},
            "additionalProperties": {"oneOf": [role, _object({"profile": text})]},
        }

    @property
    def allowed(self) -> str:
        """The shape of the object."""
        return "account or `default` to `{roleArn, externalId}` or `{profile}`"

    def parse(self, value: Any, where: str, problems: list[str]) -> Mapping[str, Identity]:
        """Return the identities by account."""
        if not isinstance(value, Mapping):
            problems.append(_refused(where, value, f"an object: {self.allowed}"))
            return {}
        found: dict[str, Identity] = {}
        for account, each in value.items():
            place = f"{where}.{account}"
            if account != DEFAULT_ACCOUNT and not re.search(_ACCOUNT, str(account)):
                problems.append(_refused(place, account, "12 digits or default as the key"))
            if isinstance(each, Mapping) and "profile" in each:
                texts = _texts(each, place, ("profile",), (), problems)
                found[str(account)] = Identity(profile=texts.get("profile"))
                continue
            texts = _texts(each, place, ("roleArn",), ("externalId",), problems)
            arn = texts.get("roleArn", "")
            if texts and not re.search(_ROLE_ARN, arn):
                problems.append(_refused(f"{place}.roleArn", arn, "the ARN of an IAM role"))
            found[str(account)] = Identity(roles=(AssumedRole(arn, texts.get("externalId")),))
        return MappingProxyType(found)


def meant(name: str, known: list[str]) -> str:
    """Return the name that was meant, or all there are."""
    near = difflib.get_close_matches(name, known, 1)
    return f"did you mean {near[0]}" if near else f"there are {', '.join(sorted(known))}"


def _refused(where: str, value: Any, allowed: str) -> str:
    shown = repr(value)
    shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
    return f"The option {where} is {shown}; allowed is {allowed}."


def _object(properties: dict[str, Any], required: Sequence[str] = ()) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required or properties),
        "additionalProperties": False,
    }


def _list(value: Any, where: str, allowed: str, problems: list[str]) -> Sequence[Any]:
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return value
    problems.append(_refused(where, value, f"a {allowed}"))
    return ()


def _texts(
    value: Any, where: str, required: Sequence[str], optional: Sequence[str], problems: list[str]
) -> dict[str, str]:
    """Return the texts in an object; an empty dict where there is a problem."""
    known = (*required, *optional)
    before = len(problems)
    if not isinstance(value, Mapping):
        problems.append(_refused(where, value, f"an object with {', '.join(known)}"))
        return {}
    problems += [
        f"There is no member {name} in the option {where}; {meant(str(name), list(known))}."
        for name in value
        if name not in known
    ]
    problems += [f"The option {where} lacks {name}." for name in required if name not in value]
    for name in known:
        if name in value and not (isinstance(value[name], str) and value[name]):
            problems.append(_refused(f"{where}.{name}", value[name], "a text that is not empty"))
    return {} if len(problems) > before else {name: value[name] for name in known if name in value}
