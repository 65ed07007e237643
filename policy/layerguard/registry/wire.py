"""ECR's JSON protocol, for the questions that are asked by the hundreds.

A client of boto3 spends most of a call's processor time on what never changes between these calls:
it validates, serializes, resolves an endpoint, walks the answer by its model, and hands each header
on four times. Measured for BatchCheckLayerAvailability with 20 digests: 0.82 ms of processor time a
call through the client, one call after the other; through this 0.36 ms so, and 0.26 ms where fifty
are under way on one event loop (docs/benchmark.md has what it means for a run).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from layerguard.registry.connections import Connections
from layerguard.registry.threads import on_a_thread

# Both are of the service's model. Source: botocore's ECR model, "metadata".
_TARGET = "AmazonEC2ContainerRegistry_V20150921"
_CONTENT_TYPE = "application/x-amz-json-1.1"
_FIRST_FAILURE = 300


class WireClient:
    """Asks as botocore's ``client`` of ECR would: with its endpoint, credentials and signature.

    Has the methods of such a client that ``Calls`` names, as coroutines; what is asked seldom goes
    through the client of boto3 that ``seldom`` makes, on a thread. Raises botocore's exceptions:
    ClientError for what ECR refuses, its HTTP errors, and ResponseParserError for an answer that is
    not ECR's. It does not try again.
    """

    def __init__(self, client: Any, connections: Connections, seldom: Callable[[], Any]) -> None:
        self._connections = connections
        self._make_seldom = seldom
        self._seldom: Any = None
        self._making = threading.Lock()
        # The signer needs the client, which keeps it to itself; a test holds that it is there.
        self._client, self._signer = client, client._request_signer
        self.url: str = f"{client.meta.endpoint_url.rstrip('/')}/"
        self._user_agent = client.meta.config.user_agent

    async def batch_get_image(self, **parameters: Any) -> dict[str, Any]:
        """Call BatchGetImage."""
        return await self._call("BatchGetImage", parameters)

    async def batch_check_layer_availability(self, **parameters: Any) -> dict[str, Any]:
        """Call BatchCheckLayerAvailability."""
        return await self._call("BatchCheckLayerAvailability", parameters)

    async def get_download_url_for_layer(self, **parameters: Any) -> dict[str, Any]:
        """Call GetDownloadUrlForLayer."""
        return await self._call("GetDownloadUrlForLayer", parameters)

    async def describe_images(self, **parameters: Any) -> dict[str, Any]:
        """Call DescribeImages."""
        return await self._call_seldom("describe_images", parameters)

    async def describe_repositories(self, **parameters: Any) -> dict[str, Any]:
        """Call DescribeRepositories."""
        return await self._call_seldom("describe_repositories", parameters)

    async def describe_pull_through_cache_rules(self, **parameters: Any) -> dict[str, Any]:
        """Call DescribePullThroughCacheRules."""
        return await self._call_seldom("describe_pull_through_cache_rules", parameters)

    async def _call_seldom(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        def call() -> dict[str, Any]:
            with self._making:
                self._seldom = self._seldom or self._make_seldom()
            answer: dict[str, Any] = getattr(self._seldom, operation)(**parameters)
            return answer

        return await on_a_thread(call)

    async def _call(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        from botocore.awsrequest import AWSRequest

        headers = {
            "Content-Type": _CONTENT_TYPE,
            "User-Agent": self._user_agent,
            "X-Amz-Target": f"{_TARGET}.{operation}",
        }
        body = json.dumps(parameters).encode()
        request = AWSRequest("POST", self.url, headers, body)
        sign = partial(self._signer.sign, operation, request)
        if self._credentials_are_there:
            sign()
        else:  # somebody is asked for them, who may be silent
            await on_a_thread(sign)
        reply = await self._connections.send("POST", self.url, dict(request.headers.items()), body)
        return _answer(operation, *reply)

    @property
    def _credentials_are_there(self) -> bool:
        """Whether credentials are lasting, or temporary and not to be renewed yet."""
        needs_refresh = getattr(self._signer._credentials, "refresh_needed", None)
        return needs_refresh is None or not needs_refresh()


def _answer(operation: str, status: int, content: bytes) -> dict[str, Any]:
    from botocore.exceptions import ClientError
    from botocore.parsers import ResponseParserError

    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        body = None
    if status >= _FIRST_FAILURE:
        raise ClientError(_refusal(status, body), operation)
    if not isinstance(body, dict):
        raise ResponseParserError(f"the answer to {operation} is not a JSON object")
    return body


def _refusal(status: int, body: object) -> dict[str, Any]:
    """Return what a ClientError says. Source: AWS JSON 1.1 protocol, "Operation errors"."""
    said = body if isinstance(body, dict) else {}
    code = str(said.get("__type") or status).rpartition("#")[2]
    message = str(said.get("message") or said.get("Message") or "")
    return {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
