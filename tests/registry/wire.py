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

import boto3
from botocore.config import Config

Say: TypeAlias = Callable[[dict[str, Any]], object]
"""From what is asked to what is answered: bytes as they are, anything else as JSON."""


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
        self._client: Any = None

    def __enter__(self) -> Wire:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._client:
            self._client.close()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def client(self, region: str) -> Any:
        """Return a client of boto3 that asks here, once and not again."""
        if self._client is None:
            self._client = boto3.Session("AKIAIOSFODNN7EXAMPLE", "secret").client(
                "ecr",
                region_name=region,
                endpoint_url=f"http://127.0.0.1:{self._server.server_port}",
                config=Config(read_timeout=20, retries={"total_max_attempts": 1}),
            )
        return self._client

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        wire = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle(self) -> None:
                with suppress(ConnectionError):
                    super().handle()

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                operation = self.headers["X-Amz-Target"].rpartition(".")[2]
                wire.asked[operation] += 1
                refused = wire.refuse.get(operation)
                if refused is None and operation not in wire.says:
                    refused = "AccessDeniedException"
                said = (
                    {"__type": refused, "message": "No."}
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
