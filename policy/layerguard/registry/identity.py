"""Who asks: the identity that a client of ECR is made for.

For now there is one, boto3's ordinary chain (environment variables, profiles, roles of the
machine). Identities of a resource's own provider will stand beside it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeAlias

ClientFactory: TypeAlias = Callable[[str], Any]
"""Makes the client of one region. Its clients are safe to use from many threads."""

CONNECTIONS = 40
CONNECT_TIMEOUT_SECONDS = 5
READ_TIMEOUT_SECONDS = 20
ATTEMPTS = 4


class OrdinaryChain:
    """Makes clients with the credentials, endpoint and retries of boto3's ordinary chain.

    The session and each region's client are made once, by the first question that needs them:
    importing boto3 costs more than starting the whole pack otherwise does.
    """

    def __init__(self, connections: int = CONNECTIONS) -> None:
        self._connections = connections
        self._lock = threading.Lock()
        self._session: Any = None
        self._clients: dict[str, Any] = {}

    def __call__(self, region: str) -> Any:
        """Return the client of ``region``. Raises botocore's own errors (no such profile, ...)."""
        with self._lock:
            if region not in self._clients:
                self._clients[region] = self._make(region)
            return self._clients[region]

    def _make(self, region: str) -> Any:
        import boto3
        from botocore.config import Config

        self._session = self._session or boto3.Session()
        return self._session.client(
            "ecr",
            region_name=region,
            config=Config(
                connect_timeout=CONNECT_TIMEOUT_SECONDS,
                read_timeout=READ_TIMEOUT_SECONDS,
                max_pool_connections=self._connections,
                retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
                user_agent_appid="layerguard",
            ),
        )
