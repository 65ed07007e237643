"""Which platform a runtime will pull, read from the resource around the image.

A rule gets the leaf where the image stands and returns the platform, or None where the resource
does not decide it (then every runnable platform of the image is checked).
Source of the rules: the ``platform`` column of the project's catalog of image properties, made
from the providers' schemas and the AWS and Kubernetes documentation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from layerguard.discovery.path import Leaf, find
from layerguard.discovery.tree import Mark, Tree, member, reach
from layerguard.errors import ReferenceInvalid
from layerguard.manifest import Platform

PlatformRule: TypeAlias = Callable[[Leaf], "Platform | None"]

LINUX_AMD64 = Platform("linux", "amd64")
LINUX_ARM64 = Platform("linux", "arm64")
_ARCHITECTURES = {
    "x86_64": "amd64",
    "amd64": "amd64",
    "x86-64": "amd64",
    "arm64": "arm64",
    "aarch64": "arm64",
}
# Graviton families have a "g" behind the generation: m7g, c6gn, g5g; g4dn and g5 do not.
_GRAVITON = re.compile(r"(?:a1|[a-z]+[0-9]+g[a-z]*)", re.ASCII)
_INSTANCE_FAMILY = re.compile(r"(?:ml\.)?(?P<family>[a-z]+[0-9]+[a-z0-9-]*)(?:\..+)?", re.ASCII)
# Source: Microsoft's list of Windows container versions; ECS's operating system families.
_WINDOWS_BUILDS = {
    "2016": "10.0.14393",
    "2019": "10.0.17763",
    "2004": "10.0.19041",
    "20H2": "10.0.19042",
    "2022": "10.0.20348",
    "2025": "10.0.26100",
}


@dataclass(frozen=True, slots=True)
class Presumed:
    """A rule that nobody documents: an image without the platform is a notice, not a violation."""

    rule: PlatformRule

    def __call__(self, leaf: Leaf) -> Platform | None:
        """Return what the rule returns."""
        return self.rule(leaf)


def words(rule: PlatformRule) -> str:
    """Return ``rule`` in words, for documentation."""
    if isinstance(rule, Presumed):
        return f"{words(rule.rule)} Not documented: a mismatch is only a notice."
    return " ".join((rule.__doc__ or "").split())


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


def emr_serverless(leaf: Leaf) -> Platform | None:
    """Linux on ``architecture``, by default X86_64."""
    return _linux(leaf.nearest("architecture") or "X86_64")


def agent_core(leaf: Leaf) -> Platform | None:
    """linux/arm64; undecided where a capacity provider of the account's own machines runs it."""
    return LINUX_ARM64 if leaf.nearest("capacityProviderConfiguration") is None else None


def code_build(leaf: Leaf) -> Platform | None:
    """What ``environment.type`` says; a fleet makes it undecided."""
    kind = leaf.beside("type")
    if leaf.beside("fleet") is not None or not isinstance(kind, str):
        return None
    if kind.startswith("ARM_"):
        return LINUX_ARM64
    if kind.startswith("LINUX_"):
        return LINUX_AMD64
    return Platform("windows", "amd64") if kind.startswith("WINDOWS_") else None


def beanstalk_build(leaf: Leaf) -> Platform | None:
    """Linux on the build's ``architecture``, by default amd64."""
    return _linux(leaf.beside("architecture") or "amd64")


def sagemaker_job(leaf: Leaf) -> Platform | None:
    """Linux on the architecture of the job's instance type: arm64 for Graviton, else amd64."""
    return _of_instances(
        each.value
        for path in (
            "jobResources.clusterConfig.instanceType",
            "processingResources.clusterConfig.instanceType",
            "monitoringScheduleConfig.monitoringJobDefinition"
            ".monitoringResources.clusterConfig.instanceType",
        )
        for each in find(leaf.root, path)
    )


def sagemaker_training(leaf: Leaf) -> Platform | None:
    """Linux on the architecture of the training's instances: arm64 for Graviton, else amd64."""
    resources = (
        leaf.nearest(key) for key in ("resourceConfig", "hyperParameterTuningResourceConfig")
    )
    known = [each for each in resources if each is not None]
    groups = [
        member(group, "instanceType")
        for each in known
        for key in ("instanceGroups", "instanceConfigs")
        for group in _elements(member(each, key))
    ]
    single = (member(each, "instanceType") for each in known)
    return _of_instances([*(each for each in single if each is not None), *groups])


def sagemaker_step(leaf: Leaf) -> Platform | None:
    """Linux on the architecture of the step's instance type: arm64 for Graviton, else amd64."""
    processing = reach(leaf.nearest("ProcessingResources"), "ClusterConfig", "InstanceType")
    return sagemaker_training(leaf) if processing is None else _of_instances([processing])


def sagemaker_supported(leaf: Leaf) -> Platform | None:
    """Linux on the one architecture of all the supported instance types, where there is one."""
    keys = (
        ("supportedTrainingInstanceTypes",)
        if leaf.path.endswith("rainingImage")
        else ("supportedRealtimeInferenceInstanceTypes", "supportedTransformInstanceTypes")
    )
    return _of_instances(each for key in keys for each in _elements(leaf.nearest(key)))


def sagemaker_variant(leaf: Leaf) -> Platform | None:
    """Linux on the architecture of the specification's own instance type; undecided without one."""
    kind = leaf.nearest("instanceType")
    return None if kind is None else _of_instances([kind])


