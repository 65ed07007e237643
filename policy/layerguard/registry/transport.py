"""HTTP: requests over the connections of botocore's session, bounded in bytes and in time."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from functools import partial
from http.client import HTTPResponse
from io import BufferedReader, RawIOBase
from typing import Any, NamedTuple

from layerguard.registry.threads import Threads


class Reply(NamedTuple):
    """A status and the bytes of a body; one byte more than the limit if it is longer."""

    status: int
    content: bytes


class Transport:
    """Sends requests to one host with ``session``, the HTTP session of one of botocore's clients.

    Proxies, certificates, timeouts of a connection and of a silent server, and the number of
    connections are those of the session. An exchange ends after ``seconds``, whatever the server
    does, and no more than ``most`` bytes of a body and one more are read. The session's own
    ``send`` knows no such bounds, and costs half as much again.
    """

    def __init__(self, session: Any, url: str, most: int, seconds: float) -> None:
        self.url = url
        self._most, self._seconds = most, seconds
        # Private methods of botocore's session; the tests of proxies and certificates use them.
        self._proxy = session._proxy_config.proxy_url_for(url)
        manager = session._get_connection_manager(url, self._proxy)
        self._pool = manager.connection_from_url(url)
        session._setup_ssl_cert(self._pool, url, session._verify)
        self._target = partial(session._get_request_target, proxy_url=self._proxy)
        bounded = {"seconds": seconds}
        response = type("Response", (_Response,), bounded)
        self._pool.ConnectionCls = type(
            "Connection", (self._pool.ConnectionCls,), {"response_class": response}
        )

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Reply:
        """Return the response, of any status. Raises botocore's HTTP errors. Blocking."""
        from urllib3.exceptions import ProtocolError

        try:
            try:
                return self._exchange(method, url, headers, body)
            except ProtocolError:  # a server may close an idle connection at any moment
                return self._exchange(method, url, headers, body)
        except Exception as error:
            raise _translated(error, self.url, self._proxy) from error

    def _exchange(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        response = self._pool.urlopen(
            method,
            self._target(url),
            body,
            headers,
            retries=False,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
            enforce_content_length=True,
        )
        content, missing = bytearray(), self._most + 1
        try:
            # Only a read that returns nothing shows whether the body ended early.
            while missing and (piece := response.read(missing)):
                content += piece
                missing -= len(piece)
            return Reply(response.status, bytes(content))
        finally:
            response.close()  # which keeps the connection if the response was read to its end


def _translated(error: Exception, url: str, proxy: str | None) -> Exception:
    """Return the error of botocore's session. Source: botocore.httpsession, URLLib3Session.send."""
    import botocore.exceptions as theirs
    from botocore.httpsession import mask_proxy_url
    from urllib3 import exceptions as ours

    match error:
        case ours.SSLError():
            return theirs.SSLError(endpoint_url=url, error=error)
        case ours.NewConnectionError():
            return theirs.EndpointConnectionError(endpoint_url=url, error=error)
        case ours.ProxyError():
            return theirs.ProxyConnectionError(proxy_url=mask_proxy_url(proxy), error=error)
        case ours.ConnectTimeoutError():
            return theirs.ConnectTimeoutError(endpoint_url=url, error=error)
        case ours.ReadTimeoutError():
            return theirs.ReadTimeoutError(endpoint_url=url, error=error)
        case ours.ProtocolError():
            return theirs.ConnectionClosedError(endpoint_url=url, error=error)
        case _:
            return theirs.HTTPClientError(error=error)


class _Response(HTTPResponse):
    """A response that is read within ``seconds``; interim ones are skipped.

    Python's own skips only status 100. Source: RFC 9110, section 15.2.
    """

    seconds: float

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp.close()
        self.fp = BufferedReader(_Until(time.monotonic() + self.seconds, sock))

    def begin(self) -> None:
        super().begin()
        while self.status < 200:
            self.headers = self.msg = None  # type: ignore[assignment]
            super().begin()


class _Until(RawIOBase):
    """Reads from a socket until ``end``, in the seconds of time.monotonic."""

    def __init__(self, end: float, sock: socket.socket) -> None:
        self._end, self._sock, self._patience = end, sock, sock.gettimeout()
        self._file = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer did not end in time")
        self._sock.settimeout(left if self._patience is None else min(left, self._patience))
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()
