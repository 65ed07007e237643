"""Single calls: what is transient is tried again, and credentials that expire are renewed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from layerguard.reference import Repository
from layerguard.registry import RegistryError
from layerguard.registry.calls import Calls
from layerguard.registry.clients import ClientFactory, Clients
from layerguard.verdict import Code

from tests.registry.loops import on_a_loop

WEB = Repository("123456789012", "eu-west-1", "shop/web")


def refused(code: str, status: int = 400, message: str = "words") -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": status},
        },
        "BatchGetImage",
    )


class Client:
    """Plays its answers in order; the last one repeats."""

    def __init__(self, *answers: dict[str, Any] | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, Any]] = []

    async def batch_get_image(self, **parameters: Any) -> dict[str, Any]:
        self.asked.append(parameters)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


class Clock:
    def __init__(self) -> None:
        self.now = 0.0
        self.naps: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += max(seconds, 0.001)


def lone(client: Client) -> ClientFactory:
    """Return what makes this client, whatever the region."""

    async def make(_region: str) -> Client:
        return client

    return make


def calls(client: Client, patience: float = 0.0) -> tuple[Calls, Clock]:
    clock = Clock()
    made = Calls(lone(client), clock, clock.sleep)
    made.patience = patience
    return made, clock


@on_a_loop
async def test_the_account_of_the_repository_is_always_named() -> None:
    client = Client({})
    made, _ = calls(client)
    await made.of_repository(WEB, "batch_get_image", imageIds=[])
    assert client.asked == [
        {"registryId": "123456789012", "repositoryName": "shop/web", "imageIds": []}
    ]
    assert made.count == 1


@on_a_loop
async def test_what_is_transient_is_tried_again_with_jitter_while_there_is_patience() -> None:
    busy, broken = refused("ThrottlingException"), refused("ServerException", 500)
    client = Client(busy, broken, busy, {"images": []})
    made, clock = calls(client, patience=60)
    assert await made.of_repository(WEB, "batch_get_image") == {"images": []}
    assert len(clock.naps) == 3
    assert all(nap <= longest for nap, longest in zip(clock.naps, (0.1, 0.2, 0.4), strict=True))


@on_a_loop
async def test_patience_ends() -> None:
    client = Client(refused("ThrottlingException"))
    made, clock = calls(client, patience=10)
    with pytest.raises(RegistryError):
        await made.of_repository(WEB, "batch_get_image")
    assert 10 <= clock.now <= 11
    impatient, clock = calls(Client(refused("ThrottlingException")))
    with pytest.raises(RegistryError):
        await impatient.of_repository(WEB, "batch_get_image")
    assert clock.naps == []


@on_a_loop
async def test_what_stays_is_not_tried_again() -> None:
    client = Client(refused("AccessDeniedException"))
    made, clock = calls(client, patience=10)
    with pytest.raises(RegistryError):
        await made.of_repository(WEB, "batch_get_image")
    assert clock.naps == []


class Together(Client):
    """Answers nobody before so many have asked."""

    def __init__(self, many: int, answer: Exception) -> None:
        super().__init__(answer)
        self.many = many
        self.all_have_asked = asyncio.Event()

    async def batch_get_image(self, **parameters: Any) -> dict[str, Any]:
        self.many -= 1
        if not self.many:
            self.all_have_asked.set()
        await self.all_have_asked.wait()
        return await super().batch_get_image(**parameters)


class Renewable(Clients):
    """Clients whose credentials are made by the test."""

    def __init__(self, make: Callable[[], Any]) -> None:
        super().__init__()
        self.make = make
        self.sts_calls = 0

    def _make(self, region: str) -> Any:
        assert region == "eu-west-1"
        return self.make()

    def _ask_sts(self, region: str) -> str | None:
        assert region == "eu-west-1"
        self.sts_calls += 1
        return "arn:aws:iam::123456789012:user/ci"


@on_a_loop
async def test_credentials_that_have_expired_are_renewed_once() -> None:
    clients = [Client(refused("ExpiredTokenException")), Client({"images": []})]
    made = Calls(Renewable(lambda: clients.pop(0)))
    assert await made.of_repository(WEB, "batch_get_image") == {"images": []}
    again = Calls(Renewable(lambda: Client(refused("ExpiredTokenException"))))
    with pytest.raises(RegistryError):
        await again.of_repository(WEB, "batch_get_image")


@on_a_loop
async def test_many_who_find_credentials_expired_at_the_same_time_renew_them_once() -> None:
    made = 0
    together = Together(10, refused("ExpiredTokenException"))

    def make() -> Any:
        nonlocal made
        made += 1
        return together if made == 1 else Client({"images": []})

    calls = Calls(Renewable(make))
    asked = (calls.of_repository(WEB, "batch_get_image") for _ in range(10))
    assert await asyncio.gather(*asked) == [{"images": []}] * 10
    assert made == 2


@on_a_loop
async def test_a_denial_says_who_asked_and_sts_is_asked_at_most_once() -> None:
    clients = Renewable(lambda: Client(refused("AccessDeniedException")))
    made = Calls(clients)
    for _ in range(3):
        with pytest.raises(RegistryError) as caught:
            await made.of_repository(WEB, "batch_get_image")
    assert str(caught.value) == (
        "ECR says AccessDeniedException: words. The principal that asked is "
        "arn:aws:iam::123456789012:user/ci."
    )
    assert "identity policy of arn:aws:iam::123456789012:user/ci" in caught.value.next_step
    assert clients.sts_calls == 1


@on_a_loop
async def test_many_who_are_denied_at_the_same_time_ask_sts_once() -> None:
    clients = Renewable(lambda: Together(10, refused("AccessDeniedException")))
    made = Calls(clients)
    asked = (made.of_repository(WEB, "batch_get_image") for _ in range(10))
    denied = await asyncio.gather(*asked, return_exceptions=True)
    assert all(
        (isinstance(each, RegistryError) and each.code is Code.ACCESS_DENIED)
        and "user/ci" in str(each)
        for each in denied
    )
    assert clients.sts_calls == 1


@on_a_loop
async def test_a_denial_that_names_the_principal_itself_needs_no_sts() -> None:
    message = (
        "User: arn:aws:iam::123456789012:user/other is not authorized to perform: "
        "ecr:BatchGetImage on resource: x because no resource-based policy allows it"
    )
    clients = Renewable(lambda: Client(refused("AccessDeniedException", message=message)))
    with pytest.raises(RegistryError) as caught:
        await Calls(clients).of_repository(WEB, "batch_get_image")
    assert clients.sts_calls == 0
    assert caught.value.next_step.startswith("add to the repository policy of shop/web")
