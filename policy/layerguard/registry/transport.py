"""HTTP: requests over the connections of botocore's session, bounded in bytes and in time."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Mapping
from functools import partial
from http.client import HTTPResponse
from io import BufferedReader, RawIOBase
from typing import Any, NamedTuple


class Reply(NamedTuple):
    """A status and the bytes of a body; one byte more than the limit if it is longer."""

    status: int
    content: bytes


class Transport:
    """Sends requests to one host with ``session``, the HTTP session of one of botocore's clients.

    Proxies, certificates, the number of connections, and the timeouts of a connection and of a
    silent server are those of the session. Its own ``send`` has no bounds, and costs half as much
    again: here no more than ``most`` bytes of a body and one more are read, and a response ends
    within ``seconds``. Raises botocore's HTTP errors.
    """

    def __init__(self, session: Any, url: str, most: int, seconds: float) -> None:
        self._url, self._most = url, most
        # As URLLib3Session.send does, with its private methods.
        self._proxy = session._proxy_config.proxy_url_for(url)
        manager = session._get_connection_manager(url, self._proxy)
        self._pool = manager.connection_from_url(url)
        session._setup_ssl_cert(self._pool, url, session._verify)
        self._load_certificates(manager.connection_pool_kw["ssl_context"])
        self._target = partial(session._get_request_target, proxy_url=self._proxy)
        response = type("Response", (_Response,), {"seconds": seconds})
        self._pool.ConnectionCls = type(
            "Connection", (_OneWrite, self._pool.ConnectionCls), {"response_class": response}
        )

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Reply:
        """Send a request and return the response, of any status. Blocks; thread-safe."""
        from botocore.httpsession import ProtocolError  # which is urllib3's

        try:
            try:
                return self._exchange(method, url, headers, body)
            except ProtocolError:  # a server may close an idle connection at any moment
                return self._exchange(method, url, headers, body)
        except Exception as error:
            raise self._translated(error) from error

    def _load_certificates(self, context: ssl.SSLContext) -> None:
        """Load them once, and not for each connection, which takes longer than a request."""
        from botocore.exceptions import SSLError

        bundle, self._pool.ca_certs = self._pool.ca_certs, None
        try:
            if bundle:
                context.load_verify_locations(bundle)
        except OSError as error:
            raise SSLError(endpoint_url=self._url, error=error) from error

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

    def _translated(self, error: Exception) -> Exception:
        """Return the error that URLLib3Session.send raises in the place of urllib3's."""
        from botocore import exceptions, httpsession

        kinds = (
            (httpsession.URLLib3SSLError, exceptions.SSLError),
            (httpsession.NewConnectionError, exceptions.EndpointConnectionError),
            (httpsession.ProxyError, exceptions.ProxyConnectionError),
            (httpsession.URLLib3ConnectTimeoutError, exceptions.ConnectTimeoutError),
            (httpsession.URLLib3ReadTimeoutError, exceptions.ReadTimeoutError),
            (httpsession.ProtocolError, exceptions.ConnectionClosedError),
            (Exception, exceptions.HTTPClientError),
        )
        kind = next(theirs for ours, theirs in kinds if isinstance(error, ours))
        proxy = httpsession.mask_proxy_url(self._proxy or "")
        translated: Exception = kind(error=error, endpoint_url=self._url, proxy_url=proxy)
        return translated


class _OneWrite:
    """A connection that writes a request at once: head and body apart wake a server twice."""

    _pieces: list[bytes] | None = None

    def request(self, *args: Any, **options: Any) -> None:
        pieces: list[bytes] = []
        self._pieces = pieces
        try:
            super().request(*args, **options)  # type: ignore[misc]
        finally:
            self._pieces = None
        self.send(b"".join(pieces))

    def send(self, piece: bytes) -> None:
        if self._pieces is None:
            super().send(piece)  # type: ignore[misc]
        else:
            self._pieces.append(piece)


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
