"""Single calls: what is transient is tried again, and credentials that expire are renewed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from layerguard.errors import AccessDenied, NoCredentials, Throttled
from layerguard.reference import Repository
from layerguard.registry.calls import Calls
from layerguard.registry.identity import Clients

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

    def batch_get_image(self, **parameters: Any) -> dict[str, Any]:
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

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += max(seconds, 0.001)


def calls(client: Client, patience: float = 0.0) -> tuple[Calls, Clock]:
    clock = Clock()
    made = Calls(lambda _region: client, clock, clock.sleep)
    made.patience = patience
    return made, clock


def test_the_account_of_the_repository_is_always_named() -> None:
    client = Client({})
    made, _ = calls(client)
    made.of_repository(WEB, "batch_get_image", imageIds=[])
    assert client.asked == [
        {"registryId": "123456789012", "repositoryName": "shop/web", "imageIds": []}
    ]
    assert made.count == 1


def test_what_is_transient_is_tried_again_with_jitter_while_there_is_patience() -> None:
    busy, broken = refused("ThrottlingException"), refused("ServerException", 500)
    client = Client(busy, broken, busy, {"images": []})
    made, clock = calls(client, patience=60)
    assert made.of_repository(WEB, "batch_get_image") == {"images": []}
    assert len(clock.naps) == 3
    assert all(nap <= longest for nap, longest in zip(clock.naps, (0.1, 0.2, 0.4), strict=True))


def test_patience_ends() -> None:
    client = Client(refused("ThrottlingException"))
    made, clock = calls(client, patience=10)
    with pytest.raises(Throttled):
        made.of_repository(WEB, "batch_get_image")
    assert 10 <= clock.now <= 11
    impatient, clock = calls(Client(refused("ThrottlingException")))
    with pytest.raises(Throttled):
        impatient.of_repository(WEB, "batch_get_image")
    assert clock.naps == []


def test_what_stays_is_not_tried_again() -> None:
    client = Client(refused("AccessDeniedException"))
    made, clock = calls(client, patience=10)
    with pytest.raises(AccessDenied):
        made.of_repository(WEB, "batch_get_image")
    assert clock.naps == []


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


def test_credentials_that_have_expired_are_renewed_once() -> None:
    clients = [Client(refused("ExpiredTokenException")), Client({"images": []})]
    made = Calls(Renewable(lambda: clients.pop(0)))
    assert made.of_repository(WEB, "batch_get_image") == {"images": []}
    again = Calls(Renewable(lambda: Client(refused("ExpiredTokenException"))))
    with pytest.raises(NoCredentials):
        again.of_repository(WEB, "batch_get_image")


def test_a_denial_says_who_asked_and_sts_is_asked_at_most_once() -> None:
    clients = Renewable(lambda: Client(refused("AccessDeniedException")))
    made = Calls(clients)
    for _ in range(3):
        with pytest.raises(AccessDenied) as caught:
            made.of_repository(WEB, "batch_get_image")
    assert str(caught.value) == (
        "ECR says AccessDeniedException: words. The principal that asked is "
        "arn:aws:iam::123456789012:user/ci."
    )
    assert "identity policy of arn:aws:iam::123456789012:user/ci" in caught.value.next_step
    assert clients.sts_calls == 1


def test_a_denial_that_names_the_principal_itself_needs_no_sts() -> None:
    message = (
        "User: arn:aws:iam::123456789012:user/other is not authorized to perform: "
        "ecr:BatchGetImage on resource: x because no resource-based policy allows it"
    )
    clients = Renewable(lambda: Client(refused("AccessDeniedException", message=message)))
    with pytest.raises(AccessDenied) as caught:
        Calls(clients).of_repository(WEB, "batch_get_image")
    assert clients.sts_calls == 0
    assert caught.value.next_step.startswith("add to the repository policy of shop/web")
