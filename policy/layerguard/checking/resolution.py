"""From a reference to the manifests that its runtime may pull."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from layerguard.checking.batch_loader import PendingAnswers
from layerguard.errors import LayerguardError, ManifestInvalid
from layerguard.manifest import Descriptor, Index, Manifest, ManifestForm, parse_manifest
from layerguard.platform import Platform
from layerguard.reference import Digest, ImageId, ImageReference, Repository
from layerguard.registry import ImageAnswer, RegistryError

AskImages: TypeAlias = Callable[
    [Repository, Sequence[ImageId]], "PendingAnswers[ImageId, ImageAnswer | RegistryError]"
]

# An index in an index is legal and rare; deeper ones are built by accident or by an attacker.
MAX_DEPTH = 4
# Far more than any image has platforms; what lists more would cost more than it is worth.
MAX_MANIFESTS = 1_000


@dataclass(frozen=True, slots=True)
class Resolved:
    """One manifest that may be pulled.

    ``platform`` is what an index says of it, or else the manifest itself; None where neither does.
    """

    digest: Digest
    platform: Platform | None
    manifest: Manifest


@dataclass(slots=True)
class Resolution:
    """What a reference leads to: manifests to check, and what stood in the way of others.

    ``digest`` and ``form`` are those of the manifest that the reference itself names.
    ``offered`` are the platforms of all the runnable children seen, for messages.
    """

    digest: Digest | None = None
    form: ManifestForm | None = None
    manifests: list[Resolved] = field(default_factory=list)
    errors: list[LayerguardError] = field(default_factory=list)
    offered: list[Platform] = field(default_factory=list)


async def resolve(reference: ImageReference, wanted: Platform | None, ask: AskImages) -> Resolution:
    """Ask for the image, and for the children of its indexes that serve ``wanted``.

    One call for the reference, one more for each level of indexes below it. Without a wanted
    platform every runnable child is followed.
    """
    resolution = Resolution()
    level: list[tuple[ImageId, Platform | None]] = [(reference.image_id, None)]
    asked = 0
    for _ in range(MAX_DEPTH):
        answers = await ask(reference.repository, [each for each, _ in level]).answers()
        children: dict[Digest, Platform | None] = {}
        for image_id, platform in level:
            index = _take(resolution, image_id, answers[image_id], platform)
            for child in index.runnable if index else ():
                if child.platform:
                    resolution.offered.append(child.platform)
                if _may_serve(child, wanted):
                    children.setdefault(child.digest, child.platform or platform)
        level = [(ImageId(None, digest), platform) for digest, platform in children.items()]
        if not level:
            return resolution
        asked += len(level)
        if asked > MAX_MANIFESTS:
            resolution.errors.append(
                ManifestInvalid(f"The image's indexes list more than {MAX_MANIFESTS:,} manifests.")
            )
            return resolution
    resolution.errors.append(
        ManifestInvalid(f"The image's indexes are nested more than {MAX_DEPTH - 1} deep.")
    )
    return resolution


def _take(
    resolution: Resolution,
    image_id: ImageId,
    answer: ImageAnswer | RegistryError,
    platform: Platform | None,
) -> Index | None:
    if isinstance(answer, RegistryError):
        # Below an index the words must say which of its manifests ECR speaks of.
        child = f" It is the index's manifest {image_id.digest}" if resolution.digest else ""
        target = f" for {platform}." if platform else "."
        resolution.errors.append(
            answer.with_reason(f"{answer}{child}{target}") if child else answer
        )
        return None
    resolution.digest = resolution.digest or answer.digest
    try:
        document = parse_manifest(answer.manifest, answer.digest)
    except LayerguardError as error:
        resolution.errors.append(error)
        return None
    if answer.digest == resolution.digest:
        resolution.form = document.form
    if isinstance(document, Index):
        return document
    resolution.manifests.append(
        Resolved(answer.digest, platform or document.config.platform, document)
    )
    return None


def _may_serve(child: Descriptor, wanted: Platform | None) -> bool:
    return wanted is None or child.platform is None or child.platform.serves(wanted)
