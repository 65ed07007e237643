"""CloudFormation templates: their resources, with the functions resolved that can be.

Source: CloudFormation user guide, "Intrinsic function reference" and "Pseudo parameters".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from layerguard.discovery import platforms, runtimes
from layerguard.discovery.catalog import ROWS, Row
from layerguard.discovery.path import below
from layerguard.discovery.placement import Placement
from layerguard.discovery.tree import FoldedObject, Mark, Tree, member

_VARIABLE = re.compile(r"\$\{(?P<literal>!)?(?P<name>[^}]*)\}")
_FIRST_LETTER = re.compile(r"(?:^|(?<=[.\[]))[a-z]")


@dataclass(frozen=True, slots=True)
class TemplateResource:
    """One resource of a template: its CloudFormation type, its properties and their path."""

    type_name: str
    properties: Tree
    path: str


def rows_of(type_name: Tree) -> tuple[Row, ...]:
    """Return the rows for resources of the CloudFormation type ``type_name``."""
    return _ROWS.get(type_name.casefold(), ()) if isinstance(type_name, str) else ()


def resources_in(
    template: Tree, parameters: Tree, placement: Placement, where: str
) -> Iterator[TemplateResource]:
    """Yield the resources of the ``template`` at ``where`` in a stack with ``parameters``.

    A value that cannot be known before the deployment is Mark.UNRESOLVED.
    """
    resources = member(template, "Resources")
    functions = _Functions(template, parameters, placement)
    for name, resource in resources.items() if isinstance(resources, dict) else ():
        type_name = member(resource, "Type")
        if isinstance(type_name, str):
            properties = functions.resolve(member(resource, "Properties"))
            path = below(below(below(where, "Resources"), name), "Properties")
            yield TemplateResource(type_name, properties, path)


class _Functions:
    """Resolves functions with the parameters, the mappings and the pseudo parameters."""

    def __init__(self, template: Tree, parameters: Tree, placement: Placement) -> None:
        self._mappings = member(template, "Mappings")
        self._values: dict[str, Tree] = dict(_pseudo_parameters(placement))
        declared = member(template, "Parameters")
        for name, declaration in declared.items() if isinstance(declared, dict) else ():
            given = member(parameters, name)
            value = member(declaration, "Default") if given is None else given
            self._values[name] = Mark.UNRESOLVED if value is None else value

    def resolve(self, value: Tree) -> Tree:
        """Return ``value`` with the results of its functions in their place."""
        if isinstance(value, list):
            return [self.resolve(each) for each in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref" or name.startswith("Fn::"):
                return self._call(name, self.resolve(argument))
        return FoldedObject((key, self.resolve(each)) for key, each in value.items())

    def _call(self, name: str, argument: Tree) -> Tree:
        match name, argument:
            case "Ref", str():
                return self._values.get(argument, Mark.UNRESOLVED)
            case "Fn::Sub", str():
                return self._substitute(argument, {})
            case "Fn::Sub", [str() as text, dict() as variables]:
                return self._substitute(text, variables)
            case "Fn::Join", [str() as separator, [*parts]]:
                return _all_text(parts, separator)
            case "Fn::FindInMap", [map_name, key, name_in_map, *_]:
                value: Tree = self._mappings
                for step in (map_name, key, name_in_map):
                    value = member(value, step) if isinstance(step, str) else None
                return Mark.UNRESOLVED if value is None else value
            case _:
                return Mark.UNRESOLVED

    def _substitute(self, text: str, variables: Mapping[str, Tree]) -> Tree:
        parts: list[Tree] = []
        end = 0
        for variable in _VARIABLE.finditer(text):
            parts.append(text[end : variable.start()])
            end = variable.end()
            name = variable["name"]
            parts.append(
                f"${{{name}}}"
                if variable["literal"]
                else variables.get(name, self._values.get(name, Mark.UNRESOLVED))
            )
        return _all_text([*parts, text[end:]], "")


def _all_text(parts: list[Tree], separator: str) -> str | Mark:
    marks = [each for each in parts if isinstance(each, (Mark, dict, list)) or each is None]
    if marks:
        return Mark.UNKNOWN if Mark.UNKNOWN in marks else Mark.UNRESOLVED
    return separator.join(map(str, parts))


def _pseudo_parameters(placement: Placement) -> Iterator[tuple[str, Tree]]:
    yield "AWS::NoValue", None
    if placement.account:
        yield "AWS::AccountId", placement.account
    if placement.region:
        china = placement.region.startswith("cn-")
        yield "AWS::Region", placement.region
        yield "AWS::URLSuffix", "amazonaws.com.cn" if china else "amazonaws.com"


def _pascal(path: str) -> str:
    """Return a path of aws-native with CloudFormation's names; a document's own stay."""
    properties, colon, document = path.partition(":")
    return _FIRST_LETTER.sub(lambda letter: letter[0].upper(), properties) + colon + document


def _cloudformation_rows() -> Mapping[str, tuple[Row, ...]]:
    function = Row(
        "AWS::Serverless::Function", "ImageUri", platforms.lambda_function, runtimes.LAMBDA
    )
    table: dict[str, tuple[Row, ...]] = {function.resource_type.casefold(): (function,)}
    for row in ROWS:
        provider, *names = row.resource_type.split(":")
        if provider == "aws-native":
            type_name = "::".join(("AWS", *names)).casefold()
            table[type_name] = (*table.get(type_name, ()), replace(row, path=_pascal(row.path)))
    return table


_ROWS = _cloudformation_rows()
