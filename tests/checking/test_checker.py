"""Many image uses at a time: one bad image never hides another, and all are counted."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import pytest
from layerguard.checking.backend import CheckListener, CheckRequest, Counters
from layerguard.checking.checker import Checker
from layerguard.checking.limits import Limits
from layerguard.enforcement.finding import Finding
from layerguard.identity import ORDINARY, Identity
from layerguard.platform import Platform
from layerguard.reference import ImageId, ImageReference, Repository
from layerguard.registry import ImageAnswer, RegistryError
from layerguard.registry.threads import on_a_thread
from layerguard.verdict import Code, Verdict

from tests.fakes import HOST, FakeRegistry, manifest, reference, use

TEAM = Identity(profile="team")


def codes(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.verdict.code.text for finding in findings]


def test_uses_are_judged_in_their_order_each_on_its_own() -> None:
    registry = FakeRegistry()
    registry.put(manifest("a"), "1")
    registry.put(manifest("lost"), "2")
    registry.lose("lost")
    pending = Verdict(Code.UNKNOWN_IN_PREVIEW, "Later.")
    uses = [use("shop/web:2"), use(pending), use("shop/web:1"), use("shop/web:3")]
    assert codes(Checker.asking(registry).judge(uses)) == [
        "layer-missing",
        "unknown-in-preview",
        "available",
        "image-not-found",
    ]


def test_an_image_that_many_use_is_asked_about_once() -> None:
    registry = FakeRegistry()
    registry.put(manifest("a", "b"), "1")
    checker = Checker.asking(registry)
    checker.start([use()] * 5)
    checker.judge([use()] * 5)
    checker.judge([use(platform=Platform("linux", "arm64"))])
    assert registry.calls == 2
    assert len({question for _, question in registry.questions}) == len(registry.questions) == 4


def test_layers_that_images_share_are_asked_about_once() -> None:
    registry = FakeRegistry()
    for tag in range(20):
        registry.put(manifest("base", f"app {tag}"), str(tag))
    Checker.asking(registry).judge([use(f"shop/web:{tag}") for tag in range(20)])
    questions = [question for _, question in registry.questions]
    assert len(questions) == len(set(questions)) == 20 + 20 + 2


@pytest.mark.parametrize("workers", [1, 2, 40])
def test_verdicts_do_not_depend_on_the_number_of_workers_or_the_order(workers: int) -> None:
    registry = FakeRegistry()
    for tag in range(12):
        registry.put(manifest("base", f"app {tag}"), str(tag))
    registry.lose("app 3")
    uses = [use(f"shop/web:{tag}") for tag in range(13)]
    expected = ["available"] * 3 + ["layer-missing"] + ["available"] * 8 + ["image-not-found"]
    assert codes(Checker.asking(registry, workers).judge(uses)) == expected
    assert codes(Checker.asking(registry, workers).judge(uses[::-1])) == expected[::-1]


def test_a_bug_is_a_verdict_that_names_itself_as_one() -> None:
    registry = FakeRegistry()
    registry.failure = ZeroDivisionError("oh")
    (finding,) = Checker.asking(registry).judge([use()])
    assert finding.message == (
        f"internal-error: path: {HOST}/shop/web:1\n"
        "  This is a bug of Layerguard: ZeroDivisionError: oh\n"
        "  next step: please report this text to the maintainers of Layerguard."
    )


def test_the_headline_names_code_path_container_and_the_reference_as_written() -> None:
    written = ImageReference.parse(f"docker://{HOST.upper()}/shop/web:9")
    assert written is not None
    verdict = Verdict(Code.IMAGE_NOT_FOUND, "No.")
    assert Finding(use(written, container="web"), verdict).headline == (
        f'image-not-found: path (container "web"): docker://{HOST.upper()}/shop/web:9'
    )
    assert Finding(use(verdict), verdict).headline == "image-not-found: path"


def test_the_summary_counts_uses_images_layers_states_calls_and_seconds() -> None:
    registry = FakeRegistry()
    registry.put(manifest("a", "b"), "1")
    checker = Checker.asking(registry, clock=lambda: registry.calls / 2)  # half a second a call
    checker.judge([use("shop/web:1")])  # so that no question goes with another by chance
    findings = checker.judge(
        [
            use("shop/web:1"),
            use("shop/web:1"),
            use("shop/web:2"),
            use(Verdict(Code.UNKNOWN_IN_PREVIEW, "")),
            use(Verdict(Code.DOCUMENT_UNREADABLE, "")),
            use(Verdict(Code.NOT_PRIVATE_ECR, "")),
        ]
    )
    assert str(checker.summary(findings)) == (
        "layerguard: 5 image uses, 2 images, 3 layers checked, 1 unavailable, 1 undetermined, "
        "1 pending; 3 calls to ECR in 1.5 s"
    )


def test_what_is_forgotten_is_asked_again_and_the_rest_is_not() -> None:
    registry = FakeRegistry()
    registry.put(manifest("a"), "1")
    registry.lose("a")
    checker = Checker.asking(registry)
    assert codes(checker.judge([use(), use("shop/other:1")])) == ["layer-missing"] * 2
    asked = len(registry.questions)
    registry.layer_answers.clear()
    checker.forget(use())
    checker.forget(use(Verdict(Code.UNKNOWN_IN_PREVIEW, "Later.")))
    assert codes(checker.judge([use(), use("shop/other:1")])) == ["available", "layer-missing"]
    again = registry.questions[asked:]
    assert {repository.name for repository, _ in again} == {"shop/web"}


class Hanging(FakeRegistry):
    """Never answers about one repository until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = threading.Event()

    async def images(
        self, repository: Repository, ids: Sequence[ImageId]
    ) -> Mapping[ImageId, ImageAnswer | RegistryError]:
        if repository.name == "shop/hangs":
            await on_a_thread(lambda: self.let_go.wait(30))
        return await super().images(repository, ids)


