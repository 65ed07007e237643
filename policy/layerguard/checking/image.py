"""The check of one image: from a reference to its verdict."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TypeAlias

from layerguard.checking.config_platforms import (
    held_configs,
    needed_configs,
    with_platforms,
)
from layerguard.checking.questions import Questions
from layerguard.checking.resolution import Resolution, Resolved, resolve, size_mismatch
from layerguard.errors import DigestMismatch, LayerguardError
from layerguard.manifest import ImageConfig, Manifest
from layerguard.platform import Platform
from layerguard.reference import Digest, ImageId, ImageReference, Repository
from layerguard.registry import (
    Availability,
    ImageAnswer,
    ImageListing,
    LayerAnswer,
    RegistryError,
)
from layerguard.verdict import (
    BlobState,
    CheckedBlob,
    Code,
    Follows,
    ManifestReport,
    State,
    Verdict,
    next_step_after,
)

_Answers: TypeAlias = Mapping[Digest, "LayerAnswer | RegistryError"]
_Configs: TypeAlias = Mapping[Digest, "ImageConfig | None"]
_PULL = (
    "The repository is a pull-through cache: a first pull by its runtime would bring the image "
    "from its upstream, if the upstream has it and the runtime's role may fill the cache."
)
_MAY_BE_A_CACHE = (
    "Whether the repository is a pull-through cache, which a first pull would fill, is not known: "
    "that takes ecr:DescribePullThroughCacheRules, or the option pullThroughCachePrefixes."
)
_ARCHIVED = "The image is in ECR's archive storage class."
_NOT_PULLED = (
    "ECR's DescribeImages has the image and its BatchGetImage does not; it may be of a kind that "
    "no runtime pulls."
)
# Nobody's servers are to be flooded because of what a manifest says.
_MOST_URLS = 100
_UNASKED = RegistryError(
    Code.UPSTREAM,
    f"The image's manifests say to download layers from more than {_MOST_URLS} URLs, of which the "
    "others were not asked.",
)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with an image: the code, why, and what can be done where that is known.

    Not ``certain`` where some runtimes run the image all the same.
    """

    code: Code
    reason: str
    next_step: str = ""
    certain: bool = True

    @property
    def is_proven(self) -> bool:
        """Whether it makes the image unavailable for every runtime."""
        return self.certain and self.code.state is State.UNAVAILABLE


