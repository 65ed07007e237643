"""The backend: a verdict for every subject, whoever asks, in whatever order."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing

import pytest
from layerguard.checking.backend import CheckBackend, CheckRequest, Counters
from layerguard.checking.in_process_backend import InProcessBackend
from layerguard.checking.limits import Limits
from layerguard.checking.subprocess_backend import SubprocessBackend
from layerguard.identity import ORDINARY, Identity
from layerguard.platform import Platform
from layerguard.reference import ImageId, Repository
from layerguard.registry import ImageAnswer, RegistryError
from layerguard.registry.clients import OrdinaryChain
from layerguard.registry.ecr import Ecr
from layerguard.registry.threads import on_a_thread
from layerguard.verdict import Code, Verdict
from layerguard_sandbox.ecr import Fault, SandboxEcr, image_index, oci_image

from tests.checking.listening import Heard, without_what_is_there
from tests.fakes import FakeRegistry, manifest, reference

AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")
TEAM = Identity(profile="team")


def subject(
    rest: str = "shop/web:1", identity: Identity = ORDINARY, platform: Platform | None = None
) -> CheckRequest:
    return CheckRequest(identity, reference(rest), platform)


def start(backend: CheckBackend, *subjects: CheckRequest) -> list[Heard]:
    heard = [Heard() for _ in subjects]
    for each, listener in zip(subjects, heard, strict=True):
        backend.start(each, listener)
    return heard


def inspect(backend: CheckBackend, *subjects: CheckRequest) -> list[Verdict]:
    return [each.verdict for each in start(backend, *subjects)]


def test_each_subject_has_a_verdict_and_the_last_one_tells_of_all_the_effort() -> None:
    registry = FakeRegistry()
    registry.put(manifest("a", "b"), "1")
    with closing(InProcessBackend(registry)) as backend:
        (first,) = start(backend, subject())
        assert (first.verdict.code, first.efforts) == (Code.AVAILABLE, [Counters(3, 2)])
        (second,) = start(backend, subject("shop/web:absent"))
        assert (second.verdict.code, second.efforts) == (Code.IMAGE_NOT_FOUND, [Counters(3, 3)])
        # Whoever asks the same again costs nothing.
        (third,) = start(backend, subject())
        assert (third.verdict, third.efforts) == (first.verdict, [Counters(3, 3)])
        assert first.began >= 1


def test_a_bug_is_the_verdict_of_one_image_and_hides_no_other() -> None:
    class Broken(FakeRegistry):
        async def images(
            self, repository: Repository, ids: Sequence[ImageId]
        ) -> Mapping[ImageId, ImageAnswer | RegistryError]:
            if repository.name == "shop/broken":
                raise ZeroDivisionError("oh")
            return await super().images(repository, ids)

    registry = Broken()
    registry.put(manifest("a"), "1")
    with closing(InProcessBackend(registry)) as backend:
        verdicts = inspect(backend, subject("shop/broken:1"), subject())
    assert [each.code for each in verdicts] == [Code.INTERNAL_ERROR, Code.AVAILABLE]
    assert verdicts[0].reason == "This is a bug of Layerguard: ZeroDivisionError: oh"


def test_each_identity_asks_for_itself() -> None:
    everybody, team = FakeRegistry(), FakeRegistry()
    everybody.put(manifest("a"), "1")
    team.image_answers[ImageId("1", None)] = RegistryError(Code.ACCESS_DENIED, "Denied.")
    everybody.others[TEAM] = team
    with closing(InProcessBackend(everybody)) as backend:
        verdicts = inspect(backend, subject(), subject(identity=TEAM), subject())
    assert [each.code for each in verdicts] == [Code.AVAILABLE, Code.ACCESS_DENIED, Code.AVAILABLE]
    assert (everybody.calls, team.calls) == (2, 1)


class Naps:
    """A clock that only sleeping moves, and what comes while one sleeps."""

    def __init__(self, registry: FakeRegistry, comes_at: float = float("inf")) -> None:
        self.now = 0.0
        self.taken: list[float] = []
        self._registry, self._comes_at = registry, comes_at

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.taken.append(seconds)
        self.now += seconds
        if self.now >= self._comes_at:
            self._registry.put(manifest("a"), "1")


def test_what_may_still_come_is_asked_about_again_with_longer_pauses_up_to_ten_seconds() -> None:
    registry = FakeRegistry()
    naps = Naps(registry)
    with closing(InProcessBackend(registry, 2, naps.clock, naps.sleep)) as backend:
        backend.limit(Limits(absent=40.0), ())
        (verdict,) = inspect(backend, subject())
    assert naps.taken == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0, 5.0]
    assert verdict.code is Code.IMAGE_NOT_FOUND
    assert verdict.reason.endswith("It did not come within 40 s either.")


def test_what_comes_while_it_waits_is_judged_as_it_came() -> None:
    registry = FakeRegistry()
    naps = Naps(registry, comes_at=3.0)
    with closing(InProcessBackend(registry, 2, naps.clock, naps.sleep)) as backend:
        backend.limit(Limits(absent=40.0), ())
        (verdict,) = inspect(backend, subject())
    assert (verdict.code, naps.taken) == (Code.AVAILABLE, [1.0, 2.0])


@pytest.mark.parametrize("absent", [0.0, 40.0])
def test_nobody_waits_for_what_will_not_come(absent: float) -> None:
    registry = FakeRegistry()
    registry.image_answers[ImageId("1", None)] = RegistryError(Code.ACCESS_DENIED, "Denied.")
    naps = Naps(registry)
    with closing(InProcessBackend(registry, 2, naps.clock, naps.sleep)) as backend:
        backend.limit(Limits(absent=absent), ())
        (denied,) = inspect(backend, subject())
        assert (denied.code, naps.taken) == (Code.ACCESS_DENIED, [])


class Slow(FakeRegistry):
    """Answers nothing about images until it may go on."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go_on = threading.Event(), threading.Event()

    async def images(
        self, repository: Repository, ids: Sequence[ImageId]
    ) -> Mapping[ImageId, ImageAnswer | RegistryError]:
        self.begun.set()
        assert await on_a_thread(lambda: self.go_on.wait(20))
        return await super().images(repository, ids)


