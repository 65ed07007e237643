"""ECR's JSON protocol, for the frequent operations.

A client of boto3 spends most of a call's processor time on what never changes between these calls:
it validates, serializes, resolves an endpoint, walks the answer by its model, and copies each
header four times. Measured for BatchCheckLayerAvailability with 20 digests, in processor time a
call: 0.82 ms through boto3, sequentially; 0.36 ms here, and 0.26 ms with fifty calls at a time on
one event loop (docs/benchmark.md has the effect on a run).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

from layerguard.registry.connections import Connections
from layerguard.registry.threads import on_a_thread

# Source: botocore's ECR model, "metadata".
_TARGET = "AmazonEC2ContainerRegistry_V20150921"
_CONTENT_TYPE = "application/x-amz-json-1.1"
_FIRST_FAILURE = 300
MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""Bytes of an answer."""


class WireClient:
    """Calls ECR with the endpoint, credentials and signature of botocore's ``client``.

    Has the methods of such a client that ``Calls`` names, as coroutines. Rare operations go through
    the client of boto3 that ``make_boto3_client`` returns, on a thread. The credentials of
    ``client`` must not be of the kind that renews itself, which would block the event loop.
    Raises botocore's exceptions: ClientError for a refusal, its HTTP errors, and
    ResponseParserError for anything else that is not an answer. Does not retry.
    """

    def __init__(
        self, client: Any, connections: Connections, make_boto3_client: Callable[[], Any]
    ) -> None:
        self._connections = connections
        self._make_boto3_client = make_boto3_client
        self._boto3_client: Any = None
        self._lock = threading.Lock()
        # Private attributes of botocore; a test asserts that they exist. The signer needs its
        # client alive.
        self._client, self._signer = client, client._request_signer
        self._context: dict[str, Any] = {}
        self.url = self._resolved_url()
        self._user_agent = client.meta.config.user_agent

    def _resolved_url(self) -> str:
        """Return the URL of boto3's requests, and keep what the ruleset says of their signatures.

        Source: botocore.client, ``BaseClient._make_api_call``.
        """
        from botocore.awsrequest import prepare_request_dict

        operation = self._client.meta.service_model.operation_model("BatchGetImage")
        endpoint, *_ = self._client._resolve_endpoint_ruleset(operation, {}, self._context)
        request: dict[str, Any] = {"url_path": "/", "query_string": "", "headers": {}}
        prepare_request_dict(request, endpoint)
        return str(request["url"])

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
        return await self._call_rare("describe_images", parameters)

    async def describe_repositories(self, **parameters: Any) -> dict[str, Any]:
        """Call DescribeRepositories."""
        return await self._call_rare("describe_repositories", parameters)

    async def describe_pull_through_cache_rules(self, **parameters: Any) -> dict[str, Any]:
        """Call DescribePullThroughCacheRules."""
        return await self._call_rare("describe_pull_through_cache_rules", parameters)

    async def _call_rare(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        def call() -> dict[str, Any]:
            with self._lock:
                self._boto3_client = self._boto3_client or self._make_boto3_client()
            answer: dict[str, Any] = getattr(self._boto3_client, operation)(**parameters)
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
        request.context.update(self._context)
        self._signer.sign(operation, request)
        reply = await self._connections.send(
            "POST", self.url, dict(request.headers.items()), body, MAX_ANSWER_BYTES
        )
        return _answer(operation, *reply)


def _answer(operation: str, status: int, content: bytes) -> dict[str, Any]:
    from botocore.exceptions import ClientError
    from botocore.parsers import ResponseParserError

    if len(content) > MAX_ANSWER_BYTES:
        raise ResponseParserError(
            f"the answer to {operation} has more than {MAX_ANSWER_BYTES:,} bytes"
        )
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
    """Return the response of a ClientError. Source: AWS JSON 1.1 protocol, "Operation errors"."""
    members = body if isinstance(body, dict) else {}
    code = str(members.get("__type") or status).rpartition("#")[2]
    message = str(members.get("message") or members.get("Message") or "")
    return {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
