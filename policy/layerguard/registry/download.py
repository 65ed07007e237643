"""Downloads of configs from ECR's presigned URLs."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from functools import cached_property, partial
from threading import Lock
from typing import TypeAlias
from urllib.parse import urlsplit

from layerguard.registry.answers import RegistryError
from layerguard.registry.threads import Threads
from layerguard.registry.transport import Reply, Transport
from layerguard.verdict import Code

Download: TypeAlias = Callable[[str], Awaitable[str]]
"""Returns the text at a URL; raises RegistryError for any failure."""

# A config has a few kilobytes; anything larger than this is none.
MAX_BYTES = 4_000_000
CONNECT_TIMEOUT_SECONDS = 5
READ_TIMEOUT_SECONDS = 10
CONFIG_SECONDS = 30.0
"""How long a download may take."""
_CONNECTIONS = 200


class PlainHttp:
    """A ``Download`` without credentials and without retries. Times are in seconds.

    Proxies and certificates are those of boto3's clients of the default profile.
    No error contains the URL, which is a credential.
    """

    def __init__(
        self,
        connect_timeout: float = CONNECT_TIMEOUT_SECONDS,
        read_timeout: float = READ_TIMEOUT_SECONDS,
        seconds: float = CONFIG_SECONDS,
    ) -> None:
        self._timeouts, self._seconds = (connect_timeout, read_timeout), seconds
        self._threads, self._lock = Threads(), Lock()
        self._hosts: dict[tuple[str, str], Transport] = {}

    async def __call__(self, url: str) -> str:
        """Return the UTF-8 text of at most MAX_BYTES bytes that comes with status 200."""
        try:
            reply = await self._threads.run(partial(self._get, url), self._seconds)
        except Exception as error:
            raise RegistryError(
                Code.UNREACHABLE, f"A config's download failed: {type(error).__name__}."
            ) from None
        if reply.status != 200:
            reason = f"A config's URL answers with status {reply.status}."
        elif len(reply.content) > MAX_BYTES:
            reason = f"A config has more than {MAX_BYTES:,} bytes."
        else:
            try:
                return str(reply.content, "utf-8")
            except UnicodeDecodeError:
                reason = "A config is not text."
        raise RegistryError(Code.INCONSISTENT_ANSWER, reason)

    def _get(self, url: str) -> Reply:
        parts = urlsplit(url)
        with self._lock:
            host = self._hosts.get(parts[:2]) or self._transport(url)
            self._hosts[parts[:2]] = host
        return host.send("GET", url, {})

    def _transport(self, url: str) -> Transport:
        from botocore.httpsession import URLLib3Session
        from botocore.utils import get_environ_proxies

        session = URLLib3Session(
            self._verify, get_environ_proxies(url), self._timeouts, _CONNECTIONS
        )
        return Transport(session, url, MAX_BYTES, self._seconds)

    @cached_property
    def _verify(self) -> str | bool:
        # The choice of botocore's own clients.
        from botocore.session import Session

        bundle = Session().get_config_variable("ca_bundle")
        return bundle or os.environ.get("REQUESTS_CA_BUNDLE") or True
