"""The options: one declaration each gives its schema, its reading, its field and its documentation.

The engine refuses a value that its option's schema does not allow before the pack sees it, but it
accepts options that there are not: their names are checked by ``Settings.parse``.
"""

# ruff: noqa: RUF009 - what _option returns is a dataclass field.

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from enum import Enum
from types import MappingProxyType
from typing import Any, TypeVar

from layerguard.errors import SettingsInvalid
from layerguard.identity import Identity, without_credentials
from layerguard.settings.kinds import (
    DEFAULT_ACCOUNT,
    Exemption,
    Kind,
    choice,
    exemptions,
    identities,
    number,
    texts,
    whole_number,
)

T = TypeVar("T")
_PREFIX = r"^(ROOT|[a-z0-9]+(?:(?:[._]|__|-+|/)[a-z0-9]+)*/?)$"
_URL = r"^https?://[^/]+/?$"
_SHOWN = 80  # characters of a value in a message


class Undetermined(Enum):
    """What to do about an image that could not be checked."""

    NOTICE = "notice"
    FAIL = "fail"


class RuleLevel(Enum):
    """What follows from a rule."""

    ON = "on"
    NOTICE = "notice"
    OFF = "off"


def _option(default: T, kind: Kind[T], description: str) -> T:
    """Declare an option as a field of ``Settings``, which a type checker sees as its default."""
    metadata = {"kind": kind, "description": description}
    # A factory, because dataclasses take some of the defaults for mutable ones.
    return field(default_factory=lambda: default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class Settings:
    """A configuration that was found valid."""

    # fmt: off
    undetermined:                Undetermined            = _option(Undetermined.NOTICE,  choice(Undetermined),    "What to do about an image that could not be checked: 'notice' only reports it, 'fail' treats it as unavailable (fail closed).")
    exempt:                      tuple[Exemption, ...]   = _option((),                   exemptions("reference"), "Images that never stop a deployment, by globs on their references; the notice repeats the reason.")
    exempt_resources:            tuple[Exemption, ...]   = _option((),                   exemptions("urn"),       "Resources whose images never stop a deployment, by globs on their URNs; the notice repeats the reason.")
    identities:                  Mapping[str, Identity]  = _option(MappingProxyType({}), identities(),            "AWS credentials to use for the registry of an account; they win over those of the resource's own provider.")
    pull_through_cache_prefixes: tuple[str, ...]         = _option((),                   texts(_PREFIX, "list of repository prefixes, or `ROOT`"), "Prefixes of pull-through caches, for principals that may not ask ECR for them; without it ECR is asked.")
    trusted_endpoints:           tuple[str, ...]         = _option((),                   texts(_URL, "list of URLs"), "Endpoints of ECR that the stack itself may choose in its providers, and whose answers count; those of others are undetermined.")
    runtime_rules:               RuleLevel               = _option(RuleLevel.ON,         choice(RuleLevel),       "What a runtime refuses although every layer is there: 'on' stops, 'notice' only reports it.")
    platform_rules:              RuleLevel               = _option(RuleLevel.ON,         choice(RuleLevel),       "An image without the platform it is to run on: 'on' stops, 'notice' only reports it, 'off' checks every platform it has.")
    timeout_seconds:             float                   = _option(30.0,                 number(1, 600),          "For how long one image is checked, retries included.")
    total_timeout_seconds:       float                   = _option(300.0,                number(1, 3600),         "For how long a run waits for answers in all.")
    wait_seconds:                float                   = _option(0.0,                  number(0, 3600),         "For how long ECR is asked again for an image or layer that is not there yet, in update and analyze.")
    concurrency:                 int                     = _option(100,                  whole_number(1, 200),    "How many calls to ECR are under way at a time.")
    # fmt: on

    @classmethod
    def parse(cls, config: Mapping[str, Any]) -> Settings:
        """Return the settings in ``config``; raise SettingsInvalid that names every problem."""
        options = {option.name: option for option in OPTIONS}
        problems: list[str] = []
        values: dict[str, Any] = {}
        for name, value in config.items():
            option = options.get(name)
            if option is None:
                problems.append(f"There is no option {name}; {_meant(name, options)}.")
                continue
            try:
                values[option.attribute] = option.kind.read(value)
            except (KeyError, TypeError, ValueError):
                shown = repr(value)
                shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
                problems.append(f"The option {name} is {shown}; allowed: {option.allowed}.")
        if problems:
            raise SettingsInvalid(" ".join(problems))
        return cls(**values)

    def identity_for(self, account: str) -> Identity | None:
        """Return the identity to use in the registry of ``account``; None if there is none."""
        return self.identities.get(account) or self.identities.get(DEFAULT_ACCOUNT)

    def trusts(self, endpoint: str) -> bool:
        """Tell whether the answers of ``endpoint``, which the stack chose, count."""
        return _canonical(endpoint) in map(_canonical, self.trusted_endpoints)


@dataclass(frozen=True, slots=True)
class Option:
    """An option as a team writes it into the policy pack's configuration.

    ``attribute`` is the name of its field of ``Settings``.
    """

    attribute: str
    kind: Kind[Any]
    default: str
    description: str

    @property
    def name(self) -> str:
        """The name in a configuration."""
        return re.sub("_([a-z])", lambda letter: letter[1].upper(), self.attribute)

    @property
    def allowed(self) -> str:
        """What is allowed, in words."""
        return self.kind.allowed

    @property
    def schema(self) -> dict[str, Any]:
        """The option's JSON schema.

        It has no ``default``: the engine would fill it in, so that every policy would seem to have
        a configuration of its own.
        """
        return {**self.kind.schema, "description": f"{self.description} Default: {self.default}."}


def _words(default: Any) -> str:
    if isinstance(default, Enum):
        return str(default.value)
    return f"{default:g}" if isinstance(default, (int, float)) else "none"


_DEFAULTS = Settings()
OPTIONS = tuple(
    Option(attribute=each.name, default=_words(getattr(_DEFAULTS, each.name)), **each.metadata)
    for each in fields(Settings)
)


def _meant(name: str, known: Iterable[str]) -> str:
    """Return the name that was probably meant, or all there are."""
    near = difflib.get_close_matches(name, known, 1)
    return f"did you mean {near[0]}" if near else f"there are {', '.join(sorted(known))}"


def _canonical(url: str) -> str:
    return without_credentials(url).rstrip("/").lower()
