"""The image use: one place in one resource that names an image."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from layerguard.discovery import runtimes
from layerguard.discovery.placement import NOWHERE, Placement
from layerguard.discovery.runtimes import Runtime
from layerguard.identity import ORDINARY, Identity
from layerguard.manifest import Platform
from layerguard.reference import ImageReference
from layerguard.verdict import Verdict


class Voice(Enum):
    """Who speaks of an image that is not available."""

    GATE = "the gates, which stop the deployment"
    NOTICE = "the notice alone"


@dataclass(frozen=True, slots=True)
class ImageUse:
    """One place in one resource that names an image.

    ``path`` is the property path with indexes, as in ``containerDefinitions[0].image``.
    ``text`` is the reference as the user wrote it, None where it is not known.
    ``target`` is the reference to inspect, or the verdict that says why there is none.
    ``platform`` is what the runtime will pull, None where that cannot be decided; where it is
    ``presumed``, an image without it is only a notice. ``identity`` is as whom to ask about it,
    and ``unasked`` says why nobody can ask as the resource's own provider yet.
    """

    urn: str
    resource_type: str
    path: str
    container: str | None
    text: str | None
    target: ImageReference | Verdict
    platform: Platform | None
    presumed: bool = False
    runtime: Runtime = runtimes.ANY
    placement: Placement = NOWHERE
    voice: Voice = Voice.GATE
    identity: Identity = ORDINARY
    unasked: Verdict | None = None
