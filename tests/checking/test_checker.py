"""The checker: a verdict for every use, in order and within the limits, each image checked once."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layerguard.checking.backend import CheckListener, CheckRequest, Counters
from layerguard.checking.checker import Checker
from layerguard.checking.limits import EXPLANATION_SECONDS, Limits
from layerguard.discovery import ImageUse
from layerguard.identity import ORDINARY, Identity
from layerguard.platform import Platform
from layerguard.reference import ImageId, Repository
from layerguard.registry import RegistryError
from layerguard.verdict import Code, Verdict

from tests.checking.recording import Clock, request
from tests.fakes import HOST, FakeRegistry, HeldRegistry, manifest, reference, use, without_place
from tests.processes import PATIENCE

TEAM = Identity(profile="team")
AVAILABLE = Verdict(Code.AVAILABLE, "Every layer is in ECR.")
NO_COUNTERS = Counters()
MISSING = Verdict(Code.IMAGE_NOT_FOUND, "It is not there.", "push it.")


@contextmanager
def checking(registry: FakeRegistry, concurrency: int = 100) -> Iterator[Checker]:
    with closing(Checker.in_process(registry, concurrency)) as checker:
        yield checker


def codes(verdicts: Sequence[Verdict]) -> list[str]:
    return [verdict.code.text for verdict in verdicts]


# With a registry behind it.


def test_verdicts_come_in_the_order_of_the_uses() -> None:
    registry = FakeRegistry()
    registry.put(manifest("a"), "1")
    registry.put(manifest("lost"), "2")
    registry.lose("lost")
    pending = Verdict(Code.UNKNOWN_IN_PREVIEW, "Later.")
    with checking(registry) as checker:
        verdicts = checker.check(
            [use("shop/web:2"), use(pending), use("shop/web:1"), use("shop/web:3")]
        )
    assert codes(verdicts) == [
        "layer-missing",
        "unknown-in-preview",
        "available",
        "image-not-found",
    ]
    assert verdicts[1] is pending


def test_an_image_with_many_uses_is_asked_about_once() -> None:
    registry = FakeRegistry()
    registry.put(manifest("a", "b"), "1")
    with checking(registry) as checker:
        checker.start([use()] * 5)
        checker.check([use()] * 5)
        checker.check([use(platform=Platform("linux", "arm64"))])
    assert registry.calls == 2
    assert len({question for _, question in registry.questions}) == len(registry.questions) == 4


def test_the_summary_counts_uses_images_layers_states_calls_and_seconds() -> None:
    registry = FakeRegistry()
    registry.put(manifest("a", "b"), "1")
    # Half a second for every call.
    checker = Checker.in_process(registry, clock=lambda: registry.calls / 2)
    with closing(checker):
        checker.check([use("shop/web:1")])  # alone, so that the number of calls is certain
        verdicts = checker.check(
            [
                use("shop/web:1"),
                use("shop/web:1"),
                use("shop/web:2"),
                use(Verdict(Code.UNKNOWN_IN_PREVIEW, "")),
                use(Verdict(Code.DOCUMENT_UNREADABLE, "")),
                use(Verdict(Code.NOT_PRIVATE_ECR, "")),
            ]
        )
        assert str(checker.summary(verdicts)) == (
            "layerguard: 5 image uses, 2 images, 3 layers checked, 1 unavailable, 1 undetermined, "
            "1 pending; 3 calls to ECR in 1.5 s"
        )


def test_images_that_are_forgotten_are_asked_about_again_and_others_are_not() -> None:
    registry = FakeRegistry()
    registry.put(manifest("a"), "1")
    registry.lose("a")
    with checking(registry) as checker:
        uses = [use(), use("shop/other:1")]
        assert codes(checker.check(uses)) == ["layer-missing"] * 2
        asked = len(registry.questions)
        registry.layer_answers.clear()
        checker.forget(use())
        checker.forget(use(Verdict(Code.UNKNOWN_IN_PREVIEW, "Later.")))
        verdicts = checker.check(uses)
        assert codes(verdicts) == ["available", "layer-missing"]
        assert checker.summary(verdicts).images == 2
    assert {repository.name for repository, _ in registry.questions[asked:]} == {"shop/web"}


@pytest.mark.parametrize("first", [TEAM, ORDINARY])
def test_a_denied_identity_does_not_change_the_verdicts_of_another(first: Identity) -> None:
    ordinary, team = FakeRegistry(), FakeRegistry()
    ordinary.put(manifest("a"), "1")
    team.image_answers[ImageId("1", None)] = RegistryError(Code.ACCESS_DENIED, "Denied.")
    ordinary.others[TEAM] = team
    second = ORDINARY if first == TEAM else TEAM
    with checking(ordinary) as checker:
        found = {
            identity: codes(checker.check([replace(use(), identity=identity)]))
            for identity in (first, second, first)
        }
    assert found == {ORDINARY: ["available"], TEAM: ["access-denied"]}
    assert (ordinary.calls, team.calls) == (2, 1)


@pytest.mark.parametrize(
    ("prefixes", "known", "expected"),
    [
        (("shop",), (), "cache-not-filled"),
        (("ROOT",), (), "cache-not-filled"),
        ((), ("shop",), "cache-not-filled"),
        (("sho", "shop/web", "other"), (), "image-not-found"),
        ((), (), "image-not-found"),
    ],
)
def test_an_image_that_a_pull_through_cache_lacks_is_not_missing(
    prefixes: tuple[str, ...], known: tuple[str, ...], expected: str
) -> None:
    registry = FakeRegistry()
    registry.prefixes = prefixes
    with checking(registry) as checker:
        checker.limit(Limits(), known)
        (verdict,) = checker.check([use()])
    assert verdict.code.text == expected
    assert ("pull-through cache" in verdict.reason) is (expected == "cache-not-filled")


def test_a_layer_that_a_cache_lacks_is_not_missing_and_available_images_ask_for_no_caches() -> None:
    registry = FakeRegistry()
    registry.prefixes = ("shop",)
    registry.put(manifest("a"), "1")
    with checking(registry) as checker:
        assert codes(checker.check([use()])) == ["available"]
        assert registry.calls_made == ["images", "layers"]
        registry.put(manifest("lost"), "2")
        registry.lose("lost")
        assert codes(checker.check([use("shop/web:2")])) == ["cache-not-filled"]


def test_verdicts_are_yielded_as_they_are_known() -> None:
    registry = HeldRegistry("shop/hangs")
    registry.put(manifest("a"), "1")
    pending = Verdict(Code.UNKNOWN_IN_PREVIEW, "Later.")
    uses = [use("shop/hangs:1"), use("shop/web:1"), use(pending), use("shop/web:1")]
    with checking(registry) as checker:
        each = checker.check_each(uses)
        assert next(each)[1] is pending
        first = [next(each), next(each)]
        assert [(use.text, verdict.code.text) for use, verdict in first] == [
            (f"{HOST}/shop/web:1", "available")
        ] * 2
        registry.let_go.set()
        assert [(use.text, verdict.code.text) for use, verdict in each] == [
            (f"{HOST}/shop/hangs:1", "available")
        ]


def test_an_image_that_was_timed_out_stays_so_for_the_whole_run() -> None:
    registry = HeldRegistry("shop/hangs")
    registry.put(manifest("a"), "1")
    with checking(registry) as checker:
        checker.limit(Limits(image=0.2))
        uses = [use("shop/hangs:1"), use("shop/web:1")]
        assert codes(checker.check(uses)) == ["timed-out", "available"]
        registry.let_go.set()
        assert codes(checker.check(uses)) == ["timed-out", "available"]


def test_many_threads_get_the_same_verdicts_at_the_same_time() -> None:
    registry = FakeRegistry()
    for tag in range(0, 40, 2):
        registry.put(manifest("base", f"app {tag}"), str(tag))
    uses = [use(f"shop/web:{tag}") for tag in range(40)]
    found: list[list[str]] = []
    with checking(registry) as checker:
        checker.prefetch(request(f"shop/web:{tag}") for tag in range(0, 40, 3))

        def check(shift: int) -> None:
            verdicts = checker.check([*uses[shift:], *uses[:shift]])
            found.append(codes([*verdicts[40 - shift :], *verdicts[: 40 - shift]]))

        threads = [threading.Thread(target=check, args=(shift,)) for shift in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
    assert found == [["available", "image-not-found"] * 20] * 8


# With a backend that decides when the test says so.


class ManualBackend:
    """Records what it is given; checks are decided by the test, or when they are prioritised."""

    def __init__(self, when_prioritised: Verdict | None = None) -> None:
        self.listeners: dict[CheckRequest, CheckListener] = {}
        self.started: list[CheckRequest] = []
        self.prioritised: list[CheckRequest] = []
        self.forgotten: list[Repository] = []
        self._when_prioritised = when_prioritised

    def limit(self, limits: Limits, cache_prefixes: Collection[str]) -> None:
        pass

    def start(self, request: CheckRequest, listener: CheckListener) -> None:
        self.started.append(request)
        self.listeners[request] = listener

    def prioritise(self, request: CheckRequest) -> None:
        self.prioritised.append(request)
        if self._when_prioritised:
            self.decide(request, self._when_prioritised)

    def forget(self, repository: Repository) -> None:
        self.forgotten.append(repository)

    def close(self) -> None:
        pass

    def decide(
        self,
        request: CheckRequest,
        verdict: Verdict = AVAILABLE,
        counters: Counters = NO_COUNTERS,
        *,
        explaining: bool = False,
    ) -> None:
        self.listeners[request].decided(verdict, counters, explaining=explaining)


def test_a_check_is_prioritised_when_its_verdict_is_waited_for_and_not_known_yet() -> None:
    backend = ManualBackend(AVAILABLE)
    checker = Checker(backend)
    checker.start([use("shop/web:1"), use("shop/web:2")])
    assert backend.prioritised == []
    for _ in range(2):
        assert codes(checker.check([use("shop/web:2")])) == ["available"]
    assert backend.prioritised == [request("shop/web:2")]


class BrokenBackend(ManualBackend):
    def start(self, request: CheckRequest, listener: CheckListener) -> None:
        if request.reference.repository.name == "shop/broken":
            raise ZeroDivisionError("oh")
        super().start(request, listener)

    def prioritise(self, request: CheckRequest) -> None:
        super().prioritise(request)
        raise ZeroDivisionError("oh")


def test_a_backend_that_cannot_start_a_check_is_a_bug_of_that_image_alone() -> None:
    checker = Checker(BrokenBackend(AVAILABLE))
    broken, available = checker.check([use("shop/broken:1"), use()])
    assert broken.code is Code.INTERNAL_ERROR
    assert without_place(broken.reason) == (
        "This is a bug of Layerguard 0.1.0, in starting a check: ZeroDivisionError: oh"
    )
    assert available == AVAILABLE


def test_a_second_verdict_on_the_same_check_changes_nothing() -> None:
    backend = ManualBackend()
    checker = Checker(backend)
    checker.start([use()])
    backend.decide(request(), MISSING)
    backend.decide(request(), AVAILABLE)
    assert checker.check([use()]) == (MISSING,)


def test_counters_never_go_back_where_a_backend_took_over_from_another() -> None:
    backend = ManualBackend()
    checker = Checker(backend)
    uses = [use("shop/web:1"), use("shop/web:2")]
    checker.start(uses)
    backend.decide(request("shop/web:1"), counters=Counters(7, frozenset({"https://one"})))
    backend.decide(request("shop/web:2"), counters=Counters(2, frozenset({"https://two"})))
    assert checker.summary(checker.check(uses)).calls == 7
    assert checker.foreign_endpoints == {"https://one", "https://two"}


# Explanations.


def test_an_explanation_that_came_in_time_is_in_the_verdict() -> None:
    backend = ManualBackend()
    checker = Checker(backend)
    checker.start([use()])
    backend.decide(request(), MISSING, explaining=True)
    better = replace(MISSING, reason="It is not there. The nearest tag is 2.")
    backend.listeners[request()].explained(better)
    assert checker.check([use()]) == (better,)
    assert list(checker.check_each([use()])) == [(use(), better)]


@pytest.mark.parametrize("code", [Code.AVAILABLE, Code.ACCESS_DENIED], ids=str)
def test_an_explanation_of_another_code_changes_nothing(code: Code) -> None:
    backend = ManualBackend()
    checker = Checker(backend)
    checker.start([use()])
    backend.decide(request(), MISSING, explaining=True)
    backend.listeners[request()].explained(Verdict(code, "All is well."))
    assert checker.check([use()]) == (MISSING,)


@pytest.mark.parametrize("count", [1, 20])
def test_explanations_that_do_not_come_are_waited_for_in_one_budget_of_the_run(count: int) -> None:
    backend = ManualBackend()
    checker = Checker(backend)
    uses = [use(f"shop/web:{tag}") for tag in range(count)]
    checker.start(uses)
    for tag in range(count):
        backend.decide(request(f"shop/web:{tag}"), MISSING, explaining=True)
    began = time.monotonic()
    assert checker.check(uses) == (MISSING,) * count
    assert EXPLANATION_SECONDS * 0.9 < time.monotonic() - began < EXPLANATION_SECONDS * 3
    began = time.monotonic()
    assert checker.check(uses) == (MISSING,) * count
    assert dict(checker.check_each(uses)) == dict.fromkeys(uses, MISSING)
    assert time.monotonic() - began < EXPLANATION_SECONDS * 0.9


# The time of the run.


def test_the_run_is_over_although_every_check_hangs() -> None:
    checker = Checker(ManualBackend())
    checker.limit(Limits(image=10.0, total=0.3))
    uses = [use(f"shop/web:{tag}") for tag in range(20)]
    for verdicts in (checker.check(uses), [verdict for _, verdict in checker.check_each(uses)]):
        assert {(each.code, each.reason) for each in verdicts} == {
            (
                Code.TIMED_OUT,
                "The time of the whole run, 0.3 s in which checks are under way (option "
                "totalTimeoutSeconds), is used up.",
            )
        }


def test_known_verdicts_are_given_although_the_time_of_the_run_is_used_up() -> None:
    backend, clock = ManualBackend(), Clock()
    checker = Checker(backend, clock)
    uses = [use("shop/web:1"), use("shop/web:2")]
    checker.start(uses)
    backend.decide(request("shop/web:2"))
    clock.now = 1_000.0
    assert codes(checker.check(uses)) == ["timed-out", "available"]
    assert {use.text: verdict.code.text for use, verdict in checker.check_each(uses)} == {
        f"{HOST}/shop/web:1": "timed-out",
        f"{HOST}/shop/web:2": "available",
    }


def test_time_without_a_check_under_way_does_not_count_for_the_run() -> None:
    backend, clock = ManualBackend(), Clock()
    checker = Checker(backend, clock)
    checker.limit(Limits(total=100.0))
    for tag in range(50):
        checker.start([use(f"shop/web:{tag}")])
        clock.now += 1.0  # 50 s in all
        backend.decide(request(f"shop/web:{tag}"))
        clock.now += 1_000.0  # a resource is created
    checker.start([use("shop/web:last")])
    clock.now += 49.0
    backend.decide(request("shop/web:last"))
    assert codes(checker.check([use("shop/web:last")])) == ["available"]
    checker.start([use("shop/web:too-late")])
    clock.now += 2.0
    assert codes(checker.check([use("shop/web:too-late")])) == ["timed-out"]


def test_time_in_which_many_checks_are_under_way_counts_once() -> None:
    backend, clock = ManualBackend(), Clock()
    checker = Checker(backend, clock)
    checker.limit(Limits(total=100.0))
    uses = [use(f"shop/web:{tag}") for tag in range(50)]
    checker.start(uses)
    clock.now += 90.0
    for each in backend.started:
        backend.decide(each)
    checker.start([use("shop/web:last")])
    clock.now += 9.0
    backend.decide(request("shop/web:last"))
    assert set(codes(checker.check([*uses, use("shop/web:last")]))) == {"available"}


def test_the_time_for_absent_images_is_on_top() -> None:
    backend, clock = ManualBackend(), Clock()
    checker = Checker(backend, clock)
    checker.limit(Limits(total=100.0, absent=50.0))
    checker.start([use()])
    clock.now += 149.0
    backend.decide(request())
    assert codes(checker.check([use()])) == ["available"]
    checker.start([use("shop/web:2")])
    clock.now += 2.0
    assert codes(checker.check([use("shop/web:2")])) == ["timed-out"]


# Prefetched checks.


def test_an_available_image_that_was_prefetched_is_not_checked_again() -> None:
    backend = ManualBackend()
    checker = Checker(backend)
    checker.prefetch([request()])
    backend.decide(request())
    assert checker.check([use()]) == (AVAILABLE,)
    assert (backend.started, backend.forgotten) == ([request()], [])


@pytest.mark.parametrize(
    "code", [code for code in Code if code is not Code.AVAILABLE], ids=lambda code: code.text
)
def test_of_a_prefetch_nothing_is_taken_but_that_the_image_is_available(code: Code) -> None:
    backend = ManualBackend(AVAILABLE)
    checker = Checker(backend)
    checker.prefetch([request()])
    backend.decide(request(), Verdict(code, "It was so."))
    assert checker.check([use()]) == (AVAILABLE,)
    assert backend.started == [request()] * 2
    assert backend.forgotten == [reference().repository]
    # Only once: the second check is no prefetch.
    assert checker.check([use()]) == (AVAILABLE,)
    assert backend.started == [request()] * 2


def test_a_prefetch_that_nothing_needs_takes_no_time_from_the_run() -> None:
    backend, clock = ManualBackend(), Clock()
    checker = Checker(backend, clock)
    checker.prefetch([request(f"shop/hangs:{tag}") for tag in range(10)])
    clock.now += 1_000.0
    checker.start([use()])
    backend.decide(request())
    assert checker.check([use()]) == (AVAILABLE,)
    assert checker.summary([AVAILABLE]).images == 1


def test_what_was_only_prefetched_is_not_in_the_summary() -> None:
    registry = FakeRegistry()
    registry.put(manifest("a", "b"), "1")
    registry.put(manifest("b", "c", "d"), "2")
    with checking(registry) as checker:
        checker.prefetch([request("shop/web:1"), request("shop/web:2")])
        checker.prefetch([request("shop/other:1")])
        verdicts = checker.check([use("shop/web:1"), use("shop/web:1")])
        summary = checker.summary(verdicts)
        assert (summary.image_uses, summary.images, summary.layers) == (2, 1, 3)


def test_a_layer_that_is_asked_about_again_is_counted_once() -> None:
    registry = FakeRegistry()
    registry.put(manifest("a", "b"), "1")
    with checking(registry) as checker:
        checker.check([use()])
        checker.forget(use())
        assert checker.summary(checker.check([use()])).layers == 3


def test_a_layer_in_two_repositories_is_two_layers_of_the_summary() -> None:
    registry = FakeRegistry()
    registry.put(manifest("a", "b"), "1")
    with checking(registry) as checker:
        verdicts = checker.check([use("shop/web:1"), use("shop/api:1")])
        assert checker.summary(verdicts).layers == 6


def test_a_prefetch_that_hangs_is_timed_out_when_its_image_is_needed() -> None:
    checker = Checker(ManualBackend())
    checker.limit(Limits(total=0.1))
    checker.prefetch([request()])
    assert codes(checker.check([use()])) == ["timed-out"]


# In any order.

TAGS = st.integers(0, 4)
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["start", "prefetch", "prioritise", "forget", "decide", "check"]), TAGS
    ),
    max_size=40,
)


@given(EVENTS)
@settings(deadline=None)
def test_in_any_order_of_events_each_use_gets_exactly_one_verdict(
    events: list[tuple[str, int]],
) -> None:
    backend = ManualBackend(AVAILABLE)
    checker = Checker(backend)
    for event, tag in events:
        # Two tags share a repository.
        name = f"shop/{tag // 2}:{tag}"
        match event:
            case "start":
                checker.start([use(name)])
            case "prefetch":
                checker.prefetch([request(name)])
            case "prioritise" if request(name) in backend.listeners:
                backend.prioritise(request(name))
            case "forget":
                checker.forget(use(name))
            case "decide" if request(name) in backend.listeners:
                backend.decide(request(name), MISSING)
            case "check":
                assert checker.check([use(name)] * 2)[0] in (AVAILABLE, MISSING)
    uses: list[ImageUse] = [use(f"shop/{tag // 2}:{tag}") for tag in range(5)] * 2
    verdicts = checker.check(uses)
    assert len(verdicts) == len(uses)
    assert verdicts[:5] == verdicts[5:]
    each = list(checker.check_each(uses))
    assert sorted(map(repr, each)) == sorted(map(repr, zip(uses, verdicts, strict=True)))


def test_check_each_costs_the_same_for_every_one_of_many_images() -> None:
    backend = ManualBackend()
    checker = Checker(backend)
    uses = [use(f"shop/web:{tag}") for tag in range(5_000)]
    checker.start(uses)
    for each in backend.started:
        backend.decide(each)
    began = time.monotonic()
    assert len(list(checker.check_each(uses))) == len(uses)
    assert time.monotonic() - began < 20
