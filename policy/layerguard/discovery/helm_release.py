"""The values of a Helm release of Terraform's provider: documents, and settings on top of them.

Source: the documentation of Terraform's Helm provider, ``helm_release``, and Helm's "The Format and
Limitations of --set": ``a.b[0].c``, where a backslash stands before a dot that is a name's own.
"""

from __future__ import annotations

import re

from layerguard.discovery.documents.structured import read_yaml
from layerguard.discovery.documents.unreadable import DocumentUnreadable
from layerguard.discovery.terraform_names import TerraformObject
from layerguard.discovery.tree import Mark, SecretText, Tree, member, plain

_SETTINGS = ("sets", "setLists", "setSensitives", "setWos")
_STEP = re.compile(r"(?:[^.\[\]\\]|\\.)+|\[[0-9]{1,4}\]", re.ASCII)
_ESCAPED = re.compile(r"\\(.)")
# Names in one setting's path; Helm itself takes 30.
_MOST_STEPS = 30


def with_merged_values(inputs: Tree) -> Tree:
    """Return a release whose ``values`` are one object, and a mark for each that is not readable.

    A later document wins over an earlier one, and a setting over all of them. What a setting says
    stands among the values, and no longer where it is set.
    """
    if not isinstance(inputs, dict):
        return inputs
    values: dict[str, Tree] = {}
    marks: list[Tree] = []
    for document in map(_read, _elements(member(inputs, "values"))):
        if isinstance(document, dict):
            _merge(values, document)
        elif isinstance(document, Mark):
            marks.append(document)
    for key in _SETTINGS:
        for setting in _elements(member(inputs, key)):
            name = member(setting, "name")
            if isinstance(name, str):
                _set(values, _STEP.findall(name)[:_MOST_STEPS], member(setting, "value"))
            elif isinstance(setting, Mark):
                marks.append(setting)
    release = TerraformObject(inputs)
    for key in _SETTINGS:
        release.pop(release.name_of(key), None)
    release["values"] = [values, *marks]
    return release


def _elements(value: Tree) -> list[Tree]:
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _read(document: Tree) -> Tree:
    if not isinstance(document, str):
        return document
    try:
        read = read_yaml(document)
    except DocumentUnreadable:
        return Mark.UNREADABLE
    return plain(read, is_secret=True) if isinstance(document, SecretText) else read


def _merge(values: dict[str, Tree], later: dict[str, Tree]) -> None:
    """Put ``later`` into ``values``, member by member, however deep they are."""
    ahead = [(values, later)]
    while ahead:
        into, from_ = ahead.pop()
        for key, value in from_.items():
            there = into.get(key)
            if not isinstance(value, dict):
                into[key] = value
                continue
            if not isinstance(there, dict):
                there = into[key] = {}
            ahead.append((there, value))


def _set(values: dict[str, Tree], steps: list[str], value: Tree) -> None:
    """Put ``value`` at the end of ``steps``; a list becomes an object of its elements' numbers."""
    place = values
    for step in steps[:-1]:
        there = place.get(_name(step))
        if isinstance(there, list):
            there = {str(number): each for number, each in enumerate(there)}
        elif not isinstance(there, dict):
            there = {}
        place[_name(step)] = there
        place = there
    if steps:
        place[_name(steps[-1])] = value


def _name(step: str) -> str:
    return step[1:-1] if step[0] == "[" else _ESCAPED.sub(r"\1", step)
