"""A value on the walk over a tree, and what the names around it say of it."""

from __future__ import annotations

from collections.abc import Container
from typing import NamedTuple

from layerguard.discovery.member_names import (
    ASSIGNMENTS,
    CHART_VALUES,
    LISTED_BY,
    is_part_of_image,
    names_image,
    plain_name,
)
from layerguard.discovery.tree import Tree, text_of


class Step(NamedTuple):
    """A value on the walk, and the way to it, from the end.

    ``whole`` are the values of the chart that it belongs to, ``documents`` how many documents in
    strings lead to it.
    """

    value: Tree
    key: str | int
    parent: Step | None
    whole: Tree
    documents: int = 0

    def below(self, value: Tree, key: str | int) -> Step:
        """Return the step to ``value``, a member or an element."""
        whole = value if key in CHART_VALUES else self.whole
        return Step(value, key, self, whole, self.documents)

    def inside(self, document: Tree) -> Step:
        """Return the step to the document that the value is, in its place."""
        return Step(document, self.key, self.parent, document, self.documents + 1)

    @property
    def is_image(self) -> bool:
        """Whether the names around the value say that it is an image."""
        name = plain_name(self.key)
        if not name:
            return self._name(1) == "images"
        if name == "value":
            # Of a parameter, or of an operation of a JSON patch.
            is_parameter = self._name(2) in ASSIGNMENTS
            path = self._beside("name" if is_parameter else "path")
            last = path.replace("/", ".").rpartition(".")[2] if isinstance(path, str) else ""
            return names_image(plain_name(last))
        if is_part_of_image(name) and names_image(self._name(1)):
            return True
        # Source: OpenShift's API reference, ObjectReference of an image.
        is_object = name == "name" and self._beside("kind") == "DockerImage"
        return is_object or names_image(name)

    def is_of_container(self, containers: Container[str]) -> bool:
        """Tell whether the value is the image of one of ``containers``, alone or in a list."""
        holder = self._name(1) or self._name(2)
        return plain_name(self.key) == "image" and holder in containers

    @property
    def is_only_listed(self) -> bool:
        """Whether the value stands in the specification of a kind that only lists its tags."""
        owner = self.parent.parent.value if self.parent and self.parent.parent else None
        return isinstance(owner, dict) and str(owner.get("kind")) in LISTED_BY

    def without_name(self, text: str) -> str:
        """Return the image behind ``NAME=``, where the value is one of kustomize's images."""
        name, equals, image = text.partition("=")
        is_listed = isinstance(self.key, int) and self._name(1) == "images"
        return text_of(image, text) if is_listed and equals and ".dkr" not in name else text

    def _beside(self, key: str) -> Tree:
        parent = self.parent.value if self.parent else None
        return parent.get(key) if isinstance(parent, dict) else None

    def _name(self, up: int) -> str:
        """Return the plain name ``up`` steps above; "" for an element's number."""
        step: Step | None = self
        for _ in range(up):
            step = step.parent if step else None
        return plain_name(step.key) if step else ""
