"""The backend: one verdict for every request, whatever happens, and then perhaps an explanation."""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace

import pytest
from layerguard.checking.backend import CheckBackend, Counters
from layerguard.checking.in_process_backend import InProcessBackend
from layerguard.checking.limits import EXPLANATION_SECONDS, Limits
from layerguard.checking.questions import Questions
from layerguard.checking.subprocess_backend import SubprocessBackend
from layerguard.identity import Identity
from layerguard.platform import Platform
from layerguard.reference import ImageId, ImageReference, Repository
from layerguard.registry import ImageAnswer, ListedImage, RegistryError
from layerguard.registry.clients import OrdinaryChain
from layerguard.registry.ecr import Ecr
from layerguard.registry.threads import on_a_thread
from layerguard.verdict import Code, Verdict
from layerguard_sandbox.ecr import Fault, SandboxEcr, image_index, oci_image

from tests.checking.recording import check, request, start, without_available_layers
from tests.fakes import FakeRegistry, HeldRegistry, digest_of, manifest, reference, without_place
from tests.processes import PATIENCE

AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")
TEAM = Identity(profile="team")


def test_the_counters_of_a_verdict_count_everything_so_far() -> None:
    registry = FakeRegistry()
    registry.put(manifest("a", "b"), "1")
    registry.foreign_endpoints = frozenset({"https://ecr.example"})
    with closing(InProcessBackend(registry)) as backend:
        (first,) = start(backend, request())
        assert first.verdict.code is Code.AVAILABLE
        assert first.counters == Counters(2, registry.foreign_endpoints)
        (second,) = start(backend, request("shop/web:absent"))
        assert second.verdict.code is Code.IMAGE_NOT_FOUND
        assert second.counters == Counters(3, registry.foreign_endpoints)
        # The same request again costs nothing.
        (third,) = start(backend, request())
        assert third.verdict == first.verdict
        assert third.counters == second.counters


class Broken(FakeRegistry):
    """Raises for one repository and one identity."""

    def for_identity(self, identity: Identity) -> FakeRegistry:
        if identity == TEAM:
            raise ZeroDivisionError("oh")
        return super().for_identity(identity)

    async def images(
        self, repository: Repository, ids: Sequence[ImageId]
    ) -> Mapping[ImageId, ImageAnswer | RegistryError]:
        if repository.name == "shop/broken":
            raise ZeroDivisionError("oh")
        return await super().images(repository, ids)


def test_a_bug_is_the_verdict_of_its_image_alone() -> None:
    registry = Broken()
    registry.put(manifest("a"), "1")
    requests = request("shop/broken:1"), request(identity=TEAM), request()
    with closing(InProcessBackend(registry)) as backend:
        verdicts = check(backend, *requests)
    assert [each.code for each in verdicts] == [
        Code.INTERNAL_ERROR,
        Code.INTERNAL_ERROR,
        Code.AVAILABLE,
    ]
    for verdict in verdicts[:2]:
        bug = "This is a bug of Layerguard 0.1.0, in checking: ZeroDivisionError: oh"
        assert without_place(verdict.reason) == bug


def test_each_identity_asks_for_itself() -> None:
    ordinary, team = FakeRegistry(), FakeRegistry()
    ordinary.put(manifest("a"), "1")
    team.image_answers[ImageId("1", None)] = RegistryError(Code.ACCESS_DENIED, "Denied.")
    ordinary.others[TEAM] = team
    with closing(InProcessBackend(ordinary)) as backend:
        verdicts = check(backend, request(), request(identity=TEAM), request())
    assert [each.code for each in verdicts] == [Code.AVAILABLE, Code.ACCESS_DENIED, Code.AVAILABLE]
    assert (ordinary.calls, team.calls) == (2, 1)


# The limits of one image, and of the questions in it.


def test_a_check_that_hangs_is_timed_out_and_all_others_get_their_verdicts() -> None:
    registry = HeldRegistry("shop/hangs")
    registry.put(manifest("a"), "1")
    with closing(InProcessBackend(registry, concurrency=1)) as backend:
        backend.limit(Limits(image=0.2, concurrency=1), ())
        (hanging,) = start(backend, request("shop/hangs:1"))
        assert registry.is_asked.wait(PATIENCE)
        # The only place in the queue is taken by a call that never returns.
        others = check(backend, request(), request("shop/other:1"), request("shop/web:1", TEAM))
        assert [each.code for each in others] == [Code.AVAILABLE] * 3
        assert hanging.verdict.reason == (
            "The check did not end within 0.2 s (option timeoutSeconds)."
        )
        assert hanging.verdict.code is Code.TIMED_OUT
        registry.let_go.set()