def batch_node(leaf: Leaf) -> Platform | None:
    """Linux on the architecture of the node range's instance types; undecided without them."""
    kinds = [*_elements(leaf.nearest("instanceTypes")), leaf.nearest("instanceType")]
    return _of_instances(each for each in kinds if each is not None)


def spark(leaf: Leaf) -> Platform | None:
    """The node selector among the Spark properties; undecided without one."""
    label = "spark.kubernetes.node.selector.kubernetes.io/arch"
    return _linux(leaf.beside(label))


def greengrass(leaf: Leaf) -> Platform | None:
    """The manifest's ``Platform``; undecided where it leaves the architecture open."""
    device = leaf.nearest("Platform")
    system = member(device, "os") or "linux"
    found = _linux(member(device, "architecture"))
    return found if system == "linux" else None


def docker_host(leaf: Leaf) -> Platform | None:
    """The resource's ``platform``; undecided (the daemon's own) without one."""
    return _parsed(leaf.nearest("platform"))


def docker_classic_build(leaf: Leaf) -> Platform | None:
    """The build's ``platform``; undecided (the daemon's own) without one."""
    return _parsed(reach(leaf.root, "build", "platform"))


def swarm(leaf: Leaf) -> Platform | None:
    """The one of the service's placement platforms; undecided without one."""
    platforms = _elements(reach(leaf.root, "taskSpec", "placement", "platforms"))
    if len(platforms) != 1:
        return None
    system, architecture = member(platforms[0], "os"), member(platforms[0], "architecture")
    known = _ARCHITECTURES.get(architecture) if isinstance(architecture, str) else None
    return Platform(system, known) if isinstance(system, str) and known else None


def docker_build(leaf: Leaf) -> Platform | None:
    """The ``--platform`` of the Dockerfile's line, or the build's one platform; else undecided."""
    own = _parsed(leaf.beside("platform"))
    wanted = _elements(reach(leaf.root, "platforms"))
    return own or (_parsed(wanted[0]) if len(wanted) == 1 else None)


def nomad(leaf: Leaf) -> Platform | None:
    """The ``cpu.arch`` constraint of the job, its group or its task; undecided without one."""
    found = {
        member(constraint, value)
        for ancestor in leaf.ancestors
        for key, attribute, value in (
            ("constraint", "attribute", "value"),
            ("Constraints", "LTarget", "RTarget"),
        )
        for constraint in _one_or_more(member(ancestor, key))
        if member(constraint, attribute) == "${attr.cpu.arch}"
        and (member(constraint, "operator") or member(constraint, "Operand") or "=") in ("=", "==")
    }
    return _linux(found.pop()) if len(found) == 1 else None


def ecs_task(leaf: Leaf) -> Platform | None:
    """``runtimePlatform``; what it leaves open is linux/amd64 on Fargate, undecided elsewhere."""
    return _runtime_platform(
        leaf, fargate="FARGATE" in _strings(member(leaf.root, "requiresCompatibilities"))
    )


def fargate_task(leaf: Leaf) -> Platform | None:
    """``runtimePlatform``; what it leaves open is linux/amd64."""
    return _runtime_platform(leaf, fargate=True)


def ec2_task(leaf: Leaf) -> Platform | None:
    """``runtimePlatform``; what it leaves open is undecided."""
    return _runtime_platform(leaf, fargate=False)


def batch_job(leaf: Leaf) -> Platform | None:
    """``runtimePlatform`` with Fargate's defaults; undecided on EC2, which does not read it."""
    if "FARGATE" not in _strings(member(leaf.root, "platformCapabilities")):
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
        builds = (_WINDOWS_BUILDS.get(part) for part in system.upper().split("_"))
        return Platform("windows", "amd64", os_version=next(filter(None, builds), None))
    return _linux(architecture) if system in (None, "", "LINUX") else None


def _linux(architecture: Tree) -> Platform | None:
    known = _ARCHITECTURES.get(architecture.lower()) if isinstance(architecture, str) else None
    return Platform("linux", known) if known else None


def _parsed(text: Tree) -> Platform | None:
    try:
        return Platform.parse(text) if isinstance(text, str) else None
    except ReferenceInvalid:
        return None


def _of_instances(kinds: Iterable[Tree]) -> Platform | None:
    """Return Linux on the one architecture that all of ``kinds`` have; None where there is none."""
    found = {_of_instance(kind) for kind in kinds}
    return found.pop() if len(found) == 1 else None


def _of_instance(kind: Tree) -> Platform | None:
    match = _INSTANCE_FAMILY.fullmatch(kind) if isinstance(kind, str) else None
    if match is None:
        return None
    return LINUX_ARM64 if _GRAVITON.fullmatch(match["family"]) else LINUX_AMD64


def _elements(value: Tree) -> list[Tree]:
    """Return the elements of a list; a mark instead of one is its only element."""
    if isinstance(value, list):
        return value
    return [value] if isinstance(value, Mark) else []


def _one_or_more(value: Tree) -> list[Tree]:
    return value if isinstance(value, list) else [value]


def _strings(value: Tree) -> set[str]:
    return {element.upper() for element in _elements(value) if isinstance(element, str)}


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
    return _elements(
        reach(
            affinity,
            "nodeAffinity",
            "requiredDuringSchedulingIgnoredDuringExecution",
            "nodeSelectorTerms",
        )
    )


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