def test_what_began_goes_on_with_the_limits_that_it_had() -> None:
    registry = Slow()
    naps = Naps(registry)
    with closing(InProcessBackend(registry, 2, naps.clock, naps.sleep)) as backend:
        (before,) = start(backend, subject())
        backend.limit(Limits(absent=1.0), ())
        (after,) = start(backend, subject("shop/other:1"))
        registry.go_on.set()
        assert "either" not in before.verdict.reason
        assert after.verdict.reason.endswith("It did not come within 1 s either.")


def test_what_somebody_waits_for_is_asked_about_before_all_others() -> None:
    registry = Slow()
    with closing(InProcessBackend(registry, workers=1)) as backend:
        first = start(backend, subject("shop/first:1"))
        assert registry.begun.wait(20)
        others = start(backend, *(subject(f"shop/{name}:1") for name in ("b", "c", "d")))
        backend.prioritise(subject("shop/d:1"))
        backend.prioritise(subject("shop/nobody-asked:1"))
        registry.go_on.set()
        assert {each.verdict.code for each in first + others} == {Code.IMAGE_NOT_FOUND}
    assert [repository.name for repository, _ in registry.questions] == [
        "shop/first",
        "shop/d",
        "shop/b",
        "shop/c",
    ]


def test_what_follows_from_a_question_that_was_hurried_is_hurried_too() -> None:
    registry = Slow()
    for name in ("first", "b", "c"):
        registry.put(manifest(name), name)
    with closing(InProcessBackend(registry, workers=1)) as backend:
        (first,) = start(backend, subject("shop/first:first"))
        assert registry.begun.wait(20)
        others = start(backend, subject("shop/b:b"), subject("shop/c:c"))
        backend.prioritise(subject("shop/c:c"))
        registry.go_on.set()
        assert {each.verdict.code for each in (first, *others)} == {Code.AVAILABLE}
    asked = list(dict.fromkeys(repository.name for repository, _ in registry.questions))
    assert asked == ["shop/first", "shop/c", "shop/b"]
    # Its layers were asked about at once, those of the first when nothing was in a prioritise any more.
    calls = [repository.name for repository, _ in registry.questions]
    assert calls.index("shop/c") + 3 == calls.index("shop/first", 1)


def test_half_of_an_images_time_is_the_patience_of_its_registry() -> None:
    registry = FakeRegistry()
    with closing(InProcessBackend(registry)) as backend:
        assert registry.patience == 15.0
        backend.limit(Limits(image=8.0), ())
        assert registry.patience == 4.0


