"""Single calls: transient failures are tried again, and credentials that expire are renewed."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any

import pytest
from layerguard.reference import Repository
from layerguard.registry import RegistryError
from layerguard.registry.calls import Calls
from layerguard.verdict import Code

from tests.fakes import without_place
from tests.registry.factories import ReadyClients, refusal
from tests.registry.loops import on_a_loop

WEB = Repository("123456789012", "eu-west-1", "shop/web")


class Client:
    """Plays its answers in order, and hangs at an empty one; the last one repeats."""

    def __init__(self, *answers: dict[str, Any] | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[dict[str, Any]] = []

    async def batch_get_image(self, **parameters: Any) -> dict[str, Any]:
        self.requests.append(parameters)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        if not answer:
            await asyncio.Event().wait()
        return answer

    describe_images = batch_get_image


class Barrier(Client):
    """Answers when so many requests have come."""

    def __init__(self, count: int, answer: Exception) -> None:
        super().__init__(answer)
        self._missing = count
        self._is_complete = asyncio.Event()

    async def batch_get_image(self, **parameters: Any) -> dict[str, Any]:
        self._missing -= 1
        if not self._missing:
            self._is_complete.set()
        await self._is_complete.wait()
        return await super().batch_get_image(**parameters)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += max(seconds, 0.001)


def calls(client: Client, retry_seconds: float = 0.0) -> tuple[Calls, Clock]:
    clock = Clock()
    made = Calls(ReadyClients(client), clock=clock, sleep=clock.sleep)
    made.retry_seconds = retry_seconds
    return made, clock


async def error_of(made: Calls) -> RegistryError:
    with pytest.raises(RegistryError) as caught:
        await made.of_repository(WEB, "batch_get_image")
    return caught.value


@on_a_loop
async def test_the_account_of_the_repository_is_always_sent() -> None:
    client = Client({"images": []})
    made, _ = calls(client)
    await made.of_repository(WEB, "batch_get_image", imageIds=[])
    assert client.requests == [
        {"registryId": "123456789012", "repositoryName": "shop/web", "imageIds": []}
    ]
    assert made.count == 1


@on_a_loop
async def test_transient_failures_are_tried_again_with_jitter() -> None:
    busy, broken = refusal("ThrottlingException"), refusal("ServerException", 500)
    made, clock = calls(Client(busy, broken, busy, {"images": []}), retry_seconds=60)
    assert await made.of_repository(WEB, "batch_get_image") == {"images": []}
    assert len(clock.pauses) == 3
    assert all(
        pause <= longest for pause, longest in zip(clock.pauses, (0.1, 0.2, 0.4), strict=True)
    )


@on_a_loop
async def test_retries_end_after_the_retry_seconds() -> None:
    made, clock = calls(Client(refusal("ThrottlingException")), retry_seconds=10)
    assert (await error_of(made)).code is Code.THROTTLED
    assert 10 <= clock.now <= 11
    without_retries, clock = calls(Client(refusal("ThrottlingException")))
    assert (await error_of(without_retries)).code is Code.THROTTLED
    assert clock.pauses == []


@on_a_loop
async def test_a_denial_is_not_tried_again() -> None:
    made, clock = calls(Client(refusal("AccessDeniedException")), retry_seconds=10)
    assert (await error_of(made)).code is Code.ACCESS_DENIED
    assert clock.pauses == []


@on_a_loop
async def test_a_denial_has_the_policy_change_as_its_next_step() -> None:
    message = (
        "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: "
        "ecr:BatchGetImage on resource: x because no resource-based policy allows it"
    )
    made, _ = calls(Client(refusal("AccessDeniedException", message=message)))
    error = await error_of(made)
    assert str(error) == f"ECR says AccessDeniedException: {message}."
    assert error.next_step.startswith("add to the repository policy of shop/web")


@on_a_loop
async def test_an_error_has_no_secret_and_no_cause_that_may_have_one() -> None:
    client = Client(refusal("ServerException", message="your key is SECRET"))
    error = await error_of(Calls(ReadyClients(client, secret="SECRET")))
    assert str(error) == "ECR says ServerException: your key is ***."
    assert error.__cause__ is error.__context__ is None


@on_a_loop
async def test_credentials_that_have_expired_are_renewed_once_for_a_call() -> None:
    expired = Client(refusal("ExpiredTokenException"))
    clients = ReadyClients(expired, Client({"images": []}))
    assert await Calls(clients).of_repository(WEB, "batch_get_image") == {"images": []}
    clients = ReadyClients(expired, expired, expired)
    assert (await error_of(Calls(clients))).code is Code.NO_CREDENTIALS
    assert clients.renewals == 1


@on_a_loop
async def test_concurrent_calls_with_expired_credentials_renew_them_once() -> None:
    expired = Barrier(10, refusal("ExpiredTokenException"))
    clients = ReadyClients(expired, Client({"images": []}))
    made = Calls(clients)
    answers = (made.of_repository(WEB, "batch_get_image") for _ in range(10))
    assert await asyncio.gather(*answers) == [{"images": []}] * 10
    assert clients.renewals == 1


@on_a_loop
async def test_a_listing_that_hangs_ends_in_time_with_what_it_has() -> None:
    page = {"imageDetails": [{"imageDigest": "1"}], "nextToken": "2"}
    calls = Calls(ReadyClients(Client(page, {})), listing_seconds=0.2)
    pages = await calls.pages(("123456789012", "eu-west-1"), "describe_images", "imageDetails")
    assert pages == ([{"imageDigest": "1"}], False)
    calls = Calls(ReadyClients(Client({})), listing_seconds=0.2)
    with pytest.raises(RegistryError) as caught:
        await calls.pages(("123456789012", "eu-west-1"), "describe_images", "imageDetails")
    assert caught.value.code is Code.TIMED_OUT


# The log.


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, "layerguard")
    return caplog


DIGESTS = [f"sha256:{number:064}" for number in range(3)]


@on_a_loop
async def ask(made: Calls) -> None:
    with suppress(RegistryError):
        await made.of_repository(WEB, "batch_get_image", imageIds=DIGESTS)


def test_each_request_is_logged_with_its_ids_duration_outcome_and_the_request_id(
    logged: pytest.LogCaptureFixture,
) -> None:
    made, _ = calls(Client({"images": [], "ResponseMetadata": {"RequestId": "f3d1"}}))
    ask(made)
    made, _ = calls(Client({"images": []}))
    ask(made)
    asked = "BatchGetImage of 123456789012 in eu-west-1, shop/web, 3 ids"
    assert [(each.levelname, each.getMessage()) for each in logged.records] == [
        ("DEBUG", f"{asked}: ok in 0.000 s, request f3d1"),
        ("DEBUG", f"{asked}: ok in 0.000 s"),
    ]


def test_each_try_of_a_request_that_is_refused_is_logged_with_the_reason(
    logged: pytest.LogCaptureFixture,
) -> None:
    made, clock = calls(Client(refusal("ThrottlingException"), refusal("AccessDenied")), 10.0)
    ask(made)
    assert len(clock.pauses) == 1
    throttled, denied = (each.getMessage() for each in logged.records)
    assert ", 3 ids: throttled in 0.000 s" in throttled
    assert ", 3 ids: access-denied in 0.000 s" in denied
    assert "ECR says AccessDenied: " in denied


def test_a_request_whose_time_is_over_is_logged_as_cancelled(
    logged: pytest.LogCaptureFixture,
) -> None:
    @on_a_loop
    async def give_up() -> None:
        made, _ = calls(Client({}))
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(made.of_repository(WEB, "batch_get_image"), 0.05)

    give_up()
    (record,) = logged.records
    assert "shop/web: cancelled in " in record.getMessage()


def test_what_no_client_raises_is_a_bug_with_its_traceback(
    logged: pytest.LogCaptureFixture,
) -> None:
    made, _ = calls(Client(KeyError("planted")))
    error = asyncio.run(error_of(made))
    assert error.code is Code.INTERNAL_ERROR
    assert without_place(str(error)) == (
        "This is a bug of Layerguard 0.1.0, in asking ECR: KeyError: 'planted'."
    )
    (bug,) = (each for each in logged.records if each.levelname == "ERROR")
    assert bug.exc_info
    assert bug.name == "layerguard.registry.calls"
