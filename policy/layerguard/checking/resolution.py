"""From a reference to the manifests that its runtime may pull."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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
    all the children that may run, for messages. ``is_exact`` is False where an index has nothing
    for the wanted platform itself, and the processor runs what is taken. ``equals`` are manifests
    of an index that some runtimes download beside the one that is taken, and ``equal_errors`` say
    why others of them could not be read.
    """

    digest: Digest | None = None
    form: ManifestForm | None = None
    manifests: list[Resolved] = field(default_factory=list)
    errors: list[LayerguardError] = field(default_factory=list)
    absent: dict[ImageId, RegistryError] = field(default_factory=dict)
    offered: list[Platform] = field(default_factory=list)
    is_exact: bool = True
    equals: list[Resolved] = field(default_factory=list)
    equal_errors: list[LayerguardError] = field(default_factory=list)

    def drop_artifacts(self) -> None:
        """Leave out what is no image beside what is one: a SOCI index, a signature."""
        images = [each for each in self.manifests if each.manifest.artifact is None]
        self.manifests = images or self.manifests


@dataclass(frozen=True, slots=True)
class _Branch:
    """A manifest to ask for; it ``decides`` where every runtime takes it.

    ``size`` and ``media_type`` are what its index says, None where it is in no index.
    """

    image_id: ImageId
    platform: Platform | None = None
    size: int | None = None
    media_type: str | None = None
    decides: bool = True


async def resolve(reference: ImageReference, wanted: Platform | None, ask: AskImages) -> Resolution:
    """Ask for the image, and for the child of each index that a runtime on ``wanted`` takes.

    One call for the reference, one more for each level of indexes below it. Without a wanted
    platform every runnable child is followed.
    Source: containerd. Its client takes the best match, which kubelets use up to containerd 2.0;
    from 2.1 on its transfer service takes everything that matches exactly.
    """
    resolution = Resolution()
    level = [_Branch(reference.image_id)]
    asked = 0
    for _ in range(MAX_DEPTH):
        ids = list(dict.fromkeys(each.image_id for each in level))
        answers = await ask(reference.repository, ids).answers()
        children: dict[Digest, _Branch] = {}
        for branch in level:
            index = _take(resolution, branch, answers[branch.image_id])
            for child in _branches(resolution, branch, index, wanted) if index else ():
                assert child.image_id.digest
                before = children.get(child.image_id.digest)
                if before is None or (child.decides and not before.decides):
                    children[child.image_id.digest] = child
        level = list(children.values())
        if not level:
            resolution.drop_artifacts()
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


def _branches(
    resolution: Resolution, parent: _Branch, index: Index, wanted: Platform | None
) -> Iterator[_Branch]:
    """Yield what runtimes ask for of ``index``, first what decides."""
    resolution.offered += [each.platform for each in index.runnable if each.platform]
    if wanted is None:
        for child in index.runnable:
            yield _branch(parent, child, decides=parent.decides)
        return
    choices = index.choices(wanted)
    if not choices:
        return
    taken, *others = choices
    if not taken.is_manifest:
        error = ManifestInvalid(
            f"The index's manifest {taken.digest} has the media type '{taken.media_type}', as "
            "which no runtime asks for a manifest."
        )
        (resolution.errors if parent.decides else resolution.equal_errors).append(error)
        return
    if parent.decides and not _is_exact(taken, wanted):
        resolution.is_exact = False
    yield _branch(parent, taken, decides=parent.decides)
    for other in others:
        if other.is_manifest and _is_exact(other, wanted):
            yield _branch(parent, other, decides=False)


def _is_exact(child: Descriptor, wanted: Platform) -> bool:
    return child.platform is None or wanted.rank(child.platform) == 0


def _branch(parent: _Branch, child: Descriptor, *, decides: bool) -> _Branch:
    platform = child.platform or parent.platform
    return _Branch(
        ImageId(None, child.digest), platform, child.size or 0, child.media_type, decides
    )


def _take(
    resolution: Resolution, branch: _Branch, answer: ImageAnswer | RegistryError
) -> Index | None:
    """Add what ``answer`` holds to ``resolution``; return it where it is an index."""
    errors = resolution.errors if branch.decides else resolution.equal_errors
    if isinstance(answer, RegistryError):
        if resolution.digest:  # below an index the words must say which of its manifests it is
            target = f" for {branch.platform}." if branch.platform else "."
            answer = answer.with_reason(
                f"{answer} It is the index's manifest {branch.image_id.digest}{target}"
            )
        if branch.decides and answer.code in _MAY_BE_ARCHIVED:
            resolution.absent[branch.image_id] = answer
        else:
            errors.append(answer)
        return None
    resolution.digest = resolution.digest or answer.digest
    try:
        document = parse_manifest(answer.manifest, answer.digest)
    except LayerguardError as error:
        errors.append(error)
        return None
    if answer.digest == resolution.digest:
        resolution.form = document.form
    if not branch.decides and isinstance(document, Manifest) and document.artifact:
        return None
    size = len(answer.manifest.encode("utf-8", "surrogatepass"))
    if branch.size not in (None, size):
        errors.append(size_mismatch(f"the index's manifest {answer.digest}", branch.size, size))
    if _is_dockers(branch.media_type) and not document.form.is_dockers:
        errors.append(_type_mismatch(answer.digest, document.form))
    if isinstance(document, Index):
        return document
    found = resolution.manifests if branch.decides else resolution.equals
    platform = branch.platform or document.config.platform
    found.append(Resolved(answer.digest, platform, document))
    return None


def _is_dockers(media_type: str | None) -> bool:
    return media_type is not None and media_type.startswith("application/vnd.docker.")


def _type_mismatch(digest: Digest, form: ManifestForm) -> RegistryError:
    """Return the error for an OCI manifest that its index says is Docker's.

    Source: distribution, registry/handlers/manifests.go: it returns an OCI manifest only where the
    request accepts its type.
    """
    return RegistryError(
        Code.INCONSISTENT_ANSWER,
        f"The index gives its manifest {digest} a type of Docker's, and it is {form.value}; a "
        "registry may refuse to return it as the former.",
        "build the index anew from its manifests: docker buildx imagetools create",
    )


def size_mismatch(what: str, described: int, size: int) -> RegistryError:
    """Return the error for content that has another size than its descriptor.

    Source: containerd refuses it ("failed size validation").
    """
    return RegistryError(
        Code.INCONSISTENT_ANSWER,
        f"The image gives {what} {described:,} bytes, and in ECR it has {size:,}; a runtime that "
        "compares them, such as containerd, refuses it.",
    )