def test_what_is_forgotten_is_asked_again_as_every_identity() -> None:
    everybody, team = FakeRegistry(), FakeRegistry()
    everybody.others[TEAM] = team
    both = subject(), subject(identity=TEAM)
    with closing(InProcessBackend(everybody)) as backend:
        inspect(backend, *both)
        for registry in (everybody, team):
            registry.put(manifest("a"), "1")
        backend.forget(reference().repository)
        assert [each.code for each in inspect(backend, *both)] == [Code.AVAILABLE] * 2


@pytest.fixture
def ecr(monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxEcr]:
    with SandboxEcr() as ecr:
        for name, value in ecr.environment.items():
            monkeypatch.setenv(name, value)
        yield ecr


def not_here() -> CheckBackend:
    raise AssertionError("the child does it")


def test_verdicts_depend_neither_on_order_nor_on_workers_nor_on_where_the_work_is_done(
    ecr: SandboxEcr,
) -> None:
    registry = ecr.registry("123456789012", "eu-west-1")
    for number in range(12):
        registry.push("shop/web", oci_image(f"web {number}"), tag=str(number))
    index = image_index([oci_image("both", "amd64"), oci_image("both", "arm64")])
    registry.push("shop/both", index, tag="1")
    lost = registry.push("shop/lost", oci_image("lost"), tag="1")
    registry.lose_layer("shop/lost", lost.layers[-1])
    subjects = [subject(f"shop/web:{number}") for number in range(13)]
    subjects += [subject("shop/both:1", platform=each) for each in (AMD64, ARM64, None)]
    subjects += [
        subject("shop/both:1", platform=Platform("windows", "amd64")),
        subject("shop/lost:1"),
        subject("shop/nowhere:1"),
    ]
    with ExitStack() as stack:

        def investigators() -> Iterator[CheckBackend]:
            for workers in (1, 2, 40):
                yield InProcessBackend(Ecr(OrdinaryChain()), workers)
            yield SubprocessBackend(not_here)

        all_of_them = [stack.enter_context(closing(each)) for each in investigators()]
        forwards = [inspect(each, *subjects) for each in all_of_them]
        all_of_them = [stack.enter_context(closing(each)) for each in investigators()]
        backwards = [inspect(each, *subjects[::-1])[::-1] for each in all_of_them]
    assert [each.code for each in forwards[0]] == [
        *[Code.AVAILABLE] * 12,
        Code.IMAGE_NOT_FOUND,
        *[Code.AVAILABLE] * 3,
        Code.PLATFORM_MISSING,
        Code.LAYER_MISSING,
        Code.REPOSITORY_NOT_FOUND,
    ]
    expected = without_what_is_there(forwards[0])
    for each in (*forwards, *backwards):
        assert without_what_is_there(each) == expected


def test_many_references_that_wait_together_are_few_calls_and_no_digest_is_asked_twice(
    ecr: SandboxEcr,
) -> None:
    registry = ecr.registry("123456789012", "eu-west-1")
    # 60 images under 250 tags, so that many share their layers.
    for number in range(250):
        registry.push("shop/web", oci_image(f"app {number % 60}"), tag=str(number))
    ecr.clear_requests()
    subjects = [subject(f"shop/web:{number}") for number in range(250)]
    # The first call, which waits for nobody, is answered when all the others wait.
    ecr.faults.add(Fault(latency=60.0, operation="BatchGetImage", first=1))
    with closing(InProcessBackend(Ecr(OrdinaryChain()))) as backend:
        heard = start(backend, *subjects)
        ecr.faults.clear()
        assert {each.verdict.code for each in heard} == {Code.AVAILABLE}
    images = [each for each in ecr.requests if each.operation == "BatchGetImage"]
    layers = [each for each in ecr.requests if each.operation == "BatchCheckLayerAvailability"]
    # Two that are full and one of the rest, beside the first one.
    assert len(images) <= 4
    assert all(len(each.image_ids) <= 100 for each in images)
    assert sorted(tag for each in images for tag in each.image_ids) == sorted(
        str(number) for number in range(250)
    )
    digests = [digest for each in layers for digest in each.digests]
    assert len(digests) == len(set(digests))
    assert all(len(each.digests) <= 100 for each in layers)
    # What each of those answers brings is gathered: a full call for each hundred, one of the rest.
    assert len(layers) <= len(digests) // 100 + len(images)
