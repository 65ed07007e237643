"""Downloads of configs from the presigned URLs that ECR gives for them."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from layerguard.errors import InconsistentAnswer, RegistryError, Unreachable
from layerguard.registry.identity import CONNECTIONS

Download: TypeAlias = Callable[[str], str]
"""Returns the text at a URL; raises RegistryError where there is none."""

# A config is a few kilobytes; what is larger than this is none.
MAX_BYTES = 4_000_000
CONNECT_TIMEOUT_SECONDS = 5
READ_TIMEOUT_SECONDS = 10
_PIECE = 65_536


class PlainHttp:
    """A ``Download`` through botocore's HTTP session, without credentials and without retries.

    Proxies and certificate bundles are those that boto3's clients have from the environment and
    the profile. Each host has one session, so that its connections are kept and the certificates
    are loaded once. No error carries the URL: who has it may download.
    """

    def __init__(
        self,
        connect_timeout: float = CONNECT_TIMEOUT_SECONDS,
        read_timeout: float = READ_TIMEOUT_SECONDS,
    ) -> None:
        self._timeout = (connect_timeout, read_timeout)
        self._lock = threading.Lock()
        self._sessions: dict[str, Any] = {}

    def __call__(self, url: str) -> str:
        """Return the UTF-8 text of at most MAX_BYTES bytes that comes with status 200."""
        try:
            return str(self._get(url), "utf-8")
        except RegistryError:
            raise
        except UnicodeDecodeError:
            raise InconsistentAnswer("A config is not text.") from None
        except Exception as error:
            raise Unreachable(f"A config's download failed: {type(error).__name__}.") from None

    def _get(self, url: str) -> bytes:
        from botocore.awsrequest import AWSRequest

        request = AWSRequest("GET", url, stream_output=True).prepare()
        response = self._session(url).send(request)
        try:
            if response.status_code != 200:
                status = response.status_code
                raise InconsistentAnswer(f"A config's URL answers with status {status}.")
            return _limited(response)
        finally:
            response.raw.close()  # keeps the connection where the answer was read to its end

    def _session(self, url: str) -> Any:
        from botocore.httpsession import URLLib3Session
        from botocore.session import Session
        from botocore.utils import get_environ_proxies

        host = urlsplit(url).netloc
        with self._lock:
            if host not in self._sessions:
                # As botocore's own clients choose it.
                bundle = Session().get_config_variable("ca_bundle")
                self._sessions[host] = URLLib3Session(
                    verify=bundle or os.environ.get("REQUESTS_CA_BUNDLE", True),
                    proxies=get_environ_proxies(url),
                    timeout=self._timeout,
                    max_pool_connections=CONNECTIONS,
                )
            return self._sessions[host]


def _limited(response: Any) -> bytes:
    too_large = InconsistentAnswer(f"A config has more than {MAX_BYTES:,} bytes.")
    if int(response.headers.get("Content-Length") or 0) > MAX_BYTES:
        raise too_large
    content = bytearray()
    for piece in response.raw.stream(_PIECE):
        content += piece
        if len(content) > MAX_BYTES:
            raise too_large
    return bytes(content)
