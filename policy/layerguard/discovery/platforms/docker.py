"""Docker, Docker Build and Swarm."""

from __future__ import annotations

from layerguard.discovery.path import Leaf
from layerguard.discovery.platforms.inputs import ARCHITECTURES, elements, parsed
from layerguard.discovery.tree import member, reach
from layerguard.platform import Platform


def docker_build(leaf: Leaf) -> Platform | None:
    """The ``--platform`` of the FROM, or the build's one platform; undecided without these."""
    own = parsed(leaf.beside("platform"))
    wanted = elements(reach(leaf.root, "platforms"))
    return own or (parsed(wanted[0]) if len(wanted) == 1 else None)


def docker_classic_build(leaf: Leaf) -> Platform | None:
    """The build's ``platform``; undecided (the daemon's own) without one."""
    return parsed(reach(leaf.root, "build", "platform"))


def docker_host(leaf: Leaf) -> Platform | None:
    """The resource's ``platform``; undecided (the daemon's own) without one."""
    return parsed(leaf.nearest("platform"))


def swarm(leaf: Leaf) -> Platform | None:
    """The one of the service's placement platforms; undecided without one."""
    platforms = elements(reach(leaf.root, "taskSpec", "placement", "platforms"))
    if len(platforms) != 1:
        return None
    system, architecture = member(platforms[0], "os"), member(platforms[0], "architecture")
    known = ARCHITECTURES.get(architecture) if isinstance(architecture, str) else None
    return Platform(system, known) if isinstance(system, str) and known else None
