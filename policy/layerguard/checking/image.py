"""The check of one image: from a reference to its verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from layerguard.checking.advice import advise
from layerguard.checking.config_platforms import is_served, needed_configs, with_platforms
from layerguard.checking.questions import Questions
from layerguard.checking.resolution import Resolution, Resolved, resolve
from layerguard.errors import LayerguardError
from layerguard.platform import Platform
from layerguard.reference import Digest, ImageReference
from layerguard.registry import Availability, LayerAnswer, RegistryError
from layerguard.verdict import BlobState, CheckedBlob, Code, ManifestReport, State, Verdict

_Answers: TypeAlias = Mapping[Digest, "LayerAnswer | RegistryError"]
_PULL = (
    "The repository is a pull-through cache: a first pull by its runtime would bring the image "
    "from its upstream, if the upstream has it and the runtime's role may fill the cache."
)
_MAY_BE_A_CACHE = (
    "Whether the repository is a pull-through cache, which a first pull would fill, could not be "
    "asked: that takes ecr:DescribePullThroughCacheRules, or the option pullThroughCachePrefixes."
)
# What a pull through a cache brings.
_BROUGHT_BY_A_PULL = (Code.IMAGE_NOT_FOUND, Code.LAYER_MISSING, Code.REPOSITORY_NOT_FOUND)


class Problem(NamedTuple):
    """What is wrong with an image: the code, why, and what can be done where that is known."""

    code: Code
    reason: str
    next_step: str = ""

    @property
    def is_proven(self) -> bool:
        """Whether it makes the image unavailable, and not only unknown."""
        return self.code.state is State.UNAVAILABLE


async def check_image(
    reference: ImageReference, wanted: Platform | None, questions: Questions
) -> Verdict:
    """Return what can be said of an image that is to run on ``wanted``.

    Every problem is collected. A proven one decides over one that only says what could not be
    found out; the image is available only when every runnable manifest was read and every one of
    their digests came back as available.
    """
    repository = reference.repository
    resolution = await resolve(reference, wanted, questions.images)
    blobs = {blob.digest for each in resolution.manifests for blob in each.manifest.blobs}
    configs = needed_configs(resolution.manifests, wanted)
    asked = questions.layers(repository, sorted(blobs))
    read = questions.platforms(repository, configs)
    answers, platforms = await asked.answers(), await read.answers()
    problems = [*_layer_problems(answers.values()), *map(_problem, resolution.errors)]
    if not resolution.manifests and not resolution.errors:
        problems.append(Problem(Code.PLATFORM_MISSING, _offer(wanted, resolution.offered)))
    elif wanted and not resolution.errors and not any(each.is_proven for each in problems):
        # Where a manifest could not be read, it may be the one that serves.
        resolution.manifests = with_platforms(resolution.manifests, platforms)
        problems += _platform_problems(wanted, resolution)
    decided = _decide(problems)
    if decided.code in _BROUGHT_BY_A_PULL:
        is_cache = await questions.is_cache(repository)
        if is_cache:
            decided = Problem(Code.CACHE_NOT_FILLED, f"{decided.reason} {_PULL}")
        elif is_cache is None:
            decided = decided._replace(reason=f"{decided.reason} {_MAY_BE_A_CACHE}")
    return Verdict(
        decided.code,
        decided.reason,
        decided.next_step or advise(decided.code, reference, resolution.digest, wanted),
        resolution.digest,
        wanted,
        tuple(_report(each, answers) for each in resolution.manifests),
        resolution.form,
    )


def _report(resolved: Resolved, answers: _Answers) -> ManifestReport:
    roles = {resolved.manifest.config.digest: "config"} | {
        layer.digest: f"layer {position} of {len(resolved.manifest.layers)}"
        for position, layer in reversed(list(enumerate(resolved.manifest.layers, 1)))
    }
    blobs = (
        CheckedBlob(blob.digest, roles[blob.digest], _state(answers[blob.digest]), blob.size)
        for blob in resolved.manifest.blobs
    )
    return ManifestReport(resolved.digest, resolved.platform, tuple(blobs))


def _state(answer: LayerAnswer | RegistryError) -> BlobState:
    if isinstance(answer, RegistryError) and answer.code is Code.INCONSISTENT_ANSWER:
        return BlobState.UNACCOUNTED
    if isinstance(answer, RegistryError):
        return BlobState.UNKNOWN
    return BlobState[answer.availability.name]


def _layer_problems(
    answers: Iterable[LayerAnswer | RegistryError],
) -> Iterable[Problem]:
    for answer in answers:
        if isinstance(answer, RegistryError):
            yield _problem(answer)
        elif answer.availability is Availability.UNAVAILABLE:
            yield Problem(Code.LAYER_MISSING, Code.LAYER_MISSING.meaning)
        elif answer.availability is Availability.ARCHIVED:
            yield Problem(Code.LAYER_ARCHIVED, Code.LAYER_ARCHIVED.meaning)


def _problem(error: LayerguardError) -> Problem:
    if isinstance(error, RegistryError):
        return Problem(Code.of(error), str(error), error.next_step)
    return Problem(Code.MANIFEST_UNREADABLE, str(error))


def _platform_problems(wanted: Platform, resolution: Resolution) -> Iterable[Problem]:
    """Say so where every manifest is known to be for another platform than ``wanted``."""
    said = [each.platform for each in resolution.manifests]
    if any(platform is None or is_served(wanted, platform) for platform in said):
        return
    known = list(filter(None, said))
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


def _decide(problems: Sequence[Problem]) -> Problem:
    """Return the problem that decides, with every reason once, the deciding ones first."""
    if not problems:
        return Problem(Code.AVAILABLE, Code.AVAILABLE.meaning)
    order = list(Code)
    ranked = sorted(problems, key=lambda each: (not each.is_proven, order.index(each.code)))
    reasons = " ".join(dict.fromkeys(each.reason for each in ranked))
    return ranked[0]._replace(reason=reasons)
