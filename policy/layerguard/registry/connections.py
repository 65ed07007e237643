"""Connections: sends HTTP requests, and keeps what it opened for the next one."""

from __future__ import annotations

import os
import socket
import ssl
import threading
import weakref
from collections.abc import Mapping
from functools import cached_property
from http.client import (
    HTTPConnection,
    HTTPException,
    HTTPSConnection,
    IncompleteRead,
)
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from urllib.parse import SplitResult, urlsplit

_PIECE = 65_536


class Reply(NamedTuple):
    """A status and the bytes that came with it, one more than wanted where there are too many."""

    status: int
    content: bytes


class _Request(NamedTuple):
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    most: int | None


class Connections:
    """Sends requests to any host. Safe to use from many threads.

    By the standard library's client, which takes half of the processor time of botocore's session;
    that one is used where a proxy is on the way. Proxies and certificates are those that clients
    of boto3 have: ``bundle`` is the file or folder of certificates that the configuration names;
    without it, the environment and the default profile are asked for one.
    Raises botocore's HTTP errors, and does not try again. Times are in seconds.
    """

    def __init__(
        self, connect_timeout: float, read_timeout: float, bundle: str | None = None
    ) -> None:
        self._timeouts = (connect_timeout, read_timeout)
        self._bundle = bundle
        self._lock = threading.Lock()
        self._hosts: dict[tuple[str, str], _Host] = {}

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes = b"",
        most: int | None = None,
    ) -> Reply:
        """Send a request and read its answer, of whatever status, up to ``most`` bytes."""
        return self._host(url).send(_Request(method, url, headers, body, most))

    def _host(self, url: str) -> _Host:
        from botocore.utils import get_environ_proxies

        parts = urlsplit(url)
        key = (parts.scheme, parts.netloc)
        with self._lock:
            if key not in self._hosts:
                proxies = get_environ_proxies(url)
                self._hosts[key] = (
                    _ThroughProxy(self._verify, proxies, self._timeouts)
                    if proxies.get(parts.scheme)
                    else _Direct(self, *self._timeouts)
                )
            return self._hosts[key]

    @cached_property
    def _verify(self) -> str | bool:
        # As botocore's own clients choose it.
        from botocore.session import Session

        bundle = self._bundle or Session().get_config_variable("ca_bundle")
        return bundle or os.environ.get("REQUESTS_CA_BUNDLE") or True

    @cached_property
    def certificates(self) -> ssl.SSLContext:
        """What a server's certificate is held against."""
        from botocore.httpsession import get_cert_path

        path = get_cert_path(self._verify)
        if Path(path).is_dir():
            return ssl.create_default_context(capath=path)
        return ssl.create_default_context(cafile=path)


class _Host(Protocol):
    def send(self, request: _Request) -> Reply: ...


class _Direct:
    """The connections to one host."""

    def __init__(
        self, connections: Connections, connect_timeout: float, read_timeout: float
    ) -> None:
        self._connections = connections
        self._connect_timeout, self._read_timeout = connect_timeout, read_timeout
        self._idle: list[HTTPConnection] = []
        weakref.finalize(self, _close, self._idle)

    def send(self, request: _Request) -> Reply:
        from botocore.exceptions import ConnectionClosedError, HTTPClientError, ReadTimeoutError

        url, parts = request.url, urlsplit(request.url)
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        try:
            connection, is_used = self._idle.pop(), True
        except IndexError:
            connection, is_used = self._connect(url, parts), False
        try:
            connection.request(request.method, target, request.body, dict(request.headers))
            return self._read(connection, request.most)
        except BaseException as error:
            connection.close()
            if isinstance(error, TimeoutError):
                raise ReadTimeoutError(endpoint_url=url, error=error) from error
            if isinstance(error, OSError):
                if is_used:  # a server ends what was idle for long: that says nothing of it
                    return self.send(request)
                raise ConnectionClosedError(endpoint_url=url, error=error) from error
            if isinstance(error, (HTTPException, ValueError)):
                raise HTTPClientError(error=error) from error
            raise

    def _connect(self, url: str, parts: SplitResult) -> HTTPConnection:
        from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, SSLError

        host, timeout = parts.hostname or "", self._connect_timeout
        connection = (
            HTTPSConnection(
                host, parts.port, timeout=timeout, context=self._connections.certificates
            )
            if parts.scheme == "https"
            else HTTPConnection(host, parts.port, timeout=timeout)
        )
        try:
            connection.connect()
        except ssl.SSLError as error:
            raise SSLError(endpoint_url=url, error=error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(endpoint_url=url, error=error) from error
        except (OSError, UnicodeError) as error:
            raise EndpointConnectionError(endpoint_url=url, error=error) from error
        connection.sock.settimeout(self._read_timeout)
        # Between long silences, so that what is between does not forget the connection.
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return connection

    def _read(self, connection: HTTPConnection, most: int | None) -> Reply:
        with connection.getresponse() as response:
            try:
                content = response.read() if most is None else response.read(most + 1)
                is_whole = response.isclosed() and not response.will_close
            except IncompleteRead as error:
                content, is_whole = error.partial, False
        if is_whole:
            self._idle.append(connection)
        else:
            connection.close()
        return Reply(response.status, content)


def _close(connections: list[HTTPConnection]) -> None:
    for connection in connections:
        connection.close()


class _ThroughProxy:
    """botocore's HTTP session, which knows the ways of proxies."""

    def __init__(
        self, verify: str | bool, proxies: Mapping[str, str], timeouts: tuple[float, float]
    ) -> None:
        from botocore.httpsession import URLLib3Session

        self._session = URLLib3Session(verify=verify, proxies=proxies, timeout=timeouts)

    def send(self, request: _Request) -> Reply:
        from botocore.awsrequest import AWSRequest

        method, url, headers, body, most = request
        asked = AWSRequest(method, url, dict(headers), body, stream_output=True).prepare()
        response: Any = self._session.send(asked)
        content = bytearray()
        try:
            for piece in response.raw.stream(_PIECE):
                content += piece
                if most is not None and len(content) > most:
                    break
        finally:
            response.raw.close()  # keeps the connection where the answer was read to its end
        return Reply(response.status_code, bytes(content))