def test_the_time_of_an_image_counts_from_its_first_question_and_not_in_the_queue() -> None:
    registry = FakeRegistry()
    registry.latency = 0.1
    names = [f"shop/{number}:1" for number in range(15)]
    with closing(InProcessBackend(registry, concurrency=1)) as backend:
        backend.limit(Limits(image=1.5, concurrency=1), ())
        # Each is asked about and listed, in 0.2 s; all together take more than 3 s.
        verdicts = check(backend, *map(request, names))
    assert {each.code for each in verdicts} == {Code.IMAGE_NOT_FOUND}


def test_a_check_that_is_timed_out_takes_no_answer_from_others_in_its_batch() -> None:
    registry = HeldRegistry("shop/web")
    registry.put(manifest("a"), "1")
    with closing(InProcessBackend(registry)) as backend:
        backend.limit(Limits(image=0.2), ())
        (short,) = start(backend, request())
        backend.limit(Limits(image=PATIENCE), ())
        (long,) = start(backend, request(platform=ARM64))
        assert short.verdict.code is Code.TIMED_OUT
        registry.let_go.set()
        assert long.verdict.code is Code.AVAILABLE
    assert registry.calls_made.count("images") == 1


def test_a_listing_and_a_cache_question_that_hang_hide_no_proven_verdict() -> None:
    registry = FakeRegistry()
    registry.hanging = {"listing", "cache_prefixes"}
    with closing(InProcessBackend(registry)) as backend:
        backend.limit(Limits(image=3.0), ())
        assert check(backend, request())[0].code is Code.IMAGE_NOT_FOUND


def test_99_missing_tags_of_one_repository_take_one_listing_and_few_round_trips() -> None:
    registry = FakeRegistry()
    registry.latency = 0.35
    registry.list(ListedImage(digest_of("archived"), ("archived",), is_archived=True))
    tags = ["archived", *map(str, range(99))]
    with closing(InProcessBackend(registry)) as backend:
        began = time.monotonic()
        recorders = start(backend, *(request(f"shop/web:{tag}") for tag in tags))
        codes = [each.verdict.code for each in recorders]
        seconds = time.monotonic() - began
        assert codes == [Code.IMAGE_ARCHIVED] + [Code.IMAGE_NOT_FOUND] * 99
        explained = [each.explanation.reason for each in recorders[1:]]
    assert registry.calls_made.count("listing") == registry.calls_made.count("cache_prefixes") == 1
    # The first one or few are asked about at once, and all the others together.
    assert registry.calls_made.count("images") <= 3
    assert seconds < 10 < 99 * registry.latency
    assert len(explained) == 99


# Explanations.


def test_the_verdict_is_delivered_before_its_explanation() -> None:
    registry = FakeRegistry()
    registry.list(ListedImage(digest_of("a"), ("11",)))
    with closing(InProcessBackend(registry)) as backend:
        (recorder,) = start(backend, request())
        assert recorder.explanation.reason == f"{recorder.verdict.reason} The nearest tag is 11."
    assert recorder.order == ["decided", "explained"]
    assert recorder.is_explaining


def explanation_that(
    behaves: Callable[[Verdict], Awaitable[Verdict]],
) -> Callable[[ImageReference, Verdict, Questions], Awaitable[Verdict]]:
    async def explain(_: ImageReference, verdict: Verdict, __: Questions) -> Verdict:
        return await behaves(verdict)

    return explain


async def _raises(verdict: Verdict) -> Verdict:
    raise ZeroDivisionError(verdict)


async def _hangs(verdict: Verdict) -> Verdict:
    await on_a_thread(threading.Event().wait)
    return verdict


async def _returns_nothing(_: Verdict) -> Verdict:
    return None  # type: ignore[return-value]


