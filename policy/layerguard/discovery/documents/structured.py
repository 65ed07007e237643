"""JSON and YAML documents, CloudFormation's short tags included."""

from __future__ import annotations

import datetime
import json
from typing import Any

import yaml

from layerguard.discovery.documents.unreadable import DocumentUnreadable
from layerguard.discovery.tree import FoldedObject, Mark, Tree

# What a document may hold. Aliases let a short YAML text stand for an endless tree.
MAX_NODES = 200_000
MAX_DEPTH = 100


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
        return [_Copy().of(document, 0) for document in yaml.load_all(text, _Loader)]
    except (yaml.YAMLError, ValueError, RecursionError, TypeError) as error:
        # TypeError: PyYAML's answer to a list or a map as a key of some maps.
        raise DocumentUnreadable("The text is not YAML.") from error


class _Loader(yaml.SafeLoader):
    """A loader of plain data that knows CloudFormation's short tags."""


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


_Loader.add_multi_constructor("!", _function)


class _Copy:
    """Copies what the loader made into a tree, and gives up where aliases make it too large."""

    def __init__(self) -> None:
        self._nodes = 0

    def of(self, value: object, depth: int) -> Tree:
        self._nodes += 1
        if self._nodes > MAX_NODES or depth > MAX_DEPTH:
            raise DocumentUnreadable("The document is too large or too deep.")
        if isinstance(value, dict):
            return FoldedObject((str(key), self.of(each, depth + 1)) for key, each in value.items())
        if isinstance(value, list):
            return [self.of(each, depth + 1) for each in value]
        if isinstance(value, (datetime.date, datetime.datetime)):
            return value.isoformat()
        return value if isinstance(value, (str, bool, int, float, type(None))) else Mark.OPAQUE
