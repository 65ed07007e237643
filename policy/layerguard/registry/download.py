"""Downloads of configs from ECR's presigned URLs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from layerguard.registry.answers import RegistryError
from layerguard.registry.connections import Connections
from layerguard.verdict import Code

Download: TypeAlias = Callable[[str], Awaitable[str]]
"""Returns the text at a URL; raises RegistryError for any failure."""

# A config has a few kilobytes; anything larger than this is none.
MAX_BYTES = 4_000_000
CONNECT_TIMEOUT_SECONDS = 5
READ_TIMEOUT_SECONDS = 10


class PlainHttp:
    """A ``Download`` without credentials and without retries. Times are in seconds.

    No error contains the URL, which is a credential.
    """

    def __init__(
        self,
        connect_timeout: float = CONNECT_TIMEOUT_SECONDS,
        read_timeout: float = READ_TIMEOUT_SECONDS,
        bundle: str | None = None,
    ) -> None:
        self._connections = Connections(connect_timeout, read_timeout, bundle)

    async def __call__(self, url: str) -> str:
        """Return the UTF-8 text of at most MAX_BYTES bytes that comes with status 200."""
        try:
            return str(await self._get(url), "utf-8")
        except RegistryError:
            raise
        except UnicodeDecodeError:
            raise RegistryError(Code.INCONSISTENT_ANSWER, "A config is not text.") from None
        except Exception as error:
            raise RegistryError(
                Code.UNREACHABLE, f"A config's download failed: {type(error).__name__}."
            ) from None

    async def _get(self, url: str) -> bytes:
        reply = await self._connections.send("GET", url, {}, most=MAX_BYTES)
        if reply.status != 200:
            raise RegistryError(
                Code.INCONSISTENT_ANSWER, f"A config's URL answers with status {reply.status}."
            )
        if len(reply.content) > MAX_BYTES:
            raise RegistryError(
                Code.INCONSISTENT_ANSWER, f"A config has more than {MAX_BYTES:,} bytes."
            )
        return reply.content