@pytest.mark.parametrize("behaves", [_raises, _hangs, _returns_nothing])
def test_an_explanation_that_fails_leaves_the_verdict_as_it_is(
    behaves: Callable[[Verdict], Awaitable[Verdict]],
) -> None:
    explain = explanation_that(behaves)
    with closing(InProcessBackend(FakeRegistry(), explain=explain)) as backend:
        (recorder,) = start(backend, request())
        assert recorder.verdict.code is Code.IMAGE_NOT_FOUND
        assert recorder.explanation == recorder.verdict


def test_an_explanation_changes_the_words_and_nothing_else() -> None:
    async def explain(verdict: Verdict) -> Verdict:
        return replace(verdict, code=Code.AVAILABLE, reason="Fine.", next_step="", wanted=AMD64)

    backend = InProcessBackend(FakeRegistry(), explain=explanation_that(explain))
    with closing(backend):
        (recorder,) = start(backend, request())
        expected = replace(recorder.verdict, reason="Fine.", next_step="")
        assert recorder.explanation == expected


def test_explanations_that_hang_keep_no_check_from_the_queue() -> None:
    registry = FakeRegistry()
    registry.put(manifest("a"), "1")
    registry.hanging = {"repository_names"}
    absent = RegistryError(Code.REPOSITORY_NOT_FOUND, "No.")
    for number in range(20):
        registry.image_answers[ImageId(f"absent-{number}", None)] = absent
    with closing(InProcessBackend(registry, concurrency=2)) as backend:
        names = [f"shop/{number}:absent-{number}" for number in range(20)]
        verdicts = check(backend, *map(request, names))
        assert {each.code for each in verdicts} == {Code.REPOSITORY_NOT_FOUND}
        began = time.monotonic()
        assert check(backend, request())[0].code is Code.AVAILABLE
        assert time.monotonic() - began < EXPLANATION_SECONDS


# Images that may still come.


class Sleeps:
    """A clock that only sleeping moves; an image may be pushed meanwhile."""

    def __init__(self, registry: FakeRegistry, pushed_at: float = float("inf")) -> None:
        self.now = 0.0
        self.taken: list[float] = []
        self._registry, self._pushed_at = registry, pushed_at

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.taken.append(seconds)
        self.now += seconds
        if self.now >= self._pushed_at:
            self._registry.put(manifest("a"), "1")


def test_an_absent_image_is_asked_for_again_with_pauses_of_up_to_ten_seconds() -> None:
    registry = FakeRegistry()
    sleeps = Sleeps(registry)
    with closing(InProcessBackend(registry, 2, sleeps.clock, sleeps.sleep)) as backend:
        backend.limit(Limits(absent=40.0), ())
        (verdict,) = check(backend, request())
    assert sleeps.taken == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0, 5.0]
    assert verdict.code is Code.IMAGE_NOT_FOUND
    assert verdict.reason.endswith("It did not come within 40 s either.")


def test_an_image_that_comes_meanwhile_is_available() -> None:
    registry = FakeRegistry()
    sleeps = Sleeps(registry, pushed_at=3.0)
    with closing(InProcessBackend(registry, 2, sleeps.clock, sleeps.sleep)) as backend:
        backend.limit(Limits(absent=40.0), ())
        (verdict,) = check(backend, request())
    assert (verdict.code, sleeps.taken) == (Code.AVAILABLE, [1.0, 2.0])


def test_the_explanation_of_an_image_that_did_not_come_is_of_its_last_listing() -> None:
    registry = FakeRegistry()
    sleeps = Sleeps(registry)

    async def sleep(seconds: float) -> None:
        await sleeps.sleep(seconds)
        registry.list(ListedImage(digest_of("a"), (f"1.{sleeps.now:g}",)))

    with closing(InProcessBackend(registry, 2, sleeps.clock, sleep)) as backend:
        backend.limit(Limits(absent=3.0), ())
        (recorder,) = start(backend, request("shop/web:1.0"))
        assert recorder.explanation.reason.endswith("The nearest tag is 1.3.")


@pytest.mark.parametrize("absent", [0.0, 40.0])
def test_an_image_that_will_not_come_is_not_asked_for_again(absent: float) -> None:
    registry = FakeRegistry()
    registry.image_answers[ImageId("1", None)] = RegistryError(Code.ACCESS_DENIED, "Denied.")
    sleeps = Sleeps(registry)
    with closing(InProcessBackend(registry, 2, sleeps.clock, sleeps.sleep)) as backend:
        backend.limit(Limits(absent=absent), ())
        (denied,) = check(backend, request())
        assert (denied.code, sleeps.taken) == (Code.ACCESS_DENIED, [])


