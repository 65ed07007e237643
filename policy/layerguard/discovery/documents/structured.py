"""JSON and YAML documents, CloudFormation's short tags included."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import yaml

from layerguard.discovery.documents.unreadable import DocumentUnreadable
from layerguard.discovery.tree import FoldedObject, Mark, Tree

try:
    from yaml import CSafeLoader as _SafeLoader  # five times as fast
except ImportError:
    from yaml import SafeLoader as _SafeLoader  # type: ignore[assignment]

# Values of a YAML text: aliases and merges let a short text stand for an endless tree, while
# without them a value takes two characters at least. So a text has as many values as characters,
# and a short one more for each of its characters, up to the most that aliases may make of it.
_NODES_OF_ANY, _NODES_PER_CHARACTER, _MAX_FROM_ALIASES = 100, 20, 200_000
# More digits are no number that names a version, and take a time that grows with their square.
_MAX_DIGITS = 64


def whole_number(digits: str) -> int | str:
    """Return the number in ``digits``, as a decoder's ``parse_int``; too many of them stay text."""
    return int(digits) if len(digits) <= _MAX_DIGITS else digits


def read_json(text: str) -> Tree:
    """Return the JSON document in ``text``; raise DocumentUnreadable when it is none."""
    try:
        document: Tree = json.loads(text, object_pairs_hook=FoldedObject.of, parse_int=whole_number)
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
    return _tree(documents, _most_nodes(text))


def _most_nodes(text: str) -> int:
    from_aliases = min(_NODES_PER_CHARACTER * len(text), _MAX_FROM_ALIASES)
    return _NODES_OF_ANY + max(from_aliases, len(text))


class _Loader(_SafeLoader):
    """A loader of plain data that knows CloudFormation's short tags."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._merges_left = _most_nodes(text)

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Merge what ``<<`` names into ``node``, unless merges in merges make it too large."""
        super().flatten_mapping(node)
        self._merges_left -= len(node.value)
        if self._merges_left < 0:
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


def _number(read: Callable[[Any, yaml.ScalarNode], Any]) -> Callable[[Any, yaml.ScalarNode], Any]:
    """Return ``read`` for numbers of so many digits only; any other stays text."""

    def construct(loader: Any, node: yaml.ScalarNode) -> Any:
        text = loader.construct_scalar(node)
        return read(loader, node) if len(text) <= _MAX_DIGITS else text

    return construct


def _text(loader: Any, node: yaml.ScalarNode) -> Any:
    return loader.construct_scalar(node)


_YAML = "tag:yaml.org,2002:"
_Loader.add_multi_constructor("!", _function)
_Loader.add_constructor(f"{_YAML}int", _number(_SafeLoader.construct_yaml_int))
_Loader.add_constructor(f"{_YAML}float", _number(_SafeLoader.construct_yaml_float))
# In a place of its own "=" or "<<" is text, and a date is text for every reader of a manifest, a
# template or values: "9999-99-99", which is none, too.
for _kind in ("value", "merge", "timestamp"):
    _Loader.add_constructor(f"{_YAML}{_kind}", _text)


def _tree(documents: list[Any], most_nodes: int) -> list[Tree]:
    """Return what the loader made as trees, unless aliases make them too large."""
    result: list[Tree] = [None] * len(documents)
    nodes_left = most_nodes
    ahead: list[tuple[object, Any, Any]] = [
        (document, result, position) for position, document in enumerate(documents)
    ]
    while ahead:
        value, container, key = ahead.pop()
        if isinstance(value, (dict, list)):
            nodes_left -= len(value)
            if nodes_left < 0:
                raise DocumentUnreadable("The document is too large.")
        if isinstance(value, dict):
            object_ = FoldedObject(dict.fromkeys(map(str, value)))
            container[key] = object_
            ahead += ((each, object_, str(name)) for name, each in value.items())
        elif isinstance(value, list):
            list_: list[Tree] = [None] * len(value)
            container[key] = list_
            ahead += ((each, list_, position) for position, each in enumerate(value))
        elif value is None or isinstance(value, (str, bool, int, float)):
            container[key] = value
        else:
            container[key] = Mark.OPAQUE
    return result
