"""A server that sends bytes as they are, over TCP or TLS, also in the place of a proxy."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeAlias

from tests.processes import PATIENCE
from tests.registry.certificates import server_context


class End(Enum):
    """How a connection ends, other than after the client's end of it."""

    CLOSE = "close"
    RESET = "reset"
    HANG = "hang"


Answer: TypeAlias = "Callable[[], Iterable[bytes | End]]"
"""Makes the pieces that are sent in answer to a request."""


class Request(NamedTuple):
    """A request as it was received; ``tunnel`` is the host and port that CONNECT named."""

    line: str
    headers: dict[str, str]
    body: bytes
    tunnel: str = ""


class RawServer:
    """Answers each request with the next of ``answers``; the last one repeats.

    With a certificate, ``tls``, it is asked over TLS; as a ``proxy`` it is itself the server at the
    end of every tunnel. ``at_accept`` is how connections end before anything is received.
    """

    def __init__(
        self,
        *answers: Answer,
        tls: Path | None = None,
        is_proxy: bool = False,
        at_accept: End | None = None,
    ) -> None:
        self._answers = list(answers)
        self._tls = server_context(tls) if tls else None
        self._is_proxy, self._at_accept = is_proxy, at_accept
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._over = threading.Event()
        self._lock = threading.Lock()
        self.requests: list[Request] = []
        self.connections = 0
        self.ended = 0
        scheme = "https" if tls and not is_proxy else "http"
        self.url = f"{scheme}://127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> RawServer:
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while not self._over.is_set():
                connection, _ = self._socket.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):  # the client has had enough
            if self._at_accept:
                self._end(connection, self._at_accept)
            elif self._tls and not self._is_proxy:
                self._answer_all(self._tls.wrap_socket(connection, server_side=True))
            else:
                self._answer_all(connection)
        connection.close()
        self.ended += 1

    def _answer_all(self, connection: socket.socket, tunnel: str = "") -> None:
        with connection, connection.makefile("rb") as reader:
            while request := _read(reader, tunnel):
                if request.line.startswith("CONNECT ") and self._tls:
                    with self._lock:
                        self.requests.append(request)
                    connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    inner = self._tls.wrap_socket(connection, server_side=True)
                    self._answer_all(inner, request.line.split()[1])
                    return
                with self._lock:
                    self.requests.append(request)
                    last = len(self._answers) == 1
                    answer = self._answers[0] if last else self._answers.pop(0)
                for piece in answer():
                    if isinstance(piece, End):
                        self._end(connection, piece)
                        return
                    connection.sendall(piece)

    def _end(self, connection: socket.socket, how: End) -> None:
        if how is End.RESET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif how is End.HANG:
            self._over.wait(PATIENCE)


def _read(reader: BinaryIO, tunnel: str) -> Request | None:
    line = str(reader.readline(), "latin-1").strip()
    headers = {}
    while header := str(reader.readline(), "latin-1").strip():
        name, _, value = header.partition(":")
        headers[name.lower()] = value.strip()
    body = reader.read(int(headers.get("content-length", 0)))
    return Request(line, headers, body, tunnel) if line else None
