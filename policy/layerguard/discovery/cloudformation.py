"""CloudFormation templates: their resources, with the functions resolved that can be.

Source: CloudFormation user guide, "Intrinsic function reference", "Pseudo parameters" and
"Fn::ForEach".
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from layerguard.discovery import runtimes
from layerguard.discovery.catalog import ROWS, Row
from layerguard.discovery.path import Keys
from layerguard.discovery.placement import Placement
from layerguard.discovery.platforms.aws_services import lambda_function
from layerguard.discovery.tree import FoldedObject, Mark, Tree, member, text_of, unknown_among
from layerguard.registry_host import suffix_of

MAX_TEXT = 1_000_000
"""Characters of all texts that functions make, which is what a whole template may have."""

# A name ends at the next variable, so that a text of opening braces is read only once.
_VARIABLE = re.compile(r"\$\{(?P<literal>!)?(?P<name>[^{}$]*)\}")
# CloudFormation user guide, "Get values stored in other services using dynamic references".
_DYNAMIC = "{{resolve:"
_LOOP = "Fn::ForEach::"
_MOST_NESTED = 50  # conditions in conditions
_FIRST_LETTER = re.compile(r"(?:^|(?<=[.\[]))[a-z]")


@dataclass(frozen=True, slots=True)
class TemplateResource:
    """One resource of a template: its CloudFormation type, its properties and where they stand.

    It ``is_conditional`` where it is not certain that there will be such a resource.
    """

    type_name: str
    properties: Tree
    keys: Keys
    is_conditional: bool = False


def rows_of(type_name: Tree) -> Sequence[Row]:
    """Return the rows for resources of the CloudFormation type ``type_name``."""
    return _ROWS.get(type_name.casefold(), ()) if isinstance(type_name, str) else ()


def resources_in(
    template: Tree, parameters: Tree, placement: Placement
) -> Iterator[TemplateResource]:
    """Yield the resources of ``template`` in a stack with ``parameters``.

    A value that cannot be known before the deployment is Mark.UNRESOLVED.
    """
    functions = _Functions(template, parameters, placement)
    for keys, resource in _declared(member(template, "Resources")):
        type_name, condition = member(resource, "Type"), member(resource, "Condition")
        if isinstance(type_name, str):
            is_looped = len(keys) > len(("Resources", "name"))
            is_made = condition is None or functions.truth({"Condition": condition})
            properties = functions.resolve(member(resource, "Properties"))
            is_conditional = is_looped or not is_made
            yield TemplateResource(type_name, properties, (*keys, "Properties"), is_conditional)


def _declared(resources: Tree) -> Iterator[tuple[Keys, Tree]]:
    """Yield the resources of a template; what is in a loop stands for all that the loop makes."""
    ahead: list[tuple[Tree, Keys]] = [(resources, ("Resources",))]
    while ahead:
        resources, where = ahead.pop()
        for name, resource in resources.items() if isinstance(resources, dict) else ():
            match resource:
                case [_, _, inner] if name.startswith(_LOOP):
                    ahead.append((inner, (*where, name, 2)))
                case _:
                    yield (*where, name), resource


class _Functions:
    """Resolves functions with the parameters, the mappings and the pseudo parameters."""

    def __init__(self, template: Tree, parameters: Tree, placement: Placement) -> None:
        self._characters_left = MAX_TEXT
        self._conditions = member(template, "Conditions")
        self._truths: dict[str, bool | None] = {}
        self._mappings = member(template, "Mappings")
        self._values: dict[str, Tree] = dict(_pseudo_parameters(placement))
        declared = member(template, "Parameters")
        for name, declaration in declared.items() if isinstance(declared, dict) else ():
            given = member(parameters, name)
            value = _scalar(member(declaration, "Default") if given is None else given)
            self._values[name] = Mark.UNRESOLVED if _is_looked_up(declaration) else value

    def truth(self, condition: Tree, nesting: int = 0) -> bool | None:
        """Return whether ``condition`` is true, None where only the deployment decides it."""
        inner = partial(self.truth, nesting=nesting + 1)
        match condition if nesting < _MOST_NESTED else None:
            case {"Condition": str(name)}:
                if name not in self._truths:
                    self._truths[name] = None  # for a condition that refers to itself
                    self._truths[name] = inner(member(self._conditions, name))
                return self._truths[name]
            case {"Fn::Not": [each]}:
                return _not(inner(each))
            case {"Fn::And": [*each]}:
                return _all(map(inner, each))
            case {"Fn::Or": [*each]}:
                return _not(_all(_not(inner(one)) for one in each))
            case {"Fn::Equals": [one, other]}:
                values = (self.resolve(one), self.resolve(other))
                # Other scalars have a text of CloudFormation's own.
                is_plain = all(isinstance(each, str) or type(each) is int for each in values)
                return str(values[0]) == str(values[1]) if is_plain else None
        return None

    def resolve(self, value: Tree) -> Tree:
        """Return ``value`` with the results of its functions in their place."""
        result: list[Tree] = [None]
        # A stack of its own instead of recursion. With the name of a function, the value is the
        # list that by then holds its argument.
        ahead: list[tuple[Tree, Any, Any, str]] = [(value, result, 0, "")]
        while ahead:
            value, container, key, function = ahead.pop()
            if function:
                assert isinstance(value, list)
                container[key] = self._call(function, value[0])
            elif isinstance(value, list):
                list_: list[Tree] = [None] * len(value)
                container[key] = list_
                ahead += ((each, list_, position, "") for position, each in enumerate(value))
            elif isinstance(value, dict) and (name := _function_in(value)):
                argument: list[Tree] = [None]
                ahead.append((argument, container, key, name))
                ahead.append((value[name], argument, 0, ""))
            elif isinstance(value, dict):
                object_ = FoldedObject(dict.fromkeys(value))
                container[key] = object_
                ahead += ((each, object_, name, "") for name, each in value.items())
            else:
                is_dynamic = isinstance(value, str) and _DYNAMIC in value
                container[key] = Mark.UNRESOLVED if is_dynamic else value
        return result[0]

    def _call(self, name: str, argument: Tree) -> Tree:
        match name, argument:
            case "Ref", str():
                return self._values.get(argument, Mark.UNRESOLVED)
            case "Fn::Sub", str():
                return self._substitute(argument, {})
            case "Fn::Sub", [str() as text, dict() as variables]:
                return self._substitute(text, variables)
            case "Fn::Join", [str() as separator, [*parts]]:
                return self._text(parts, separator)
            case "Fn::Base64", str():
                return argument  # user data is read in either form
            case "Fn::If", [str() as condition, yes, no]:
                truth = self.truth({"Condition": condition})
                return Mark.UNRESOLVED if truth is None else yes if truth else no
            case "Fn::FindInMap", [str() as map_name, str() as key, str() as name_in_map, *_]:
                return _scalar(member(member(member(self._mappings, map_name), key), name_in_map))
            case _:
                return Mark.UNRESOLVED

    def _substitute(self, text: str, variables: Mapping[str, Tree]) -> Tree:
        parts: list[Tree] = []
        end = 0
        for variable in _VARIABLE.finditer(text):
            parts.append(text_of(text[end : variable.start()], text))
            end = variable.end()
            name = variable["name"]
            if variable["literal"]:
                parts.append(f"${{{name}}}")
            else:
                parts.append(variables.get(name, self._values.get(name, Mark.UNRESOLVED)))
        return self._text([*parts, text_of(text[end:], text)], "")

    def _text(self, parts: list[Tree], separator: str) -> str | Mark:
        """Return ``parts`` as one text, unless one is not known or they grow without end."""
        if unknown := unknown_among(*parts):
            return unknown
        if any(each is None or isinstance(each, (Mark, dict, list)) for each in parts):
            return Mark.UNRESOLVED
        texts = [each if isinstance(each, str) else str(each) for each in parts]
        length = sum(map(len, texts)) + len(separator) * len(texts)
        if length > self._characters_left:
            return Mark.UNRESOLVED
        self._characters_left -= length
        return text_of(separator.join(texts), separator, *parts)


def _not(truth: bool | None) -> bool | None:
    return None if truth is None else not truth


def _all(truths: Iterable[bool | None]) -> bool | None:
    """Return whether all are true; one that is false decides over one that is not known."""
    known = set(truths)
    return False if False in known else None if None in known else True


def _function_in(value: dict[str, Tree]) -> str | None:
    """Return the name of the function that an object is, None where it is none."""
    name = next(iter(value)) if len(value) == 1 else ""
    return name if name == "Ref" or name.startswith("Fn::") else None


def _is_looked_up(declaration: Tree) -> bool:
    """Tell whether a parameter's value is the name of the one in Systems Manager that counts."""
    type_name = member(declaration, "Type")
    return isinstance(type_name, str) and type_name.startswith("AWS::SSM::Parameter::")


