"""The tags and repositories that may have been meant."""

from __future__ import annotations

from layerguard.registry import ImageListing, ListedImage, RepositoryNames
from layerguard.registry.suggestions import names_beside, tags_beside

from tests.fakes import digest_of

IMAGES = tuple(
    ListedImage(digest_of(pushed_at), tags, pushed_at=pushed_at)
    for pushed_at, tags in (
        ("2026-01-01", ("1.4.1",)),
        ("2026-02-01", ("1.4.2", "stable")),
        ("2026-03-01", ("2.0.0",)),
        ("2026-04-01", ()),
    )
)


def test_the_nearest_tags_and_the_newest_are_named() -> None:
    assert tags_beside("1.4.3", ImageListing(IMAGES, complete=True)) == (
        "The nearest tags are 1.4.2, 1.4.1. The newest tags are 2.0.0, 1.4.2, stable."
    )
    assert tags_beside("zzz", ImageListing(IMAGES[:1], complete=True)) == (
        "The newest tag is 1.4.1."
    )
    assert tags_beside("1", ImageListing((), complete=True)) == (
        "The repository has no tags at all."
    )


def test_the_nearest_names_are_named() -> None:
    names = RepositoryNames(("shop/web", "other"), complete=True)
    assert names_beside("shop/wbe", names) == "The nearest name is shop/web."
    assert names_beside("zzz", names) == ""
    nothing = RepositoryNames((), complete=True)
    assert names_beside("zzz", nothing) == "The registry has no repositories at all."


def test_an_incomplete_listing_proves_neither_the_newest_tags_nor_that_there_are_none() -> None:
    assert tags_beside("1.4.3", ImageListing(IMAGES, complete=False)) == (
        "The nearest tags are 1.4.2, 1.4.1."
    )
    assert tags_beside("1.4.3", ImageListing((), complete=False)) == ""
    assert names_beside("zzz", RepositoryNames((), complete=False)) == ""
