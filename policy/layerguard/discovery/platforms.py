"""Which platform a runtime will pull, read from the resource around the image.

A rule gets the leaf where the image stands and returns the platform, or None where the resource
does not decide it (then every runnable platform of the image is checked).
Source of the rules: the ``platform`` column of the project's catalog of image properties, made
from the providers' schemas and the AWS and Kubernetes documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from layerguard.discovery.path import Leaf
from layerguard.discovery.tree import Mark, Tree, member
from layerguard.manifest import Platform

PlatformRule: TypeAlias = Callable[[Leaf], "Platform | None"]

LINUX_AMD64 = Platform("linux", "amd64")
_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "arm64": "arm64"}


def undecided(_leaf: Leaf) -> Platform | None:
    """Nothing in the resource says where the image will run."""
    return None


def linux_amd64(_leaf: Leaf) -> Platform | None:
    """The runtime has no other machines."""
    return LINUX_AMD64


def lambda_function(leaf: Leaf) -> Platform | None:
    """Linux on ``architectures[0]``, by default x86_64."""
    architectures = leaf.nearest("architectures")
    if architectures is None or architectures == []:
        return LINUX_AMD64
    first = architectures[0] if isinstance(architectures, list) else None
    return _linux(first)


def ecs_task(leaf: Leaf) -> Platform | None:
    """``runtimePlatform``; what it leaves open is linux/amd64 on Fargate, undecided elsewhere."""
    return _runtime_platform(
        leaf, fargate="FARGATE" in _strings(_root(leaf, "requiresCompatibilities"))
    )


def batch_job(leaf: Leaf) -> Platform | None:
    """``runtimePlatform`` with Fargate's defaults; undecided on EC2, which does not read it."""
    if "FARGATE" not in _strings(_root(leaf, "platformCapabilities")):
        return None
    return _runtime_platform(leaf, fargate=True)


def pod(leaf: Leaf) -> Platform | None:
    """The one architecture that the pod's node selector or required node affinity leaves.

    Source: Kubernetes documentation, "Assigning Pods to Nodes" and "Well-Known Labels".
    """
    selector = leaf.nearest("nodeSelector")
    terms = _required_terms(leaf.nearest("affinity"))
    architecture = _label(selector, terms, "arch")
    system = _label(selector, terms, "os") or member(leaf.nearest("os"), "name") or "linux"
    if architecture is None and system == "windows":
        architecture = "amd64"  # the only architecture of Windows nodes
    if not isinstance(architecture, str) or not isinstance(system, str):
        return None
    return Platform(system, architecture)


def _runtime_platform(leaf: Leaf, *, fargate: bool) -> Platform | None:
    wanted = leaf.nearest("runtimePlatform")
    if wanted is not None and not isinstance(wanted, dict):
        return None
    system = member(wanted, "operatingSystemFamily")
    architecture = member(wanted, "cpuArchitecture") or ("X86_64" if fargate else None)
    if isinstance(system, str) and system.upper().startswith("WINDOWS"):
        return Platform("windows", "amd64")
    return _linux(architecture) if system in (None, "", "LINUX") else None


def _linux(architecture: Tree) -> Platform | None:
    known = _ARCHITECTURES.get(architecture.lower()) if isinstance(architecture, str) else None
    return Platform("linux", known) if known else None


def _root(leaf: Leaf, key: str) -> Tree:
    return member(leaf.ancestors[0], key)


def _strings(value: Tree) -> set[str]:
    elements = value if isinstance(value, list) else []
    return {element.upper() for element in elements if isinstance(element, str)}


def _label(selector: Tree, terms: list[Tree], name: str) -> Tree:
    """Return the one value left for a node label, None where nothing limits it.

    Where a part is unknown, or several values are left, it is Mark.UNKNOWN.
    """
    if selector is Mark.UNKNOWN:
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
    value = affinity
    for key in (
        "nodeAffinity",
        "requiredDuringSchedulingIgnoredDuringExecution",
        "nodeSelectorTerms",
    ):
        if value is Mark.UNKNOWN:
            break
        value = member(value, key)
    if value is Mark.UNKNOWN:
        return [Mark.UNKNOWN]
    return value if isinstance(value, list) else []


def _values(term: Tree, label: str) -> Iterator[str | Mark | None]:
    """Yield what ``term`` allows for ``label``: its values, or None where it does not limit it."""
    expressions = Mark.UNKNOWN if term is Mark.UNKNOWN else member(term, "matchExpressions")
    if expressions is Mark.UNKNOWN:
        yield Mark.UNKNOWN
        return
    for each in expressions if isinstance(expressions, list) else []:
        if (member(each, "key"), member(each, "operator")) == (label, "In"):
            values = member(each, "values")
            for value in values if isinstance(values, list) else [values]:
                yield value if isinstance(value, str) else Mark.UNKNOWN
            return
    yield None