def test_a_later_check_that_hangs_does_not_hide_that_the_image_was_not_there() -> None:
    registry = FakeRegistry()
    sleeps = Sleeps(registry)

    async def sleep(seconds: float) -> None:
        await sleeps.sleep(seconds)
        registry.hanging.add("images")

    with closing(InProcessBackend(registry, 2, sleeps.clock, sleep)) as backend:
        backend.limit(Limits(image=0.2, absent=0.2), ())
        (verdict,) = check(backend, request())
    assert verdict.code is Code.IMAGE_NOT_FOUND
    assert registry.calls_made.count("images") == 2


def test_absent_images_of_one_repository_are_asked_for_again_together() -> None:
    registry = FakeRegistry()
    with closing(InProcessBackend(registry)) as backend:
        backend.limit(Limits(absent=1.5), ())
        verdicts = check(backend, *(request(f"shop/web:{tag}") for tag in range(100)))
    assert {each.code for each in verdicts} == {Code.IMAGE_NOT_FOUND}
    # At once, after 1 s, and after the rest; each time in a few calls and not in 100.
    assert registry.calls_made.count("images") < 30
    assert registry.calls_made.count("listing") < 30


# Limits, priorities, and what is forgotten.


def test_a_check_keeps_the_limits_that_it_started_with() -> None:
    registry = HeldRegistry()
    sleeps = Sleeps(registry)
    with closing(InProcessBackend(registry, 2, sleeps.clock, sleeps.sleep)) as backend:
        (before,) = start(backend, request())
        backend.limit(Limits(absent=1.0), ("shop",))
        (after,) = start(backend, request("shop/other:1"))
        registry.let_go.set()
        assert before.verdict.code is Code.IMAGE_NOT_FOUND
        assert "either" not in before.verdict.reason
        assert after.verdict.code is Code.CACHE_NOT_FILLED


def test_a_prioritised_check_is_sent_before_all_others() -> None:
    registry = HeldRegistry()
    with closing(InProcessBackend(registry, concurrency=1)) as backend:
        first = start(backend, request("shop/first:1"))
        assert registry.is_asked.wait(PATIENCE)
        others = start(backend, *(request(f"shop/{name}:1") for name in ("b", "c", "d")))
        backend.prioritise(request("shop/d:1"))
        backend.prioritise(request("shop/never-started:1"))
        registry.let_go.set()
        assert {each.verdict.code for each in first + others} == {Code.IMAGE_NOT_FOUND}
    assert [repository.name for repository, _ in registry.questions] == [
        "shop/first",
        "shop/d",
        "shop/b",
        "shop/c",
    ]


def test_what_follows_from_a_prioritised_question_is_prioritised_too() -> None:
    registry = HeldRegistry()
    for name in ("first", "b", "c"):
        registry.put(manifest(name), name)
    with closing(InProcessBackend(registry, concurrency=1)) as backend:
        (first,) = start(backend, request("shop/first:first"))
        assert registry.is_asked.wait(PATIENCE)
        others = start(backend, request("shop/b:b"), request("shop/c:c"))
        backend.prioritise(request("shop/c:c"))
        registry.let_go.set()
        assert {each.verdict.code for each in (first, *others)} == {Code.AVAILABLE}
    asked = [repository.name for repository, _ in registry.questions]
    assert list(dict.fromkeys(asked)) == ["shop/first", "shop/c", "shop/b"]
    # The image of c and its two layers, and only then the layers of the first.
    assert asked[1:4] == ["shop/c"] * 3


def test_calls_are_tried_again_for_half_of_an_images_time() -> None:
    registry = FakeRegistry()
    with closing(InProcessBackend(registry)) as backend:
        assert registry.retry_seconds == 15.0
        backend.limit(Limits(image=8.0), ())
        assert registry.retry_seconds == 4.0


def test_what_is_forgotten_is_asked_again_by_every_identity() -> None:
    ordinary, team = FakeRegistry(), FakeRegistry()
    ordinary.others[TEAM] = team
    both = request(), request(identity=TEAM)
    with closing(InProcessBackend(ordinary)) as backend:
        assert [each.code for each in check(backend, *both)] == [Code.IMAGE_NOT_FOUND] * 2
        for registry in (ordinary, team):
            registry.put(manifest("a"), "1")
        backend.forget(reference().repository)
        assert [each.code for each in check(backend, *both)] == [Code.AVAILABLE] * 2


