"""The options, and a configuration that was found valid."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any

from layerguard.errors import SettingsInvalid
from layerguard.identity import Identity, without_credentials
from layerguard.settings.kinds import (
    DEFAULT_ACCOUNT,
    Choice,
    Exemption,
    Exemptions,
    Identities,
    Kind,
    Number,
    Prefixes,
    Urls,
    meant,
)


class Undetermined(Enum):
    """What to do about an image that could not be checked."""

    NOTICE = "notice"
    FAIL = "fail"


class RuleLevel(Enum):
    """What follows from a rule."""

    ON = "on"
    NOTICE = "notice"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Option:
    """An option as a team writes it into the policy pack's configuration."""

    name: str
    kind: Kind
    default: str
    description: str

    @property
    def allowed(self) -> str:
        """What is allowed, in words."""
        return self.kind.allowed

    @property
    def attribute(self) -> str:
        """The name of the field of ``Settings``."""
        return re.sub("([A-Z])", lambda letter: f"_{letter[1].lower()}", self.name)

    @property
    def schema(self) -> dict[str, Any]:
        """The option's JSON schema.

        It has no ``default``: the engine would fill it in, and a policy with a configuration of
        its own could not be told from one without.
        """
        return {**self.kind.schema, "description": f"{self.description} Default: {self.default}."}


# fmt: off
OPTIONS = (
    Option("undetermined",             Choice(Undetermined),     "notice", "What to do about an image that could not be checked: 'notice' only says so, 'fail' treats it as unavailable (fail closed)."),
    Option("exempt",                   Exemptions("reference"),  "none",   "Images that never stop a deployment, by globs on their references; the notice repeats the reason."),
    Option("exemptResources",          Exemptions("urn"),        "none",   "Resources whose images never stop a deployment, by globs on their URNs; the notice repeats the reason."),
    Option("identities",               Identities(),             "none",   "As whom to ask the registry of an account; wins over the resource's own provider."),
    Option("pullThroughCachePrefixes", Prefixes(),               "asked",  "Prefixes of pull-through caches, where the principal may not ask for them."),
    Option("trustedEndpoints",         Urls(),                   "none",   "Endpoints of ECR that the stack itself may choose in its providers, and whose answers count; others are undetermined."),
    Option("runtimeRules",             Choice(RuleLevel),        "on",     "What a runtime refuses although every layer is there: 'on' stops, 'notice' only says so."),
    Option("platformRules",            Choice(RuleLevel),        "on",     "An image without the platform it is to run on: 'on' stops, 'notice' only says so, 'off' checks every platform it has."),
    Option("timeoutSeconds",           Number(1, 600),           "30",     "For how long one image is asked about, retries included."),
    Option("totalTimeoutSeconds",      Number(1, 3600),          "300",    "For how long a run waits for answers in all."),
    Option("waitSeconds",              Number(0, 3600),          "0",      "For how long an image or layer that is not there yet is asked about again, in update and analyze."),
    Option("concurrency",              Number(1, 200, whole=True), "100",  "How many calls to ECR are under way at a time."),
)
# fmt: on


@dataclass(frozen=True, slots=True)
class Settings:
    """A configuration that was parsed and found valid."""

    undetermined: Undetermined = Undetermined.NOTICE
    exempt: tuple[Exemption, ...] = ()
    exempt_resources: tuple[Exemption, ...] = ()
    identities: Mapping[str, Identity] = field(default_factory=lambda: MappingProxyType({}))
    pull_through_cache_prefixes: tuple[str, ...] = ()
    trusted_endpoints: tuple[str, ...] = ()
    runtime_rules: RuleLevel = RuleLevel.ON
    platform_rules: RuleLevel = RuleLevel.ON
    timeout_seconds: float = 30.0
    total_timeout_seconds: float = 300.0
    wait_seconds: float = 0.0
    concurrency: int = 100

    @classmethod
    def parse(cls, config: Mapping[str, Any]) -> Settings:
        """Return the settings in ``config``; raise SettingsInvalid that names every problem."""
        options = {option.name: option for option in OPTIONS}
        problems: list[str] = []
        values: dict[str, Any] = {}
        for name in config:
            if name in options:
                value = options[name].kind.parse(config[name], name, problems)
                values[options[name].attribute] = value
            else:
                problems.append(f"There is no option {name}; {meant(name, list(options))}.")
        if problems:
            raise SettingsInvalid(" ".join(problems))
        return cls(**values)

    def identity_for(self, account: str) -> Identity | None:
        """Return whom to ask as in the registry of ``account``; None where nothing says it."""
        return self.identities.get(account) or self.identities.get(DEFAULT_ACCOUNT)

    def trusts(self, endpoint: str) -> bool:
        """Tell whether the answers of ``endpoint``, which the stack chose, count."""
        return _canonical(endpoint) in map(_canonical, self.trusted_endpoints)


def _canonical(url: str) -> str:
    return without_credentials(url).rstrip("/").lower()
