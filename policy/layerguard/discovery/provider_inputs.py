"""Inputs of a provider: its nested values, lists and booleans arrive as JSON text."""

from __future__ import annotations

from layerguard.discovery.documents.structured import read_json
from layerguard.discovery.documents.unreadable import DocumentUnreadable
from layerguard.discovery.tree import SecretText, Tree, member, plain


def value_of(inputs: Tree, key: str) -> Tree:
    """Return the member ``key``: the value in JSON text, and any other value as it is."""
    value = member(inputs, key)
    if not isinstance(value, str):
        return value
    try:
        parsed = read_json(value)
    except DocumentUnreadable:
        return value
    return plain(parsed, is_secret=True) if isinstance(value, SecretText) else parsed


def elements_of(inputs: Tree, key: str) -> list[Tree]:
    """Return the elements of the list under ``key``; a value that is no list stands for itself."""
    value = value_of(inputs, key)
    if isinstance(value, list):
        return value
    return [] if value is None else [value]
