"""AWS: ECS, Batch, Lambda, builds and the rest; SageMaker has its own module."""

from __future__ import annotations

from layerguard.discovery.path import Leaf
from layerguard.discovery.platforms.inputs import linux, of_instances, strings
from layerguard.discovery.platforms.rule import LINUX_AMD64, LINUX_ARM64
from layerguard.discovery.tree import Block, Tree, member
from layerguard.platform import Platform

# Source: Microsoft's list of Windows container versions; ECS's operating system families.
_WINDOWS_BUILDS = {
    "2016": "10.0.14393",
    "2019": "10.0.17763",
    "2004": "10.0.19041",
    "20H2": "10.0.19042",
    "2022": "10.0.20348",
    "2025": "10.0.26100",
}


def agent_core(leaf: Leaf) -> Platform | None:
    """linux/arm64; undecided where a capacity provider of the account's own machines runs it."""
    return LINUX_ARM64 if leaf.nearest("capacityProviderConfiguration") is None else None


def batch_job(leaf: Leaf) -> Platform | None:
    """``runtimePlatform`` with Fargate's defaults; undecided on EC2, which does not read it."""
    fargate = leaf.once(_names_fargate, member(leaf.root, "platformCapabilities"))
    return _runtime_platform(leaf, fargate=True) if fargate else None


def batch_node(leaf: Leaf) -> Platform | None:
    """Linux on the architecture of the node range's instance types; undecided without them."""
    return leaf.once(of_instances, leaf.nearest("instanceTypes"), leaf.nearest("instanceType"))


def beanstalk_build(leaf: Leaf) -> Platform | None:
    """Linux on the build's ``architecture``, by default amd64."""
    return linux(leaf.beside("architecture") or "amd64")


def code_build(leaf: Leaf) -> Platform | None:
    """The platform of ``environment.type``; a fleet makes it undecided."""
    kind = leaf.beside("type")
    if leaf.beside("fleet") is not None or not isinstance(kind, str):
        return None
    if kind.startswith("ARM_"):
        return LINUX_ARM64
    if kind.startswith("LINUX_"):
        return LINUX_AMD64
    return Platform("windows", "amd64") if kind.startswith("WINDOWS_") else None


def ec2_task(leaf: Leaf) -> Platform | None:
    """``runtimePlatform``; what it leaves open is undecided."""
    return _runtime_platform(leaf, fargate=False)


def ecs_task(leaf: Leaf) -> Platform | None:
    """``runtimePlatform``; what it leaves open is linux/amd64 on Fargate, undecided elsewhere."""
    fargate = leaf.once(_names_fargate, member(leaf.root, "requiresCompatibilities"))
    return _runtime_platform(leaf, fargate=fargate)


def emr_serverless(leaf: Leaf) -> Platform | None:
    """Linux on ``architecture``, by default X86_64."""
    return linux(leaf.nearest("architecture") or "X86_64")


def fargate_task(leaf: Leaf) -> Platform | None:
    """``runtimePlatform``; what it leaves open is linux/amd64."""
    return _runtime_platform(leaf, fargate=True)


def greengrass(leaf: Leaf) -> Platform | None:
    """The manifest's ``Platform``; undecided where it leaves the architecture open."""
    device = leaf.nearest("Platform")
    system = member(device, "os") or "linux"
    found = linux(member(device, "architecture"))
    return found if system == "linux" else None


def lambda_function(leaf: Leaf) -> Platform | None:
    """Linux on ``architectures[0]``, by default x86_64."""
    architectures = leaf.nearest("architectures")
    if architectures is None or architectures == []:
        return LINUX_AMD64
    return linux(architectures[0] if isinstance(architectures, list) else architectures)


def spark(leaf: Leaf) -> Platform | None:
    """The node selector among the Spark properties; undecided without one."""
    label = "spark.kubernetes.node.selector.kubernetes.io/arch"
    return linux(leaf.beside(label))


def _names_fargate(capabilities: Tree) -> bool:
    return "FARGATE" in strings(capabilities)


def _runtime_platform(leaf: Leaf, *, fargate: bool) -> Platform | None:
    wanted = leaf.nearest("runtimePlatform")
    if wanted is not None and not isinstance(wanted, (dict, Block)):
        return None
    system = member(wanted, "operatingSystemFamily")
    architecture = member(wanted, "cpuArchitecture") or ("X86_64" if fargate else None)
    if isinstance(system, str) and system.upper().startswith("WINDOWS"):
        builds = (_WINDOWS_BUILDS.get(part) for part in system.upper().split("_"))
        return Platform("windows", "amd64", os_version=next(filter(None, builds), None))
    return linux(architecture) if system in (None, "", "LINUX") else None