def _scalar(value: Tree) -> Tree:
    """Return ``value`` where it can be a part of a text.

    A list would stand in each place that refers to it, and grow without end.
    """
    return Mark.UNRESOLVED if value is None or isinstance(value, (dict, list)) else value


def _pseudo_parameters(placement: Placement) -> Iterator[tuple[str, Tree]]:
    yield "AWS::NoValue", None
    if placement.account:
        yield "AWS::AccountId", placement.account
    if placement.region:
        yield "AWS::Region", placement.region
        yield "AWS::URLSuffix", suffix_of(placement.region)


def _pascal(path: str) -> str:
    """Return a path of aws-native with CloudFormation's names; a document's own stay."""
    properties, colon, document = path.partition(":")
    return _FIRST_LETTER.sub(lambda letter: letter[0].upper(), properties) + colon + document


def _cloudformation_rows() -> Mapping[str, Sequence[Row]]:
    table: defaultdict[str, list[Row]] = defaultdict(list)
    for row in ROWS:
        provider, *names = row.resource_type.split(":")
        if provider == "aws-native":
            type_name = "::".join(("AWS", *names)).casefold()
            table[type_name].append(replace(row, path=_pascal(row.path)))
    served = Row("AWS::Serverless::Function", "ImageUri", lambda_function, runtimes.LAMBDA)
    table[served.resource_type.casefold()].append(served)
    return dict(table)


_ROWS = _cloudformation_rows()
