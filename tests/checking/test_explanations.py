"""Explanations: the words that are added to a verdict, from what the registry has."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from layerguard.checking.call_queue import CallQueue
from layerguard.checking.explanations import explain, may_explain, names_beside, tags_beside
from layerguard.checking.questions import Questions, RegistryLoaders
from layerguard.registry import (
    ImageListing,
    ListedImage,
    RegistryError,
    RepositoryNames,
)
from layerguard.verdict import Code, Verdict

from tests.fakes import WEB, FakeRegistry, digest_of, reference
from tests.processes import PATIENCE

IMAGES = (
    ListedImage(digest_of("a"), ("1.4.1",), pushed_at="2026-01-01"),
    ListedImage(digest_of("b"), ("1.4.2", "stable"), pushed_at="2026-02-01"),
    ListedImage(digest_of("c"), ("2.0.0",), pushed_at="2026-03-01"),
    ListedImage(digest_of("d"), (), pushed_at="2026-04-01"),
)
DENIED = "ECR says AccessDeniedException: not authorized to perform: ecr:BatchGetImage"
MISSING = Verdict(Code.IMAGE_NOT_FOUND, "It is not there.", "push it.")
NOWHERE = Verdict(Code.REPOSITORY_NOT_FOUND, "It is nowhere.", "create it.")
REFUSED = Verdict(Code.ACCESS_DENIED, DENIED, "allow it.")


def explained(registry: FakeRegistry, verdict: Verdict, rest: str = "shop/web:1.4.3") -> Verdict:
    async def run() -> Verdict:
        questions = Questions(RegistryLoaders(registry, CallQueue(1)))
        return await asyncio.wait_for(explain(reference(rest), verdict, questions), PATIENCE)

    return asyncio.run(run())


def test_the_nearest_and_the_newest_tags_are_named() -> None:
    assert tags_beside("1.4.3", ImageListing(IMAGES, complete=True)) == (
        "The nearest tags are 1.4.2, 1.4.1. The newest tags are 2.0.0, 1.4.2, stable."
    )
    assert tags_beside("zzz", ImageListing(IMAGES[:1], complete=True)) == "The newest tag is 1.4.1."


def test_a_repository_without_tags_has_none_to_name() -> None:
    nothing = "The repository has no tags at all."
    assert tags_beside("1", ImageListing((), complete=True)) == nothing
    assert tags_beside("1", ImageListing(IMAGES[3:], complete=True)) == nothing


def test_the_tags_of_archived_images_are_not_named() -> None:
    archived = tuple(replace(image, is_archived=True) for image in IMAGES[:2])
    listing = ImageListing((*archived, *IMAGES[2:]), complete=True)
    assert tags_beside("1.4.3", listing) == "The newest tag is 2.0.0."
    assert tags_beside("1.4.3", ImageListing(archived, complete=True)) == ""


def test_the_newest_tags_of_an_incomplete_listing_are_not_known() -> None:
    assert tags_beside("1.4.3", ImageListing(IMAGES, complete=False)) == (
        "The nearest tags are 1.4.2, 1.4.1."
    )
    assert tags_beside("1.4.3", ImageListing((), complete=False)) == ""


def test_the_nearest_names_are_named() -> None:
    names = RepositoryNames(("shop/web", "other"), complete=True)
    assert names_beside("shop/wbe", names) == "The nearest name is shop/web."
    assert names_beside("zzz", names) == ""


def test_a_registry_without_repositories_has_none_to_name() -> None:
    nothing = "The registry has no repositories at all."
    assert names_beside("zzz", RepositoryNames((), complete=True)) == nothing
    assert names_beside("zzz", RepositoryNames((), complete=False)) == ""


def test_among_thousands_of_names_the_nearest_is_found() -> None:
    names = [f"team-{number}/service" for number in range(2_000)]
    listed = RepositoryNames((*names[:1_000], "shop/web-frontend", *names[1_000:]), complete=True)
    for wanted in ("shop/web-fronted", "hop/web-frontend"):
        assert names_beside(wanted, listed) == "The nearest name is shop/web-frontend."


def test_a_missing_tag_is_explained_by_the_tags_of_its_repository() -> None:
    registry = FakeRegistry()
    registry.list(*IMAGES)
    assert explained(registry, MISSING).reason == (
        "It is not there. The nearest tags are 1.4.2, 1.4.1. "
        "The newest tags are 2.0.0, 1.4.2, stable."
    )
    assert explained(registry, MISSING, f"shop/web@{digest_of('x')}") == MISSING
    registry.listings[WEB] = RegistryError(Code.ACCESS_DENIED, "No.")
    assert explained(registry, MISSING) == MISSING


def test_a_missing_repository_is_explained_by_the_names_beside_it() -> None:
    registry = FakeRegistry()
    registry.names = RepositoryNames(("shop/web",), complete=True)
    verdict = explained(registry, NOWHERE, "shop/wbe:1")
    assert verdict.reason == "It is nowhere. The nearest name is shop/web."
    registry.names = RegistryError(Code.ACCESS_DENIED, "No.")
    assert explained(registry, NOWHERE) == NOWHERE


def test_a_denial_that_does_not_name_the_principal_is_explained_by_it() -> None:
    registry = FakeRegistry()
    assert explained(registry, REFUSED) == REFUSED
    registry.principal = "arn:aws:iam::123456789012:user/ci"
    verdict = explained(registry, REFUSED)
    assert verdict.reason == (
        f"{DENIED} The principal that asked is arn:aws:iam::123456789012:user/ci."
    )
    assert "the identity policy of arn:aws:iam::123456789012:user/ci" in verdict.next_step


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (MISSING, True),
        (NOWHERE, True),
        (REFUSED, True),
        (replace(REFUSED, reason=f"User: arn:aws:iam::123456789012:user/ci is {DENIED}"), False),
        (replace(REFUSED, reason="AccessDenied: not authorized to perform: sts:AssumeRole"), False),
        (Verdict(Code.AVAILABLE, ""), False),
        (Verdict(Code.LAYER_MISSING, ""), False),
        (Verdict(Code.INTERNAL_ERROR, ""), False),
    ],
)
def test_only_what_asking_may_explain_is_explained(verdict: Verdict, expected: bool) -> None:
    assert may_explain(verdict) is expected
