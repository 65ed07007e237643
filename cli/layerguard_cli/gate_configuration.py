"""The configuration of the gates, from the file that Pulumi takes with ``--policy-pack-config``.

The engine checks a value against its option's schema before the pack parses it; here both are done,
so that what an audit takes is what the gates take. Source: Pulumi's documentation, "Policy pack
configuration"; JSON Schema 2020-12, of which the schemas of the options use these keywords.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from layerguard.errors import SettingsInvalid
from layerguard.settings import OPTIONS, Settings

_GATE = "ecr-layers-available"
_LEVEL = "enforcementLevel"
_LARGEST = 1_000_000  # bytes


def settings_in(path: Path) -> Settings:
    """Return the settings in a file: those of the update gate, or options alone.

    Raises argparse.ArgumentTypeError that names the file, the option and what is allowed.
    """
    try:
        return Settings.parse(_checked(_options(_read(path))))
    except (SettingsInvalid, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{path}: {str(error).rstrip('.')}") from error


def _read(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{path}: {error.strerror}") from error
    if len(content) > _LARGEST:
        raise ValueError("it is too large for a configuration")
    try:
        return json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ValueError("it is not a configuration in JSON") from error


def _options(document: Any) -> dict[str, Any]:
    """Return the options of the update gate, which serve all policies; they may stand alone."""
    if not isinstance(document, dict):
        raise ValueError("it is not a configuration: an object with the options is expected")
    names_policies = any(name == "all" or name.startswith("ecr-") for name in document)
    options = document.get(_GATE, {}) if names_policies else document
    if isinstance(options, str):  # a level alone
        return {}
    if not isinstance(options, dict):
        raise ValueError(f"{_GATE} is neither a level nor an object with options")
    return {name: value for name, value in options.items() if name != _LEVEL}


def _checked(options: dict[str, Any]) -> dict[str, Any]:
    """Return ``options``; raise SettingsInvalid where the engine would refuse a value."""
    for option in OPTIONS:
        if option.name in options and not _fits(options[option.name], option.schema):
            raise SettingsInvalid(
                f"The option {option.name} has a value that is not allowed; allowed: "
                f"{option.allowed}."
            )
    return options


def _fits(value: Any, schema: Mapping[str, Any]) -> bool:
    return all(
        keyword(value, schema[name], schema)
        for name, keyword in _KEYWORDS.items()
        if name in schema
    )


def _has_type(value: Any, wanted: str) -> bool:
    if isinstance(value, bool):
        return False
    if wanted == "integer":
        return isinstance(value, (int, float)) and value == int(value)
    types: Mapping[str, Any] = {
        "array": list,
        "number": (int, float),
        "object": dict,
        "string": str,
    }
    return isinstance(value, types[wanted])


def _members_fit(value: Any, additional: Any, schema: Mapping[str, Any]) -> bool:
    others = value.keys() - schema.get("properties", {}).keys()
    if isinstance(additional, bool):
        return additional or not others
    return all(_fits(value[name], additional) for name in others)


# The type goes first: the other keywords are about values of it.
_KEYWORDS: Mapping[str, Callable[[Any, Any, Mapping[str, Any]], bool]] = {
    "type": lambda value, wanted, _: _has_type(value, wanted),
    "enum": lambda value, allowed, _: value in allowed,
    "minimum": lambda value, least, _: value >= least,
    "maximum": lambda value, most, _: value <= most,
    "minLength": lambda value, least, _: len(value) >= least,
    "pattern": lambda value, pattern, _: re.search(pattern, value) is not None,
    "items": lambda value, each, _: all(_fits(item, each) for item in value),
    "required": lambda value, names, _: all(name in value for name in names),
    "properties": lambda value, each, _: all(
        _fits(value[name], schema) for name, schema in each.items() if name in value
    ),
    "propertyNames": lambda value, names, _: all(_fits(name, names) for name in value),
    "additionalProperties": _members_fit,
    "oneOf": lambda value, each, _: sum(_fits(value, schema) for schema in each) == 1,
}
