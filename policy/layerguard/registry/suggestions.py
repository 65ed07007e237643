"""The tags and repositories that may have been meant."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from layerguard.registry.answers import ImageListing, RepositoryNames

_NEAREST = 3
_NEWEST = 3


def tags_beside(wanted: str, listing: ImageListing) -> str:
    """Return the tags in ``listing`` that may be meant, and the newest ones.

    An incomplete listing has no order, so its newest tags are not known.
    """
    tags = [tag for each in listing.images for tag in each.tags]
    if not tags:
        return "The repository has no tags at all." if listing.complete else ""
    words = [_listed("The nearest tag", difflib.get_close_matches(wanted, tags, _NEAREST))]
    if listing.complete:
        newest_first = sorted(
            (each for each in listing.images if each.tags and each.pushed_at),
            key=lambda each: each.pushed_at,
            reverse=True,
        )
        newest = [tag for each in newest_first for tag in each.tags]
        words.append(_listed("The newest tag", newest[:_NEWEST]))
    return " ".join(filter(None, words))


def names_beside(wanted: str, repositories: RepositoryNames) -> str:
    """Return the names in ``repositories`` that may be meant."""
    if not repositories.names:
        return "The registry has no repositories at all." if repositories.complete else ""
    nearest = difflib.get_close_matches(wanted, repositories.names, _NEAREST)
    return _listed("The nearest name", nearest)


def _listed(subject: str, found: Sequence[str]) -> str:
    if not found:
        return ""
    if len(found) == 1:
        return f"{subject} is {found[0]}."
    return f"{subject}s are {', '.join(found)}."