def test_an_image_that_was_deleted_after_the_listing_is_gone_once_that_is_forgotten() -> None:
    registry = FakeRegistry()
    image = registry.put(manifest("a"), "1")
    registry.list(ListedImage(image.digest, ("1",)))
    with closing(InProcessBackend(registry)) as backend:
        verdicts = check(backend, request(), request("shop/web:absent"))
        assert [each.code for each in verdicts] == [Code.AVAILABLE, Code.IMAGE_NOT_FOUND]
        registry.image_answers.clear()
        registry.list()
        backend.forget(reference().repository)
        assert check(backend, request())[0].code is Code.IMAGE_NOT_FOUND


# Over HTTP.


def no_fallback() -> CheckBackend:
    raise AssertionError("The worker does it.")


def test_verdicts_do_not_depend_on_order_concurrency_or_process(aws: SandboxEcr) -> None:
    registry = aws.registry("123456789012", "eu-west-1")
    for number in range(12):
        registry.push("shop/web", oci_image(f"web {number}"), tag=str(number))
    index = image_index([oci_image("both", "amd64"), oci_image("both", "arm64")])
    registry.push("shop/both", index, tag="1")
    lost = registry.push("shop/lost", oci_image("lost"), tag="1")
    registry.lose_layer("shop/lost", lost.layers[-1])
    requests = [request(f"shop/web:{number}") for number in range(13)]
    requests += [request("shop/both:1", platform=each) for each in (AMD64, ARM64, None)]
    requests += [
        request("shop/both:1", platform=Platform("windows", "amd64")),
        request("shop/lost:1"),
        request("shop/nowhere:1"),
    ]
    with ExitStack() as stack:

        def backends() -> Iterator[CheckBackend]:
            for concurrency in (1, 2, 40):
                yield InProcessBackend(Ecr(OrdinaryChain()), concurrency)
            yield SubprocessBackend(no_fallback)

        all_of_them = [stack.enter_context(closing(each)) for each in backends()]
        forwards = [check(each, *requests) for each in all_of_them]
        all_of_them = [stack.enter_context(closing(each)) for each in backends()]
        backwards = [check(each, *requests[::-1])[::-1] for each in all_of_them]
    assert [each.code for each in forwards[0]] == [
        *[Code.AVAILABLE] * 12,
        Code.IMAGE_NOT_FOUND,
        *[Code.AVAILABLE] * 3,
        Code.PLATFORM_MISSING,
        Code.LAYER_MISSING,
        Code.REPOSITORY_NOT_FOUND,
    ]
    expected = without_available_layers(forwards[0])
    for each in (*forwards, *backwards):
        assert without_available_layers(each) == expected


def test_many_references_take_few_calls_and_no_digest_is_asked_about_twice(
    aws: SandboxEcr,
) -> None:
    registry = aws.registry("123456789012", "eu-west-1")
    # 60 images under 250 tags, so that many share their layers.
    for number in range(250):
        registry.push("shop/web", oci_image(f"app {number % 60}"), tag=str(number))
    aws.clear_requests()
    requests = [request(f"shop/web:{number}") for number in range(250)]
    # The first call is answered when all the others wait.
    aws.faults.add(Fault(latency=60.0, operation="BatchGetImage", first=1))
    with closing(InProcessBackend(Ecr(OrdinaryChain()))) as backend:
        recorders = start(backend, *requests)
        aws.faults.clear()
        assert {each.verdict.code for each in recorders} == {Code.AVAILABLE}
    images = [each for each in aws.requests if each.operation == "BatchGetImage"]
    layers = [each for each in aws.requests if each.operation == "BatchCheckLayerAvailability"]
    # Two full ones and one of the rest, beside the first one.
    assert len(images) <= 4
    assert all(len(each.image_ids) <= 100 for each in images)
    assert sorted(tag for each in images for tag in each.image_ids) == sorted(
        str(number) for number in range(250)
    )
    digests = [digest for each in layers for digest in each.digests]
    assert len(digests) == len(set(digests))
    assert all(len(each.digests) <= 100 for each in layers)
    # The layers that follow from each answer are gathered: full calls, and one of the rest.
    assert len(layers) <= len(digests) // 100 + len(images)
