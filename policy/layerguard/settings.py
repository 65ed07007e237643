"""Settings: one declaration per option gives its schema, its parsing and its documentation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from layerguard.errors import SettingsInvalid
from layerguard.verdict import State, Verdict


class Undetermined(Enum):
    """What to do about an image that could not be checked."""

    NOTICE = "notice"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Option:
    """An option as a team writes it into the policy pack's configuration."""

    name: str
    choices: tuple[str, ...]
    default: str
    description: str

    @property
    def schema(self) -> dict[str, Any]:
        """The option's JSON schema.

        It has no ``default``: the engine would fill it in, and a policy with a configuration of
        its own could not be told from one without.
        """
        text = f"{self.description} Default: {self.default}."
        return {"type": "string", "enum": list(self.choices), "description": text}

    def parse(self, config: Mapping[str, Any]) -> str:
        """Return the option's value in ``config``; raise SettingsInvalid for one not allowed."""
        value = config.get(self.name, self.default)
        if value not in self.choices:
            raise SettingsInvalid(
                f"The option {self.name} is {value!r}; allowed are {', '.join(self.choices)}."
            )
        return str(value)


UNDETERMINED = Option(
    "undetermined",
    tuple(each.value for each in Undetermined),
    Undetermined.NOTICE.value,
    "What to do about an image that could not be checked: 'notice' only says so, 'fail' treats it "
    "as unavailable (fail closed).",
)
OPTIONS = (UNDETERMINED,)


@dataclass(frozen=True, slots=True)
class Settings:
    """A configuration that was parsed and found valid."""

    undetermined: Undetermined = Undetermined.NOTICE

    @classmethod
    def parse(cls, config: Mapping[str, Any]) -> Settings:
        """Return the settings in ``config``; raise SettingsInvalid for an unknown or wrong one."""
        known = {option.name for option in OPTIONS}
        for name in config:
            if name not in known:
                raise SettingsInvalid(
                    f"There is no option {name}; there are {', '.join(sorted(known))}."
                )
        return cls(Undetermined(UNDETERMINED.parse(config)))

    def stops(self, verdict: Verdict) -> bool:
        """Tell whether a gate turns ``verdict`` into a violation."""
        return verdict.state is State.UNAVAILABLE or (
            verdict.state is State.UNDETERMINED and self.undetermined is Undetermined.FAIL
        )
