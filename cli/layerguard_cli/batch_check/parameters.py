"""The parameters of the call: from the words of the command line, files and JSON."""

from __future__ import annotations

import argparse
import json
import locale
import os
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session

from layerguard_cli.batch_check.aws_cli_options import INPUT_JSON, destination, option_of
from layerguard_cli.batch_check.operation import Operation


class ParameterError(Exception):
    """A value that cannot be read."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"Error parsing parameter '{name}': {message}")


@dataclass(frozen=True, slots=True)
class Values:
    """Reads the values of options, or the files that they name.

    A text may be ``file://PATH`` or ``fileb://PATH``, and unless ``remote`` is false also a URL,
    as in the AWS CLI v1.
    """

    remote: bool = True

    def of_options(self, parsed: argparse.Namespace, operation: Operation) -> dict[str, Any]:
        """Return the members of the input that have an option on the line."""
        found: dict[str, Any] = {}
        for name, shape in operation.members.items():
            value = getattr(parsed, destination(name))
            if value is not None:
                found[name] = _typed(shape, self.loaded(option_of(name), value), option_of(name))
        # Read for its errors alone: the AWS CLI loads this option like the others first.
        self.loaded(INPUT_JSON, parsed.cli_input_json)
        return found

    def loaded(self, name: str, value: Any) -> Any:
        """Return the value, or the content that it names if it is one text, alone or in a list."""
        text = value[0] if isinstance(value, list) and len(value) == 1 else value
        if not isinstance(text, str):
            return value
        try:
            for prefix, load in self._loaders().items():
                if text.startswith(prefix):
                    return load(text)
        except _LoadError as error:
            raise ParameterError(name, str(error)) from error
        return value

    def _loaders(self) -> Mapping[str, Callable[[str], str | bytes]]:
        loaders: dict[str, Callable[[str], str | bytes]]
        loaders = {"file://": _text_of, "fileb://": _bytes_of}
        if self.remote:
            loaders |= {"http://": _fetched, "https://": _fetched}
        return loaders


def with_json(given: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters, and after them the members of the JSON that they do not have.

    A file is read anew, so that a pipe has nothing left: the AWS CLI reads it twice too.
    """
    text = Values(remote=False).loaded(INPUT_JSON, given)
    return {**parameters, **{k: v for k, v in _json_object(text).items() if k not in parameters}}


class _LoadError(Exception):
    pass


def _path(address: str) -> str:
    """Return the path in the address; a ``Path`` would turn an empty one into a folder."""
    return os.path.expandvars(os.path.expanduser(address.partition("://")[2]))  # noqa: PTH111


def _text_of(address: str) -> str:
    path = _path(address)
    try:
        with open(path, encoding=locale.getpreferredencoding()) as file:  # noqa: PTH123
            return file.read()
    except UnicodeDecodeError as error:
        raise _LoadError(
            f"Unable to load paramfile ({path}), text contents could not be decoded.  If this is "
            "a binary file, please use the fileb:// prefix instead of the file:// prefix."
        ) from error
    except OSError as error:
        raise _LoadError(f"Unable to load paramfile {address}: {error}") from error


def _bytes_of(address: str) -> bytes:
    try:
        with open(_path(address), "rb") as file:  # noqa: PTH123
            return file.read()
    except OSError as error:
        raise _LoadError(f"Unable to load paramfile {address}: {error}") from error


def _fetched(address: str) -> str:
    try:
        response = URLLib3Session().send(AWSRequest("GET", address).prepare())
        text: str = response.text
    except Exception as error:
        raise _LoadError(f"Unable to retrieve {address}: {error}") from error
    if response.status_code != 200:
        status = response.status_code
        raise _LoadError(f"Unable to retrieve {address}: received non 200 status code of {status}")
    return text


def _typed(shape: Any, value: Any, name: str) -> Any:
    """Return the value as the shape's type has it; validation refuses what does not fit."""
    if shape.type_name == "list":
        return _list(shape, value, name)
    if shape.type_name in {"structure", "map"}:
        return _json_value(value, name)
    if shape.type_name in {"integer", "long"}:
        return int(value)
    return value


def _list(shape: Any, value: Any, name: str) -> Any:
    """Return the JSON list that a value of one text is, or the values one by one.

    A file without a list in it is split into its characters, and an empty one ends the command, as
    in the AWS CLI.
    """
    text = value[0] if isinstance(value, list) and len(value) == 1 else value
    if isinstance(text, str):
        if text is value and not text.strip():
            raise IndexError("string index out of range")
        if text.lstrip().startswith("["):
            return _json_value(text, name)
    return [_typed(shape.member, each, name) for each in value]


def _json_value(text: str | bytes, name: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=OrderedDict)
    except ValueError as error:
        raise _invalid_json(name, text, error) from error


def _json_object(text: str | bytes) -> dict[str, Any]:
    name = INPUT_JSON.removeprefix("--")
    try:
        value = json.loads(text)
    except ValueError as error:
        raise _invalid_json(name, text, error) from error
    if not isinstance(value, dict):
        raise TypeError(f"'{type(value).__name__}' object has no attribute 'keys'")
    return value


def _invalid_json(name: str, text: str | bytes, error: ValueError) -> ParameterError:
    return ParameterError(name, f"Invalid JSON: {error}\nJSON received: {text!s}")
