"""What may have been meant: tags and names that are there."""

from __future__ import annotations

import asyncio
from typing import Any, NoReturn

import pytest
from layerguard.registry import RegistryError
from layerguard.registry.calls import Listing
from layerguard.registry.suggestions import CachedQuestion, names_beside, tags_beside
from layerguard.verdict import Code

from tests.registry.loops import on_a_loop, until

DETAILS: list[dict[str, Any]] = [
    {"imageTags": ["1.4.1"], "imagePushedAt": "2026-01-01"},
    {"imageTags": ["1.4.2", "stable"], "imagePushedAt": "2026-02-01"},
    {"imageTags": ["2.0.0"], "imagePushedAt": "2026-03-01"},
    {"imagePushedAt": "2026-04-01"},
]


def test_the_nearest_tags_and_the_newest_are_named() -> None:
    assert tags_beside("1.4.3", Listing(DETAILS, complete=True)) == (
        "The nearest tags are 1.4.2, 1.4.1. The newest tags are 2.0.0, 1.4.2, stable."
    )
    assert tags_beside("zzz", Listing(DETAILS[:1], complete=True)) == "The newest tag is 1.4.1."
    assert tags_beside("1", Listing([], complete=True)) == "The repository has no tags at all."


def test_the_nearest_names_are_named() -> None:
    names = [{"repositoryName": "shop/web"}, {"repositoryName": "other"}]
    assert (
        names_beside("shop/wbe", Listing(names, complete=True)) == "The nearest name is shop/web."
    )
    assert names_beside("zzz", Listing(names, complete=True)) == ""
    nothing = Listing([], complete=True)
    assert names_beside("zzz", nothing) == "The registry has no repositories at all."


def test_a_listing_that_was_cut_short_does_not_say_what_only_a_whole_one_can() -> None:
    assert tags_beside("1.4.3", Listing(DETAILS, complete=False)) == (
        "The nearest tags are 1.4.2, 1.4.1."
    )
    assert tags_beside("1.4.3", Listing([], complete=False)) == ""
    assert names_beside("zzz", Listing([], complete=False)) == ""


@on_a_loop
async def test_a_question_is_sent_once_and_a_refusal_is_an_answer() -> None:
    asked: list[str] = []

    async def ask(key: str) -> str:
        asked.append(key)
        if key == "denied":
            raise RegistryError(Code.ACCESS_DENIED, "No.")
        return key.upper()

    once = CachedQuestion(ask)
    keys = ("a", "a", "denied", "denied")
    assert [await once(key) for key in keys] == ["A", "A", None, None]
    assert asked == ["a", "denied"]


@on_a_loop
async def test_who_asks_while_the_answer_is_under_way_waits_for_it() -> None:
    asked: list[str] = []
    may_answer = asyncio.Event()

    async def ask(key: str) -> str:
        asked.append(key)
        await may_answer.wait()
        return key.upper()

    once = CachedQuestion(ask)
    first, *others = (asyncio.ensure_future(once("a")) for _ in range(10))
    await until(lambda: asked)
    first.cancel()  # that the first has no use for it any more takes it from nobody
    may_answer.set()
    assert await asyncio.gather(*others) == ["A"] * 9
    assert first.cancelled()
    assert asked == ["a"]


@on_a_loop
async def test_a_bug_is_not_swallowed() -> None:
    async def broken(_key: str) -> NoReturn:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await CachedQuestion(broken)("a")
