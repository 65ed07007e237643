"""The image use: one place in one resource that names an image."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from layerguard.discovery import runtimes
from layerguard.discovery.placement import NOWHERE, Placement
from layerguard.discovery.runtimes import Runtime
from layerguard.identity import ORDINARY, Identity
from layerguard.platform import Platform
from layerguard.reference import ImageReference
from layerguard.verdict import Code, Verdict


class Naming(Enum):
    """In what sense a place names an image, from the surest to the least sure."""

    PULLED = "a runtime pulls exactly this"
    FOUND = "a whole reference, found in a document or among other strings"
    DORMANT = "a runtime pulls this once it is scaled up, resumed or enabled"
    OPTIONAL = "a cache: it is pulled if it is there"
    CARRIED = "a reference in text that is only handed on"
    ON_NODE = "the runtime takes what is on its machine already, and pulls nothing"


@dataclass(frozen=True, slots=True)
class ImageUse:
    """One place in one resource that names an image.

    ``path`` is the property path with indexes, as in ``containerDefinitions[0].image``.
    ``text`` is the reference as the user wrote it, None where it is not known.
    ``target`` is the reference to check, or the verdict where there is none.
    ``platform`` is what the runtime will pull, None where that cannot be decided; a
    ``platform_is_presumed`` where nothing documents it. ``identity`` is the AWS identity that asks
    about it; ``identity_unknown`` is the verdict where the resource's provider's is not known.
    ``is_secret`` marks a reference that Pulumi keeps as a secret. ``storage_gib`` is the room for
    images where it runs, None where nothing says it.
    """

    urn: str
    resource_type: str
    path: str
    container: str | None
    text: str | None
    target: ImageReference | Verdict
    platform: Platform | None
    platform_is_presumed: bool = False
    runtime: Runtime = runtimes.ANY
    placement: Placement = NOWHERE
    naming: Naming = Naming.PULLED
    identity: Identity = ORDINARY
    identity_unknown: Verdict | None = None
    is_secret: bool = False
    storage_gib: float | None = None

    @property
    def title(self) -> str:
        """``PROPERTY PATH (container "NAME"): REFERENCE AS WRITTEN``, as far as there are any."""
        container = f' (container "{self.container}")' if self.container else ""
        text = f": {self.text}" if self.text else ""
        return f"{self.path}{container}{text}"


def verdict_of(code: Code, reason: str = "") -> Verdict:
    """Return the verdict of ``code``, in its own words where ``reason`` does not say more."""
    return Verdict(code, reason or code.meaning, code.next_step)