async def check_image(
    reference: ImageReference, wanted: Platform | None, questions: Questions, *, again: bool = True
) -> Verdict:
    """Return the verdict on an image that is to run on ``wanted``.

    Every problem is collected. A proven one decides over one that only leaves something unknown;
    the image is available only when every manifest that a runtime may take was read and every one
    of their digests came back as available. What some runtimes make of an image, and others do
    not, makes the verdict uncertain. A tag beside a digest decides nothing: where it leads is a
    note. Where the repository's listing has an image that was not found, which was pushed in
    between, all is asked once more, if ``again``.
    """
    repository = reference.repository
    # ECR refuses a tag and a digest that disagree, so each is asked about alone, in one call.
    tagged = [ImageId(reference.tag, None)] if reference.tag and reference.digest else []
    tag = questions.images(repository, tagged)
    resolution = await resolve(reference, wanted, questions.images)
    tag_note = _tag_note(reference, await tag.answers())
    needed = [each.manifest for each in (*resolution.manifests, *resolution.equals)]
    blobs = {blob.digest for manifest in needed for blob in manifest.blobs}
    layers = questions.layers(repository, sorted(blobs))
    read = questions.configs(repository, needed_configs(resolution.manifests, wanted))
    named = list(dict.fromkeys(_urls_in(needed)))
    urls = questions.urls(repository, named[:_MOST_URLS])
    in_ecr, elsewhere, configs, (listing, is_cache) = await asyncio.gather(
        layers.answers(),
        urls.answers(),
        read.answers(),
        _listing_and_cache(resolution, reference, questions),
    )
    configs = {**configs, **held_configs(resolution.manifests)}
    elsewhere = {**elsewhere, **dict.fromkeys(named[_MOST_URLS:], _UNASKED)}
    answers = {**in_ecr, **dict(_answers_elsewhere(needed, elsewhere))}
    absent = list(_absent_problems(resolution, listing))
    if again and any(each.code is Code.INCONSISTENT_ANSWER for each in absent):
        questions.refresh()
        return await check_image(reference, wanted, questions, again=False)
    problems = [
        *(
            problem
            for each in resolution.manifests
            for problem in _problems_in(each, answers, configs)
        ),
        *map(_problem, resolution.errors),
        *absent,
    ]
    is_unread = bool(resolution.errors or resolution.absent)
    if not resolution.manifests and not is_unread:
        problems.append(Problem(Code.PLATFORM_MISSING, _offer(wanted, resolution.offered)))
    elif wanted and not is_unread and not any(each.is_proven for each in problems):
        # Where a manifest could not be read, it may be the one that serves.
        resolution.manifests = with_platforms(resolution.manifests, configs)
        problems += _platform_problems(wanted, resolution, configs)
    decisive = _decisive(problems, tuple(_notes(wanted, resolution, answers, configs)))
    if Follows.BROUGHT_BY_PULL in decisive.code.follows:
        if not resolution.absent:
            is_cache = await questions.is_cache(repository)
        decisive = _of_cache(decisive, is_cache)
    return Verdict(
        decisive.code,
        " ".join(filter(None, (decisive.reason, tag_note))),
        decisive.next_step or next_step_after(decisive.code, reference, resolution.digest, wanted),
        resolution.digest,
        wanted,
        tuple(_report(each, answers) for each in resolution.manifests),
        resolution.form,
        is_certain=decisive.certain,
        compressed=min((each.manifest.compressed for each in resolution.manifests), default=None),
        layers=_numbers(repository, blobs),
    )


def _numbers(repository: Repository, digests: Iterable[Digest]) -> frozenset[int]:
    """Return a number for each of ``digests`` in ``repository``, by which a run counts them."""
    where = zlib.crc32(str(repository).encode())
    return frozenset(int(digest.text[7:23], 16) ^ where for digest in digests)


def _tag_note(
    reference: ImageReference, answers: Mapping[ImageId, ImageAnswer | RegistryError]
) -> str:
    """Return where the tag beside a digest leads, empty where that is the digest or not known."""
    for answer in answers.values():
        if isinstance(answer, ImageAnswer) and answer.digest != reference.digest:
            found = f"points to {answer.digest}"
        elif isinstance(answer, RegistryError) and answer.code is Code.IMAGE_NOT_FOUND:
            found = "is not there"
        else:
            continue
        return f"The tag {reference.tag} {found}; runtimes pull the digest of the reference."
    return ""


async def _listing_and_cache(
    resolution: Resolution, reference: ImageReference, questions: Questions
) -> tuple[ImageListing | None, bool | None]:
    """Return the repository's listing and whether it is a cache; None where that is not known.

    They distinguish archived images, images that are gone, and those that were not pulled yet.
    """
    if not resolution.absent:
        return None, None
    listing, is_cache = await asyncio.gather(
        questions.listing(reference.repository), questions.is_cache(reference.repository)
    )
    return listing if isinstance(listing, ImageListing) else None, is_cache


def _absent_problems(resolution: Resolution, listing: ImageListing | None) -> Iterable[Problem]:
    for image_id, error in resolution.absent.items():
        listed = listing.find(image_id) if listing else None
        if listed and listed.is_archived:
            yield Problem(Code.IMAGE_ARCHIVED, _ARCHIVED)
        elif listed and error.code is Code.IMAGE_NOT_FOUND:
            yield Problem(Code.INCONSISTENT_ANSWER, _NOT_PULLED)
        else:
            yield _problem(error)


