"""The inspection of one image: from a reference to its verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from layerguard.errors import InconsistentAnswer, LayerguardError, RegistryError
from layerguard.inspection.advice import advise
from layerguard.inspection.configs import AskConfigs, is_served, with_platforms
from layerguard.inspection.resolution import AskImages, Resolution, Resolved, resolve
from layerguard.manifest import Platform
from layerguard.reference import Digest, ImageReference, Repository
from layerguard.registry import Availability, LayerAnswer
from layerguard.verdict import BadBlob, Code, ManifestReport, State, Verdict

AskLayers: TypeAlias = Callable[
    [Repository, Sequence[Digest]], Mapping[Digest, "LayerAnswer | RegistryError"]
]
_Answers: TypeAlias = Mapping[Digest, "LayerAnswer | RegistryError"]


def inspect_image(
    reference: ImageReference,
    wanted: Platform | None,
    ask_images: AskImages,
    ask_layers: AskLayers,
    ask_configs: AskConfigs,
) -> Verdict:
    """Return what can be said of an image that is to run on ``wanted``.

    Every problem is collected. A proven one decides over one that only says what could not be
    found out; the image is available only when every runnable manifest was read and every one of
    their digests came back as available.
    """
    resolution = resolve(reference, wanted, ask_images)
    blobs = {blob.digest for each in resolution.manifests for blob in each.manifest.blobs}
    answers = ask_layers(reference.repository, sorted(blobs)) if blobs else {}
    problems = [*_layer_problems(answers.values()), *map(_problem, resolution.errors)]
    if not resolution.manifests and not resolution.errors:
        problems.append((Code.PLATFORM_MISSING, _offer(wanted, resolution.offered)))
    elif wanted and not resolution.errors and not any(map(_is_proven, problems)):
        # Where a manifest could not be read, it may be the one that serves.
        resolution.manifests = with_platforms(
            reference.repository, resolution.manifests, wanted, _available(answers), ask_configs
        )
        problems += _platform_problems(wanted, resolution)
    code, reason = _decide(problems)
    return Verdict(
        code,
        reason,
        advise(code, reference, resolution.digest, wanted),
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
    blobs = resolved.manifest.blobs
    bad = (
        BadBlob(blob.digest, roles[blob.digest], state, blob.size)
        for blob in blobs
        if (state := _bad_state(answers[blob.digest]))
    )
    return ManifestReport(resolved.digest, resolved.platform, len(blobs), tuple(bad))


def _bad_state(answer: LayerAnswer | RegistryError) -> str | None:
    if isinstance(answer, InconsistentAnswer):
        return "not accounted for"
    if isinstance(answer, RegistryError) or answer.availability is Availability.AVAILABLE:
        return None
    return answer.availability.name


def _available(answers: _Answers) -> set[Digest]:
    return {
        digest
        for digest, answer in answers.items()
        if isinstance(answer, LayerAnswer) and answer.availability is Availability.AVAILABLE
    }


def _layer_problems(
    answers: Iterable[LayerAnswer | RegistryError],
) -> Iterable[tuple[Code, str]]:
    for answer in answers:
        if isinstance(answer, RegistryError):
            yield _problem(answer)
        elif answer.availability is Availability.UNAVAILABLE:
            yield Code.LAYER_MISSING, Code.LAYER_MISSING.meaning
        elif answer.availability is Availability.ARCHIVED:
            yield Code.LAYER_ARCHIVED, Code.LAYER_ARCHIVED.meaning


def _problem(error: LayerguardError) -> tuple[Code, str]:
    code = Code.of(error) if isinstance(error, RegistryError) else Code.MANIFEST_UNREADABLE
    return code, str(error)


def _is_proven(problem: tuple[Code, str]) -> bool:
    return problem[0].state is State.UNAVAILABLE


def _platform_problems(wanted: Platform, resolution: Resolution) -> Iterable[tuple[Code, str]]:
    """Say so where every manifest is known to be for another platform than ``wanted``."""
    said = [each.platform for each in resolution.manifests]
    if any(platform is None or is_served(wanted, platform) for platform in said):
        return
    known = list(filter(None, said))
    if [each.digest for each in resolution.manifests] == [resolution.digest]:
        yield (
            Code.PLATFORM_MISSING,
            f"The image is for {known[0]} only, and it is to run on {wanted}.",
        )
    else:
        yield Code.PLATFORM_MISSING, _offer(wanted, [*resolution.offered, *known])


def _offer(wanted: Platform | None, platforms: Iterable[Platform]) -> str:
    offered = ", ".join(dict.fromkeys(map(str, platforms)))
    has = f"it has {offered}" if offered else "it has no runnable manifest at all"
    return f"The image has no manifest for {wanted or 'any platform'}; {has}."


def _decide(problems: Sequence[tuple[Code, str]]) -> tuple[Code, str]:
    """Return the code that decides, and every reason once, the deciding ones first."""
    if not problems:
        return Code.AVAILABLE, Code.AVAILABLE.meaning
    order = list(Code)
    ranked = sorted(problems, key=lambda each: (not _is_proven(each), order.index(each[0])))
    return ranked[0][0], " ".join(dict.fromkeys(reason for _, reason in ranked))