def test_a_question_that_hangs_is_timed_out_and_its_neighbour_is_judged_alone() -> None:
    registry = Hanging()
    registry.put(manifest("a"), "1")
    checker = Checker.asking(registry)
    checker.limit(Limits(image=0.2))
    findings = checker.judge([use("shop/hangs:1"), use("shop/web:1")])
    assert codes(findings) == ["timed-out", "available"]
    assert findings[0].verdict.reason == (
        "There was no answer within 0.2 s for one image or 300 s for the whole run."
    )
    registry.let_go.set()
    # It stays so: the preview's gate and its notice say the same.
    assert codes(checker.judge([use("shop/hangs:1")])) == ["timed-out"]


def test_the_whole_run_ends_although_all_that_it_asks_hangs() -> None:
    registry = Hanging()
    checker = Checker.asking(registry)
    checker.limit(Limits(image=10.0, total=0.3, workers=1))
    uses = [use(f"shop/hangs:{tag}") for tag in range(20)]
    assert codes(checker.judge(uses)) == ["timed-out"] * 20
    registry.let_go.set()


class Clock:
    def __init__(self) -> None:
        self.now = 0.0
        self.naps: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds


def test_what_may_still_come_is_asked_about_again() -> None:
    registry, clock = FakeRegistry(), Clock()

    async def sleep(seconds: float) -> None:
        await clock.sleep(seconds)
        if clock.now >= 7:
            registry.put(manifest("a"), "1")

    checker = Checker.asking(registry, clock=clock, sleep=sleep)
    checker.limit(Limits(absent=20.0))
    assert codes(checker.judge([use()])) == ["available"]
    assert clock.naps == [1.0, 2.0, 4.0]


def test_the_message_says_how_long_it_waited_in_vain() -> None:
    registry, clock = FakeRegistry(), Clock()
    checker = Checker.asking(registry, clock=clock, sleep=clock.sleep)
    checker.limit(Limits(absent=20.0))
    (finding,) = checker.judge([use()])
    assert finding.verdict.code is Code.IMAGE_NOT_FOUND
    assert finding.verdict.reason.endswith("It did not come within 20 s either.")
    assert sum(clock.naps) == 20.0