def _of_cache(problem: Problem, is_cache: bool | None) -> Problem:
    if is_cache:
        return Problem(Code.CACHE_NOT_FILLED, f"{problem.reason} {_PULL}")
    if is_cache is None:
        return replace(problem, reason=f"{problem.reason} {_MAY_BE_A_CACHE}")
    return problem


def _report(resolved: Resolved, answers: _Answers) -> ManifestReport:
    layers = resolved.manifest.layers
    roles = {resolved.manifest.config.digest: "config"} | {
        layer.digest: f"layer {position} of {len(layers)}"
        for position, layer in reversed(list(enumerate(layers, 1)))
    }
    blobs = (
        CheckedBlob(blob.digest, roles[blob.digest], _state(answers[blob.digest]), blob.size)
        for blob in resolved.manifest.blobs
    )
    return ManifestReport(resolved.digest, resolved.platform, tuple(blobs))


def _state(answer: LayerAnswer | RegistryError) -> BlobState:
    if not isinstance(answer, RegistryError):
        return BlobState[answer.availability.name]
    is_inconsistent = answer.code is Code.INCONSISTENT_ANSWER
    return BlobState.UNACCOUNTED if is_inconsistent else BlobState.UNKNOWN


def _urls_in(manifests: Iterable[Manifest]) -> Iterable[str]:
    return (url for each in manifests for blob in each.blobs for url in blob.urls)


def _answers_elsewhere(
    manifests: Iterable[Manifest], by_url: Mapping[str, LayerAnswer | RegistryError]
) -> Iterable[tuple[Digest, LayerAnswer | RegistryError]]:
    """Yield what the URLs of a descriptor answer, where one of them decides.

    The first that has the content, or that fails otherwise than by not having it, decides; the
    registry is asked where none does. Source: containerd, ``Fetch`` in docker/fetcher.go.
    """
    for manifest in manifests:
        for blob in manifest.blobs:
            for answer in map(by_url.__getitem__, blob.urls):
                if answer != LayerAnswer(Availability.UNAVAILABLE):
                    yield blob.digest, answer
                    break


def _problems_in(
    resolved: Resolved, answers: _Answers, configs: _Configs = MappingProxyType({})
) -> Iterable[Problem]:
    """Yield what is wrong with a manifest: its kind, and what it needs."""
    yield from _problems_of_kind(resolved.manifest, configs.get(resolved.manifest.config.digest))
    for descriptor in resolved.manifest.descriptors:
        answer = answers[descriptor.digest]
        if isinstance(answer, RegistryError):
            yield _problem(answer)
        elif answer.availability is Availability.UNAVAILABLE:
            yield Problem(Code.LAYER_MISSING, Code.LAYER_MISSING.meaning)
        elif answer.availability is Availability.ARCHIVED:
            yield Problem(Code.LAYER_ARCHIVED, Code.LAYER_ARCHIVED.meaning)
        elif answer.size is not None and (descriptor.size or 0) != answer.size:
            described = descriptor.size or 0
            yield _problem(size_mismatch(str(descriptor.digest), described, answer.size))


def _problems_of_kind(manifest: Manifest, config: ImageConfig | None) -> Iterable[Problem]:
    """Yield why ``manifest`` is not that of an image; ``config`` is None where it was not read."""
    count = len(manifest.layers)
    is_image_for_containerd = config is not None and config.layer_count == count
    artifact = manifest.artifact
    if artifact and not (artifact.refutable and is_image_for_containerd):
        certain = artifact.certain and not (artifact.refutable and config is None)
        reason = f"{Code.NOT_AN_IMAGE.meaning} {artifact.reason}"
        yield Problem(Code.NOT_AN_IMAGE, reason, certain=certain)
    elif config and config.layer_count not in (None, count):
        yield Problem(
            Code.NOT_AN_IMAGE,
            f"{Code.NOT_AN_IMAGE.meaning} Its config lists {config.layer_count} layers and its "
            f"manifest {count}, which runtimes do not unpack.",
            certain=False,
        )


