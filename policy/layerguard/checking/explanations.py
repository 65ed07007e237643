"""Explanations: a better reason and next step for a verdict, asked for after it is delivered.

The nearest tags and repositories, and the principal that was denied. An explanation never changes
the code of a verdict; one that does not come in time is left out.
"""

from __future__ import annotations

import difflib
import heapq
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from layerguard.checking.questions import Questions
from layerguard.reference import ImageReference, Repository
from layerguard.registry import ImageListing, RepositoryNames
from layerguard.registry.denial import Denial
from layerguard.verdict import Code, Verdict

_NEAREST = 3
_NEWEST = 3
# Comparing names takes time in which no check goes on: 0.1 ms for a pair, less for their ends.
_COMPARED = 50
_LOOKED_AT = 2_000


def may_explain(verdict: Verdict) -> bool:
    """Return whether asking may give ``verdict`` a better reason."""
    if verdict.code is Code.ACCESS_DENIED:
        return _lacks_the_caller(Denial.parse(verdict.reason))
    return verdict.code in (Code.IMAGE_NOT_FOUND, Code.REPOSITORY_NOT_FOUND)


async def explain(reference: ImageReference, verdict: Verdict, questions: Questions) -> Verdict:
    """Return ``verdict`` with a better reason and next step, where ``questions`` give any."""
    repository = reference.repository
    if verdict.code is Code.IMAGE_NOT_FOUND:
        listing = await questions.listing(repository)
        tag = reference.image_id.tag
        more = tags_beside(tag, listing) if tag and isinstance(listing, ImageListing) else ""
    elif verdict.code is Code.REPOSITORY_NOT_FOUND:
        names = await questions.repository_names(repository)
        more = names_beside(repository.name, names) if isinstance(names, RepositoryNames) else ""
    else:
        return await _with_caller(repository, verdict, questions)
    return replace(verdict, reason=f"{verdict.reason} {more}".rstrip())


def tags_beside(wanted: str, listing: ImageListing) -> str:
    """Return the tags in a repository that are like ``wanted``, and the newest ones.

    Which are the newest is not known of a listing that was cut short: it has no order. The tags of
    archived images are no help, because they cannot be pulled either.
    """
    tagged = [image for image in listing.images if image.tags]
    if not tagged:
        return "The repository has no tags at all." if listing.complete else ""
    pulled = [image for image in tagged if not image.is_archived]
    newest_first = sorted(pulled, key=lambda image: image.pushed_at, reverse=True)
    tags = [tag for image in newest_first for tag in image.tags]
    dated = [tag for image in newest_first if image.pushed_at for tag in image.tags]
    sentences = [_sentence("The nearest tag", _nearest(wanted, tags))]
    if listing.complete:
        sentences.append(_sentence("The newest tag", dated[:_NEWEST]))
    return " ".join(filter(None, sentences))


def names_beside(wanted: str, repositories: RepositoryNames) -> str:
    """Return the names of a registry's repositories that are like ``wanted``."""
    if not repositories.names:
        return "The registry has no repositories at all." if repositories.complete else ""
    return _sentence("The nearest name", _nearest(wanted, repositories.names))


async def _with_caller(repository: Repository, verdict: Verdict, questions: Questions) -> Verdict:
    caller = await questions.caller(repository)
    if caller is None:
        return verdict
    return replace(
        verdict,
        reason=f"{verdict.reason} The principal that asked is {caller}.",
        next_step=Denial.parse(verdict.reason).next_step(repository, caller),
    )


def _lacks_the_caller(denial: Denial) -> bool:
    """Return whether GetCallerIdentity may name the caller; it fails if AssumeRole was denied."""
    return denial.caller is None and not denial.is_of_a_role


def _nearest(wanted: str, names: Sequence[str]) -> list[str]:
    alike = heapq.nlargest(_COMPARED, names[:_LOOKED_AT], partial(_common_ends, wanted))
    return difflib.get_close_matches(wanted, alike, _NEAREST)


def _common_ends(one: str, other: str) -> int:
    """Return how many characters two names have in common at their beginnings and their ends."""
    return _common_prefix(one, other) + _common_prefix(one[::-1], other[::-1])


def _common_prefix(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((index for index, (a, b) in pairs if a != b), min(len(one), len(other)))


def _sentence(what: str, found: Sequence[str]) -> str:
    if not found:
        return ""
    return f"{what} is {found[0]}." if len(found) == 1 else f"{what}s are {', '.join(found)}."
