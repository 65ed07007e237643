"""Terraform and OpenTofu: a plan and a state in JSON.

Source: Terraform documentation, "JSON Output Format" (``terraform show -json``); its package
``statefile`` for version 4 of the state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from layerguard.discovery.resources import DiscoveredResources
from layerguard.discovery.tree import Mark, SecretText, Tree, member, reach
from layerguard.enforcement import Mode, Run

from layerguard_cli.sources.declared import DeclaredResource, placed
from layerguard_cli.sources.form import Context
from layerguard_cli.sources.source import Source, SourceKind, SourceUnreadable

_VERSION = 4


def is_plan(document: Any) -> bool:
    """Tell whether a document is a plan as ``terraform show -json`` prints it."""
    return "format_version" in _object(document) and "planned_values" in document


def is_state(document: Any) -> bool:
    """Tell whether a document is a state, as it is stored or as ``show -json`` prints it."""
    names = _object(document).keys()
    if "format_version" in names:
        return "values" in names or names <= {"format_version", "terraform_version"}
    return "terraform_version" in names and "version" in names


def read_plan(documents: Sequence[Any], context: Context) -> Source:
    """Return the image uses of what there will be when the plan is applied."""
    (plan, *_) = documents
    changes = {
        str(each.get("address")): each.get("change")
        for each in map(_object, _list(plan.get("resource_changes")))
    }
    root = reach(plan, "planned_values", "root_module")
    resources = (
        _resource(each, reach(changes.get(str(each.get("address"))), "after_unknown"))
        for each in _in_modules(root)
    )
    problems = ("The plan ended with an error, so it may not be all.",) * (
        plan.get("errored") is True
    )
    return _source(context, SourceKind.TERRAFORM_PLAN, resources, Mode.PREVIEW, problems)


def read_state(documents: Sequence[Any], context: Context) -> Source:
    """Return the image uses of a state; raise SourceUnreadable for a version that is not known."""
    (state, *_) = documents
    resources: Iterable[DeclaredResource | None]
    if "format_version" in state:
        resources = map(_resource, _in_modules(reach(state, "values", "root_module")))
    elif state.get("version") == _VERSION:
        resources = _instances(state)
    else:
        raise SourceUnreadable(
            "It is a Terraform state of a version that is not known; version 4 and what terraform "
            "show -json prints are."
        )
    return _source(context, SourceKind.TERRAFORM_STATE, resources, Mode.ANALYZE)


def _source(
    context: Context,
    kind: SourceKind,
    resources: Iterable[DeclaredResource | None],
    mode: Mode,
    problems: tuple[str, ...] = (),
) -> Source:
    discovered = DiscoveredResources((), context.environment)
    uses = tuple(
        placed(use, each) for each in resources if each for use in discovered.discover(each).uses
    )
    run = Run(mode, discovered.provisions)
    return Source(context.name, kind, uses, problems, run)


def _in_modules(root: Tree) -> Iterator[Mapping[str, Any]]:
    """Yield the resources of a module and of the modules in it."""
    ahead = [root]
    while ahead:
        module = _object(ahead.pop())
        yield from map(_object, _list(module.get("resources")))
        ahead += reversed(_list(module.get("child_modules")))


def _resource(record: Mapping[str, Any], unknown: Tree = None) -> DeclaredResource | None:
    values = _marked(record.get("values"), unknown, record.get("sensitive_values"))
    return _declared(record, str(record.get("address") or ""), values)


def _instances(state: Mapping[str, Any]) -> Iterator[DeclaredResource | None]:
    for record in map(_object, _list(state.get("resources"))):
        names = (record.get("module"), record.get("type"), record.get("name"))
        address = ".".join(str(each) for each in names if each)
        for instance in map(_object, _list(record.get("instances"))):
            key = instance.get("index_key")
            index = "" if key is None else f'["{key}"]' if isinstance(key, str) else f"[{key}]"
            sensitive = _sensitive(instance.get("sensitive_attributes"))
            values = _marked(instance.get("attributes"), None, sensitive)
            yield _declared(record, f"{address}{index}", values)


def _declared(record: Mapping[str, Any], address: str, values: Tree) -> DeclaredResource | None:
    """Return a resource that Terraform makes; one that it only reads is made by others."""
    kind = record.get("type")
    if not isinstance(kind, str) or record.get("mode", "managed") != "managed":
        return None
    return DeclaredResource(f"pulumi:terraform:{kind}", values, address or kind, urn=address)


def _sensitive(paths: Any) -> Tree:
    """Return the paths of version 4, of which each is a list of steps, as a tree of flags.

    Any other value of an attribute than a path to it makes all of the attribute sensitive.
    """
    names = (reach(next(iter(_list(path)), None), "value") for path in _list(paths))
    return {name: True for name in names if isinstance(name, str)}


def _marked(value: Any, unknown: Tree, sensitive: Tree) -> Tree:
    """Return ``value`` with a mark for what is not known, and SecretText for what is sensitive.

    ``unknown`` and ``sensitive`` are trees beside it, in which True stands for all below it.
    """
    result: list[Tree] = [None]
    ahead: list[tuple[Any, Tree, Tree, Any, Any]] = [(value, unknown, sensitive, result, 0)]
    while ahead:
        value, unknown, sensitive, container, key = ahead.pop()
        if unknown is True:
            container[key] = Mark.UNKNOWN
        elif isinstance(value, dict) or (value is None and isinstance(unknown, dict)):
            members = {**dict.fromkeys(_object(unknown)), **_object(value)}
            container[key] = copy = dict[str, Tree](dict.fromkeys(members))
            ahead += (
                (each, _below(unknown, name), _below(sensitive, name), copy, name)
                for name, each in members.items()
            )
        elif isinstance(value, list) or (value is None and isinstance(unknown, list)):
            length = max(len(_list(value)), len(_list(unknown)))
            elements = [*_list(value), *([None] * (length - len(_list(value))))]
            container[key] = list_ = list[Tree]([None] * length)
            ahead += (
                (each, _below(unknown, index), _below(sensitive, index), list_, index)
                for index, each in enumerate(elements)
            )
        else:
            is_secret = sensitive is True and isinstance(value, str)
            container[key] = SecretText(value) if is_secret else value
    return result[0]


def _below(flags: Tree, key: str | int) -> Tree:
    """Return the flags of a member or an element; those of a whole are those of its parts."""
    if flags is True:
        return True
    if isinstance(key, int):
        return flags[key] if isinstance(flags, list) and key < len(flags) else None
    return member(flags, key)


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