def _notes(
    wanted: Platform | None,
    resolution: Resolution,
    answers: _Answers,
    configs: _Configs,
) -> Iterable[str]:
    """Yield what makes runtimes differ in what they do with an image that is there."""
    if wanted and not resolution.is_exact:
        yield (
            f"The image has no manifest for {wanted} itself; Docker, and containerd up to 2.0, "
            "take one that the processor runs too, and containerd from 2.1 on takes none."
        )
    broken = [
        *map(str, resolution.equal_errors),
        *(
            f"{each.digest}: {problem.reason}"
            for each in resolution.equals
            for problem in _problems_in(each, answers)
        ),
    ]
    if broken:
        first, *others = dict.fromkeys(broken)
        more = f"; and {len(others)} more" if others else ""
        yield (
            "The index has several manifests for the platform. The first is whole, and another is "
            f"not ({first}{more}); containerd from 2.1 on downloads them all."
        )
    for each in resolution.manifests:
        config = configs.get(each.manifest.config.digest)
        platform = config and config.platform
        if wanted and platform and platform.architecture != wanted.architecture:
            yield (
                f"The image is for {platform}, and it is to run on {wanted}, whose processors run "
                "such code only where they are set up for it."
            )
        if each.manifest.artifact:
            yield (
                f"{each.manifest.artifact.reason} Its content is, so containerd runs it, and other "
                "runtimes may not."
            )


def _problem(error: LayerguardError) -> Problem:
    if isinstance(error, RegistryError):
        return Problem(error.code, str(error), error.next_step)
    is_mismatch = isinstance(error, DigestMismatch)
    code = Code.INCONSISTENT_ANSWER if is_mismatch else Code.MANIFEST_UNREADABLE
    return Problem(code, str(error))


def _platform_problems(
    wanted: Platform, resolution: Resolution, configs: _Configs
) -> Iterable[Problem]:
    """Yield a problem where every manifest is known to be for another platform than ``wanted``.

    It is not certain where only their configs say so: runtimes go by the index, and images that
    were put into one with ``docker manifest annotate`` have the platform of the build machine.
    """
    for each in resolution.manifests:
        config = configs.get(each.manifest.config.digest)
        inside = config and config.platform
        if inside and each.platform and wanted.runs(each.platform) and not wanted.runs(inside):
            yield Problem(
                Code.PLATFORM_MISSING,
                f"The index has the manifest {each.digest} for {each.platform}, and its config is "
                f"for {inside}.",
                certain=False,
            )
    platforms = [each.platform for each in resolution.manifests]
    if any(platform is None or wanted.runs(platform) for platform in platforms):
        return
    known = list(filter(None, platforms))
    if [each.digest for each in resolution.manifests] == [resolution.digest]:
        yield Problem(
            Code.PLATFORM_MISSING,
            f"The image is for {known[0]} only, and it is to run on {wanted}.",
        )
    else:
        offer = _offer(wanted, [*resolution.offered, *known])
        yield Problem(Code.PLATFORM_MISSING, offer)


def _offer(wanted: Platform | None, platforms: Iterable[Platform]) -> str:
    offered = ", ".join(dict.fromkeys(map(str, platforms)))
    has = f"it has {offered}" if offered else "it has no runnable manifest at all"
    return f"The image has no manifest for {wanted or 'any platform'}; {has}."


def _decisive(problems: Sequence[Problem], notes: Sequence[str]) -> Problem:
    """Return the problem that decides, with every reason once, the decisive ones first.

    Without a problem the image is available; ``notes`` make that uncertain.
    """
    if not problems:
        reason = " ".join((Code.AVAILABLE.meaning, *notes))
        return Problem(Code.AVAILABLE, reason, certain=not notes)
    order = list(Code)
    ranked = sorted(
        problems, key=lambda each: (not each.is_proven, not each.certain, order.index(each.code))
    )
    reasons = " ".join(dict.fromkeys(each.reason for each in ranked))
    return replace(ranked[0], reason=reasons)
