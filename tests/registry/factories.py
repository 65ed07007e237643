"""A client factory that hands out ready-made clients, and what their calls raise."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError


def refusal(code: str, status: int = 400, message: str = "words") -> ClientError:
    """Return the error of botocore for an answer of ECR that refuses a call."""
    error = {"Code": code, "Message": message}
    answer: Any = {"Error": error, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "BatchGetImage")


class ReadyClients:
    """A ``ClientFactory`` of ``clients``: the first one until it is renewed, then the next one."""

    def __init__(self, *clients: Any, secret: str = "") -> None:
        self.clients = list(clients)
        self.renewals = 0
        self._secret = secret

    @property
    def foreign_endpoints(self) -> frozenset[str]:
        return frozenset()

    async def __call__(self, region: str) -> Any:
        assert region
        return self.clients[0]

    def renew(self, client: Any, reason: str) -> None:
        assert reason
        if client is self.clients[0]:
            self.renewals += 1
            self.clients.pop(0)

    def redact(self, text: str) -> str:
        return text.replace(self._secret, "***") if self._secret else text

    async def caller(self, region: str) -> str | None:
        assert region
        return None
