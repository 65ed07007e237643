"""What may have been meant: the tags and repositories that are there, asked for after a failure."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from layerguard.registry.answers import RegistryError
from layerguard.registry.calls import Listing

_NEAREST = 3
_NEWEST = 3

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class CachedQuestion(Generic[_Key, _Value]):
    """Keeps what ``ask`` returned for each key; where it was refused, that is None."""

    def __init__(self, ask: Callable[[_Key], Awaitable[_Value]]) -> None:
        self._ask = ask
        self._asked: dict[_Key, asyncio.Future[_Value | None]] = {}

    async def __call__(self, key: _Key) -> _Value | None:
        """Return the answer for ``key``; only the first asker sends the question."""
        if key not in self._asked:
            self._asked[key] = asyncio.ensure_future(self._answer(key))
        return await asyncio.shield(self._asked[key])

    async def _answer(self, key: _Key) -> _Value | None:
        try:
            return await self._ask(key)
        except RegistryError:
            return None


def tags_beside(wanted: str, images: Listing) -> str:
    """Return the tags in DescribeImages' listing that may be meant, and the newest ones.

    Which are the newest is not known of a listing that was cut short: it has no order.
    """
    tags = [str(tag) for each in images.items for tag in each.get("imageTags") or ()]
    if not tags:
        return "The repository has no tags at all." if images.complete else ""
    words = [_listed("The nearest tag", difflib.get_close_matches(wanted, tags, _NEAREST))]
    if images.complete:
        newest_first = sorted(
            (each for each in images.items if each.get("imageTags") and each.get("imagePushedAt")),
            key=lambda each: str(each["imagePushedAt"]),
            reverse=True,
        )
        newest = [str(tag) for each in newest_first for tag in each["imageTags"]]
        words.append(_listed("The newest tag", newest[:_NEWEST]))
    return " ".join(filter(None, words))


def names_beside(wanted: str, repositories: Listing) -> str:
    """Return the names in DescribeRepositories' listing that may be meant."""
    names = [str(each.get("repositoryName")) for each in repositories.items]
    if not names:
        return "The registry has no repositories at all." if repositories.complete else ""
    return _listed("The nearest name", difflib.get_close_matches(wanted, names, _NEAREST))


def _listed(what: str, found: Sequence[str]) -> str:
    if not found:
        return ""
    return f"{what} is {found[0]}." if len(found) == 1 else f"{what}s are {', '.join(found)}."
