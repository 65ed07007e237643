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
from layerguard.verdict import Code

AskImages: TypeAlias = Callable[
    [Repository, Sequence[ImageId]], "PendingAnswers[ImageId, ImageAnswer | RegistryError]"
]

# An index in an index is legal and rare; deeper ones are built by accident or by an attacker.
MAX_DEPTH = 4
# Far more than any image has platforms; what lists more would cost more than it is worth.
MAX_MANIFESTS = 1_000
# ECR answers so for an archived image too.
_MAY_BE_ARCHIVED = (Code.IMAGE_NOT_FOUND, Code.INTERNAL_ERROR)


@dataclass(frozen=True, slots=True)
class Resolved:
    """One manifest that may be pulled.

    ``platform`` is the one in the index, or otherwise in the manifest itself; None if absent.
    """

    digest: Digest
    platform: Platform | None
    manifest: Manifest


@dataclass(slots=True)
class Resolution:
    """What a reference leads to: manifests to check, and what stood in the way of others.

    ``digest`` and ``form`` are those of the manifest that the reference itself names. ``absent``
    are the images that ECR does not give, which may be archived. ``offered`` are the platforms of
    all the runnable children, for messages.
    """

    digest: Digest | None = None
    form: ManifestForm | None = None
    manifests: list[Resolved] = field(default_factory=list)
    errors: list[LayerguardError] = field(default_factory=list)
    absent: dict[ImageId, RegistryError] = field(default_factory=dict)
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
        if resolution.digest:  # below an index the words must say which of its manifests it is
            target = f" for {platform}." if platform else "."
            answer = answer.with_reason(
                f"{answer} It is the index's manifest {image_id.digest}{target}"
            )
        if answer.code in _MAY_BE_ARCHIVED:
            resolution.absent[image_id] = answer
        else:
            resolution.errors.append(answer)
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
