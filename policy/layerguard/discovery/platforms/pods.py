"""Kubernetes: node selectors and required node affinities."""

from __future__ import annotations

from collections.abc import Iterator

from layerguard.discovery.path import Leaf
from layerguard.discovery.platforms.inputs import elements
from layerguard.discovery.tree import Mark, Tree, member, reach, unknown_among
from layerguard.platform import Platform


def pod(leaf: Leaf) -> Platform | None:
    """The one architecture that the pod's node selector or required node affinity leaves.

    Source: Kubernetes documentation, "Assigning Pods to Nodes" and "Well-Known Labels".
    """
    return leaf.once(_platform, *map(leaf.nearest, ("nodeSelector", "affinity", "os")))


def _platform(selector: Tree, affinity: Tree, own_system: Tree) -> Platform | None:
    terms = _required_terms(affinity)
    architecture = _label(selector, terms, "arch")
    system = _label(selector, terms, "os") or member(own_system, "name") or "linux"
    if architecture is None and system == "windows":
        architecture = "amd64"  # the only architecture of Windows nodes
    if not isinstance(architecture, str) or not isinstance(system, str):
        return None
    return Platform(system, architecture)


def _label(selector: Tree, terms: list[Tree], name: str) -> Tree:
    """Return the one value left for a node label, None where nothing limits it.

    Where a part is unknown, or several values are left, it is Mark.UNKNOWN.
    """
    if unknown_among(selector):
        return Mark.UNKNOWN
    for label in (f"kubernetes.io/{name}", f"beta.kubernetes.io/{name}"):
        chosen = member(selector, label)
        if chosen is not None:
            return chosen
        # Terms are alternatives: the label decides only when all of them leave the same value.
        left = {value for term in terms for value in _values(term, label)}
        if Mark.UNKNOWN in left or len(left - {None}) > 1:
            return Mark.UNKNOWN
        if left and None not in left:
            return left.pop()
    return None


def _required_terms(affinity: Tree) -> list[Tree]:
    return elements(
        reach(
            affinity,
            "nodeAffinity",
            "requiredDuringSchedulingIgnoredDuringExecution",
            "nodeSelectorTerms",
        )
    )


def _values(term: Tree, label: str) -> Iterator[str | Mark | None]:
    """Yield what ``term`` allows for ``label``: its values, or None where it does not limit it."""
    expressions = term if unknown_among(term) else member(term, "matchExpressions")
    if unknown_among(expressions):
        yield Mark.UNKNOWN
        return
    for each in expressions if isinstance(expressions, list) else []:
        if (member(each, "key"), member(each, "operator")) == (label, "In"):
            values = member(each, "values")
            for value in values if isinstance(values, list) else [values]:
                yield value if isinstance(value, str) else Mark.UNKNOWN
            return
    yield None
