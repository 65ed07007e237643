"""The input properties of every resource in a provider's Python SDK, read from its sources.

The SDKs are generated, so that a few patterns read them. Importing one would take a gigabyte.
"""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

_CLASS = re.compile(r"^class (\w+)\b.*?:\n", re.MULTILINE)
_REGISTRATION = re.compile(r"super\((\w+), __self__\)\.__init__\(\s*'([^']+)',")
_PROPERTY = re.compile(
    r"""    @pulumi\.getter(?:\(name="(?P<name>\w+)"\))?\n"""
    r"""(?:    @[\s\S]*?\n)??    def (?P<attribute>\w+)\(self\) -> (?P<type>.+):\n"""
    r"""(?:        \"{3}\n(?P<words>[\s\S]*?)        \"{3})?"""
)
_INPUTS = "_inputs.py"


class Vanished(LookupError):
    """A resource type or a property that the SDK does not have; the text names it."""


@dataclass(frozen=True)
class Property:
    """An input property: its type as it is written, where that was, and its documentation."""

    annotation: ast.expr
    module: Path
    words: str = ""


class ProviderSdk:
    """One provider's SDK in ``folder``, whose modules are read when they are needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._classes: dict[Path, dict[str, str]] = {}

    @classmethod
    def installed(cls, package: str) -> ProviderSdk:
        """Return the SDK of an installed package; raise ModuleNotFoundError without it."""
        found = importlib.util.find_spec(package)
        if found is None or found.origin is None:
            raise ModuleNotFoundError(f"{package} is not installed.")
        return cls(Path(found.origin).parent)

    @cached_property
    def resources(self) -> Mapping[str, tuple[Path, str]]:
        """The module and the class of each resource type."""
        found: dict[str, tuple[Path, str]] = {}
        for module in sorted(self._folder.rglob("*.py")):
            if module.name not in (_INPUTS, "outputs.py"):
                for name, token in _REGISTRATION.findall(module.read_text(encoding="utf-8")):
                    found[token] = (module, name)
        return found

    def inputs(self, resource_type: str) -> Mapping[str, Property]:
        """Return the input properties of a resource type; raise Vanished without it."""
        if resource_type not in self.resources:
            raise Vanished(f"There is no resource type {resource_type}.")
        module, name = self.resources[resource_type]
        found = self._properties(module, f"{name}Args")
        return found or self._properties(module, f"{name}InitArgs")

    def follow(self, resource_type: str, steps: tuple[str, ...]) -> None:
        """Follow the steps of a property path, up to a document; raise Vanished at one that is not.

        What stands in a property of any type is the user's own, so everything is there.
        """
        properties: Mapping[str, Property] | None = self.inputs(resource_type)
        here: Property | None = None
        for position, step in enumerate(steps):
            if step[0] == ":" or (here is not None and _is_any(here)):
                return
            where = f"{step} at step {position + 1} of {resource_type}'s {' '.join(steps)}"
            if step[0] == "[":
                here = self._inner(here, "Sequence", where)
            elif step == "{*}" or (here is not None and _container(here) == "Mapping"):
                here = self._inner(here, "Mapping", where)
            elif properties is None or step not in properties:
                raise Vanished(f"There is no property {where}.")
            else:
                here = properties[step]
            properties = self.members(here)

    def members(self, value: Property) -> Mapping[str, Property] | None:
        """Return the properties of an object; None of anything else."""
        reference = _reference(value)
        if reference is None:
            return None
        *modules, name = reference.split(".")
        folder = self._folder.joinpath(*(part.removeprefix("_") for part in modules))
        inside = self._folder if modules == ["_root_inputs"] else folder
        module = (inside if modules else value.module.parent) / _INPUTS
        return self._properties(module, name) or None

    def leaves(self, resource_type: str) -> Iterator[tuple[str, Property]]:
        """Yield the path of each input that is no object, recursive types once on each way."""
        yield from self._leaves(self.inputs(resource_type), "", ())

    def _leaves(
        self, properties: Mapping[str, Property], where: str, way: tuple[str, ...]
    ) -> Iterator[tuple[str, Property]]:
        for name, value in properties.items():
            path = f"{where}.{name}" if where else name
            while _container(value) in ("Sequence", "Mapping"):
                path += "[]" if _container(value) == "Sequence" else "{*}"
                value = Property(_element(value.annotation), value.module, value.words)
            reference = _reference(value)
            inside = self.members(value) if reference and reference not in way else None
            if inside:
                yield from self._leaves(inside, path, (*way, reference or ""))
            elif not reference:
                yield path, value

    def _inner(self, value: Property | None, container: str, where: str) -> Property:
        if value is None or _container(value) != container:
            raise Vanished(f"There is no {container} for {where}.")
        return Property(_element(value.annotation), value.module, value.words)

    def _properties(self, module: Path, name: str) -> Mapping[str, Property]:
        if module not in self._classes:
            text = module.read_text(encoding="utf-8") if module.exists() else ""
            pieces = _CLASS.split(text)
            self._classes[module] = dict(zip(pieces[1::2], pieces[2::2], strict=True))
        return {
            found["name"] or found["attribute"]: Property(
                ast.parse(found["type"], mode="eval").body, module, found["words"] or ""
            )
            for found in _PROPERTY.finditer(self._classes[module].get(name, ""))
        }


def _core(annotation: ast.expr) -> ast.expr:
    """Return the type inside of Input and Optional; of a Union its first member that is a class."""
    while isinstance(annotation, ast.Subscript):
        name = ast.unparse(annotation.value).rpartition(".")[2]
        if name in ("Input", "Optional"):
            annotation = annotation.slice
        elif name == "Union" and isinstance(annotation.slice, ast.Tuple):
            annotation = annotation.slice.elts[0]
        else:
            break
    return annotation


def _container(value: Property) -> str | None:
    core = _core(value.annotation)
    name = ast.unparse(core.value) if isinstance(core, ast.Subscript) else None
    return name if name in ("Sequence", "Mapping") else None


def _element(annotation: ast.expr) -> ast.expr:
    core = _core(annotation)
    assert isinstance(core, ast.Subscript)
    return core.slice.elts[-1] if isinstance(core.slice, ast.Tuple) else core.slice


def _reference(value: Property) -> str | None:
    """Return the name of the class of an object, with its modules; None of anything else."""
    core = _core(value.annotation)
    named = isinstance(core, ast.Constant) and isinstance(core.value, str)
    text = str(core.value) if named and isinstance(core, ast.Constant) else ""
    return text if text.endswith("Args") else None


def _is_any(value: Property) -> bool:
    return ast.unparse(_core(value.annotation)) == "Any"
