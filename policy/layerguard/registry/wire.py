"""ECR's JSON protocol, for the questions that are asked by the hundreds.

A client of boto3 spends most of a call's processor time on what never changes between these calls:
it validates, serializes, resolves an endpoint, walks the answer by its model, and hands each header
on four times. Measured for BatchCheckLayerAvailability with 20 digests on one processor: 0.85 ms a
call through the client, 0.30 ms through this (docs/benchmark.md has what it means for a run).
"""

from __future__ import annotations

import json
from typing import Any

from layerguard.registry.connections import Connections

# Both are of the service's model. Source: botocore's ECR model, "metadata".
_TARGET = "AmazonEC2ContainerRegistry_V20150921"
_CONTENT_TYPE = "application/x-amz-json-1.1"
_FIRST_FAILURE = 300


class WireClient:
    """Asks as a boto3 client of ECR would: with its endpoint, credentials and signature.

    Has the methods of such a client that ``Calls`` names; what is asked seldom goes through the
    client itself. Raises botocore's exceptions: ClientError for what ECR refuses, its HTTP errors,
    and ResponseParserError for an answer that is not ECR's. It does not try again.
    """

    def __init__(self, client: Any, connections: Connections) -> None:
        self._connections = connections
        # The client keeps its signer to itself; a test holds that it is there.
        self._sign = client._request_signer.sign
        self.url: str = f"{client.meta.endpoint_url.rstrip('/')}/"
        self._user_agent = client.meta.config.user_agent
        self.describe_images = client.describe_images
        self.describe_repositories = client.describe_repositories
        self.describe_pull_through_cache_rules = client.describe_pull_through_cache_rules

    def batch_get_image(self, **parameters: Any) -> dict[str, Any]:
        """Call BatchGetImage."""
        return self._call("BatchGetImage", parameters)

    def batch_check_layer_availability(self, **parameters: Any) -> dict[str, Any]:
        """Call BatchCheckLayerAvailability."""
        return self._call("BatchCheckLayerAvailability", parameters)

    def get_download_url_for_layer(self, **parameters: Any) -> dict[str, Any]:
        """Call GetDownloadUrlForLayer."""
        return self._call("GetDownloadUrlForLayer", parameters)

    def _call(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        from botocore.awsrequest import AWSRequest

        headers = {
            "Content-Type": _CONTENT_TYPE,
            "User-Agent": self._user_agent,
            "X-Amz-Target": f"{_TARGET}.{operation}",
        }
        body = json.dumps(parameters).encode()
        request = AWSRequest("POST", self.url, headers, body)
        self._sign(operation, request)
        reply = self._connections.send("POST", self.url, dict(request.headers.items()), body)
        return _answer(operation, *reply)


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
