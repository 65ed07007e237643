"""ECR's JSON protocol.

A client of boto3 spends most of a call's processor time on what never changes between these calls:
it validates, serializes, resolves an endpoint, walks the answer by its model, and copies each
header four times; and it reads bodies without a bound. docs/benchmark.md has the effect on a run.
"""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from layerguard.registry.threads import Threads
from layerguard.registry.transport import Reply, Transport

MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""Bytes of an answer."""
ANSWER_SECONDS = 30.0
"""How long an answer may take, from the request to its last byte."""
_FIRST_FAILURE = 300


class WireClient:
    """Calls ECR with the endpoint, credentials, signature and session of botocore's ``client``.

    Has the methods of such a client that ``Calls`` names, as coroutines. The credentials of
    ``client`` must not be of the kind that renews itself, which would take time.
    Raises botocore's exceptions: ClientError for a refusal, its HTTP errors, and
    ResponseParserError for anything else that is not an answer. Does not retry.
    """

    def __init__(self, client: Any, seconds: float = ANSWER_SECONDS) -> None:
        from botocore.awsrequest import prepare_request_dict

        self._client = client  # which its signer needs alive
        self._seconds = seconds
        self._threads = Threads()
        model = client.meta.service_model
        # The way that botocore's clients go. Source: botocore.client, BaseClient._make_api_call.
        self._context: dict[str, Any] = {}
        operation = model.operation_model("BatchGetImage")
        endpoint, _, _ = client._resolve_endpoint_ruleset(operation, {}, self._context)
        request: dict[str, Any] = {"url_path": "/", "query_string": "", "headers": {}}
        prepare_request_dict(request, endpoint)
        self.url: str = request["url"]
        self._target = model.metadata["targetPrefix"]
        self._headers = {
            "Content-Type": f"application/x-amz-json-{model.metadata['jsonVersion']}",
            "User-Agent": client.meta.config.user_agent,
        }
        session = client._endpoint.http_session
        self._transport = Transport(session, self.url, MAX_ANSWER_BYTES, seconds)

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
        return await self._call("DescribeImages", parameters)

    async def describe_repositories(self, **parameters: Any) -> dict[str, Any]:
        """Call DescribeRepositories."""
        return await self._call("DescribeRepositories", parameters)

    async def describe_pull_through_cache_rules(self, **parameters: Any) -> dict[str, Any]:
        """Call DescribePullThroughCacheRules."""
        return await self._call("DescribePullThroughCacheRules", parameters)

    async def _call(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        from botocore.exceptions import ReadTimeoutError

        try:
            return await self._threads.run(partial(self._ask, operation, parameters), self._seconds)
        except TimeoutError as error:
            raise ReadTimeoutError(endpoint_url=self.url, error=error) from error

    def _ask(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        from botocore.awsrequest import AWSRequest

        headers = {**self._headers, "X-Amz-Target": f"{self._target}.{operation}"}
        request = AWSRequest("POST", self.url, headers, json.dumps(parameters).encode())
        request.context.update(self._context)
        self._client._request_signer.sign(operation, request)
        reply = self._transport.send("POST", self.url, dict(request.headers), request.data)
        return _answer(operation, reply)


def _answer(operation: str, reply: Reply) -> dict[str, Any]:
    from botocore.exceptions import ClientError
    from botocore.parsers import ResponseParserError

    if len(reply.content) > MAX_ANSWER_BYTES:
        raise ResponseParserError(
            f"the answer to {operation} has more than {MAX_ANSWER_BYTES:,} bytes"
        )
    try:
        body = json.loads(reply.content)
    except (ValueError, RecursionError):
        body = None
    if reply.status >= _FIRST_FAILURE:
        raise ClientError(_refusal(reply.status, body), operation)
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