def test_without_a_wait_nothing_is_asked_twice() -> None:
    registry, clock = FakeRegistry(), Clock()
    checker = Checker.asking(registry, clock=clock, sleep=clock.sleep)
    checker.judge([use()])
    assert (registry.calls, clock.naps) == (1, [])


def test_each_identity_asks_for_itself() -> None:
    everybody, team = FakeRegistry(), FakeRegistry()
    team.put(manifest("a"), "1")
    everybody.others[TEAM] = team
    checker = Checker.asking(everybody)
    uses = [replace(use(), identity=TEAM), use()]
    assert codes(checker.judge(uses)) == ["available", "image-not-found"]
    assert (everybody.calls, team.calls) == (1, 2)


@pytest.mark.parametrize("first", [TEAM, ORDINARY])
def test_a_denied_identity_does_not_poison_the_answers_of_another_whoever_asks_first(
    first: Identity,
) -> None:
    everybody, team = FakeRegistry(), FakeRegistry()
    everybody.put(manifest("a"), "1")
    team.image_answers[ImageId("1", None)] = RegistryError(Code.ACCESS_DENIED, "Denied.")
    everybody.others[TEAM] = team
    checker = Checker.asking(everybody)
    second = ORDINARY if first == TEAM else TEAM
    said = {
        identity: codes(checker.judge([replace(use(), identity=identity)]))
        for identity in (first, second, first)
    }
    assert said == {ORDINARY: ["available"], TEAM: ["access-denied"]}
    assert (everybody.calls, team.calls) == (2, 1)


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
def test_what_a_pull_through_cache_lacks_is_not_missing(
    prefixes: tuple[str, ...], known: tuple[str, ...], expected: str
) -> None:
    registry = FakeRegistry()
    registry.prefixes = prefixes
    checker = Checker.asking(registry)
    checker.limit(Limits(), known)
    (finding,) = checker.judge([use()])
    assert finding.verdict.code.text == expected
    assert ("pull-through cache" in finding.verdict.reason) is (expected == "cache-not-filled")


def test_a_layer_that_a_cache_lacks_is_not_missing_and_nobody_asks_without_need() -> None:
    registry = FakeRegistry()
    registry.prefixes = ("shop",)
    registry.put(manifest("a"), "1")
    checker = Checker.asking(registry)
    assert codes(checker.judge([use()])) == ["available"]
    assert registry.cache_questions == []
    registry.put(manifest("lost"), "2")
    registry.lose("lost")
    assert codes(checker.judge([use("shop/web:2")])) == ["cache-not-filled"]


class Unhurried:
    """A backend that finds out only what somebody waits for."""

    def __init__(self) -> None:
        self.listeners: dict[CheckRequest, CheckListener] = {}
        self.prioritised: list[CheckRequest] = []

    def limit(self, limits: Limits, cache_prefixes: Collection[str]) -> None:
        """Take any time."""

    def start(self, subject: CheckRequest, listener: CheckListener) -> None:
        self.listeners[subject] = listener

    def prioritise(self, subject: CheckRequest) -> None:
        self.prioritised.append(subject)
        self.listeners[subject].ended(Verdict(Code.AVAILABLE, ""), Counters())

    def forget(self, repository: Repository) -> None:
        """Know nothing anyway."""

    def close(self) -> None:
        """Have nothing open."""


def test_what_is_waited_for_is_hurried_and_what_is_known_or_only_started_is_not() -> None:
    backend = Unhurried()
    checker = Checker(backend)
    checker.start([use("shop/web:1"), use("shop/web:2")])
    assert backend.prioritised == []
    for _ in range(2):
        assert codes(checker.judge([use("shop/web:2")])) == ["available"]
    assert backend.prioritised == [CheckRequest(ORDINARY, reference("shop/web:2"), None)]


def test_judgements_come_as_they_are_known() -> None:
    registry = Hanging()
    registry.put(manifest("a"), "1")
    each = Checker.asking(registry).check_each([use("shop/hangs:1"), use("shop/web:1")])
    assert next(each).use.text == f"{HOST}/shop/web:1"
    registry.let_go.set()
    assert [finding.use.text for finding in each] == [f"{HOST}/shop/hangs:1"]
