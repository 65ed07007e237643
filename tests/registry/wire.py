"""A server that says of images and layers whatever it is told to, to the real client over HTTP."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, TypeAlias

from layerguard.identity import Identity, StaticKeys
from layerguard.registry.clients import Clients

Say: TypeAlias = Callable[[dict[str, Any]], object]
"""From what is asked to what is answered: bytes as they are, anything else as JSON."""


_WHO = "User: arn:aws:iam::123456789012:user/wire is not authorized to perform:"


class Wire:
    """Answers each operation by a function; one that it has none for is denied.

    ``refuse`` has the error codes of operations that are refused otherwise, ``asked`` counts the
    requests by operation.
    """

    def __init__(self, **says: Say) -> None:
        self.says: Mapping[str, Say] = says
        self.refuse: dict[str, str] = {}
        self.asked: Counter[str] = Counter()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        endpoint = f"http://127.0.0.1:{self._server.server_port}"
        keys = StaticKeys("AKIAIOSFODNN7EXAMPLE", "secret")
        self.client = Clients(Identity(keys=keys, ecr_endpoint=endpoint, sts_endpoint=endpoint))
        """The pack's own clients, which ask here."""

    def __enter__(self) -> Wire:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        wire = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle(self) -> None:
                with suppress(ConnectionError):
                    super().handle()

            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["Content-Length"]))
                asked = json.loads(content)
                operation = self.headers["X-Amz-Target"].rpartition(".")[2]
                wire.asked[operation] += 1
                refused = wire.refuse.get(operation)
                if refused is None and operation not in wire.says:
                    refused = "AccessDeniedException"
                said = (
                    {"__type": refused, "message": f"{_WHO} ecr:{operation}"}
                    if refused
                    else wire.says[operation](asked)
                )
                content = said if isinstance(said, bytes) else json.dumps(said).encode()
                self.send_response(400 if refused else 200)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        return Handler
