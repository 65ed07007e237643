"""JSON and YAML documents, CloudFormation's short tags included."""

from __future__ import annotations

import datetime
import json
from typing import Any

import yaml

from layerguard.discovery.documents.unreadable import DocumentUnreadable
from layerguard.discovery.tree import FoldedObject, Mark, Tree

try:
    from yaml import CSafeLoader as _SafeLoader  # five times as fast
except ImportError:
    from yaml import SafeLoader as _SafeLoader  # type: ignore[assignment]

MAX_NODES = 200_000
"""Values of a YAML document. Aliases let a short text stand for an endless tree."""

# More digits are no number that names a version, and take a time that grows with their square.
_MAX_DIGITS = 64


def read_json(text: str) -> Tree:
    """Return the JSON document in ``text``; raise DocumentUnreadable when it is none."""
    try:
        document: Tree = json.loads(text, object_pairs_hook=FoldedObject)
    except (ValueError, RecursionError) as error:
        raise DocumentUnreadable("The text is not JSON.") from error
    return document


def read_yaml(text: str) -> Tree:
    """Return the first YAML or JSON document in ``text``; raise DocumentUnreadable without one.

    CloudFormation's short tags become its long functions: ``!Ref a`` is ``{"Ref": "a"}`` and
    ``!Sub a`` is ``{"Fn::Sub": "a"}``.
    """
    stream = read_yaml_stream(text)
    return stream[0] if stream else None


def read_yaml_stream(text: str) -> list[Tree]:
    """Return every document in ``text``, which are separated by ``---`` lines."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            return [read_json(text)]
        except DocumentUnreadable:
            pass  # YAML's flow style looks like JSON and is not
    try:
        documents = list(yaml.load_all(text, _Loader))
    except Exception as error:
        # PyYAML has no one error for a value that does not fit its tag, or a key that is a list.
        raise DocumentUnreadable("The text is not YAML.") from error
    return _tree(documents)


class _Loader(_SafeLoader):
    """A loader of plain data that knows CloudFormation's short tags."""

    merged = 0

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Merge what ``<<`` names into ``node``, unless merges in merges make it too large."""
        super().flatten_mapping(node)
        self.merged += len(node.value)
        if self.merged > MAX_NODES:
            raise DocumentUnreadable("The document is too large.")


def _function(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    return {tag if tag in ("Ref", "Condition") else f"Fn::{tag}": value}


def _integer(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int | str:
    text = str(loader.construct_scalar(node))
    return loader.construct_yaml_int(node) if len(text) <= _MAX_DIGITS else text


_Loader.add_multi_constructor("!", _function)
_Loader.add_constructor("tag:yaml.org,2002:int", _integer)


def _tree(documents: list[Any]) -> list[Tree]:
    """Return what the loader made as trees, unless aliases make them too large."""
    result: list[Tree] = [None] * len(documents)
    nodes = 0
    ahead: list[tuple[object, Any, Any]] = [
        (document, result, position) for position, document in enumerate(documents)
    ]
    while ahead:
        value, container, key = ahead.pop()
        if isinstance(value, (dict, list)):
            nodes += len(value)
            if nodes > MAX_NODES:
                raise DocumentUnreadable("The document is too large.")
        if isinstance(value, dict):
            object_ = FoldedObject(dict.fromkeys(map(str, value)))
            container[key] = object_
            ahead += ((each, object_, str(name)) for name, each in value.items())
        elif isinstance(value, list):
            list_: list[Tree] = [None] * len(value)
            container[key] = list_
            ahead += ((each, list_, position) for position, each in enumerate(value))
        elif isinstance(value, (datetime.date, datetime.datetime)):
            container[key] = value.isoformat()
        elif value is None or isinstance(value, (str, bool, int, float)):
            container[key] = value
        else:
            container[key] = Mark.OPAQUE
    return result
