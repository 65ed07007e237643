"""A server with scripted answers about images and layers, for the real client over HTTP."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias

from layerguard.identity import Identity, StaticKeys
from layerguard.registry.clients import Clients

Script: TypeAlias = Callable[[dict[str, Any]], object]
"""From the parameters of a request to its answer: bytes as they are, anything else as JSON."""

DENIAL = "User: arn:aws:iam::123456789012:user/wire is not authorized to perform:"


class ScriptedEcr:
    """Answers each operation by its script; an operation without one is denied.

    ``refusals`` has the error codes of operations that are refused in another way, ``requests``
    counts by operation, ``headers`` are those of the request that came last.
    """

    def __init__(self, **scripts: Script) -> None:
        self.scripts: Mapping[str, Script] = scripts
        self.refusals: dict[str, str] = {}
        self.requests: Counter[str] = Counter()
        self.headers: Mapping[str, str] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        keys = StaticKeys("AKIAIOSFODNN7EXAMPLE", "the-secret-key")
        self.clients = Clients(
            Identity(keys=keys, ecr_endpoint=self.endpoint, sts_endpoint=self.endpoint)
        )

    def __enter__(self) -> ScriptedEcr:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answer(self, operation: str, parameters: dict[str, Any]) -> tuple[int, object]:
        self.requests[operation] += 1
        refusal = self.refusals.get(operation)
        if refusal is None and operation not in self.scripts:
            refusal = "AccessDeniedException"
        if refusal:
            return 400, {"__type": refusal, "message": f"{DENIAL} ecr:{operation}"}
        return 200, self.scripts[operation](parameters)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        scripted = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle(self) -> None:
                with suppress(ConnectionError):
                    super().handle()

            def do_POST(self) -> None:
                scripted.headers = dict(self.headers)
                parameters = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                operation = self.headers["X-Amz-Target"].rpartition(".")[2]
                status, answer = scripted._answer(operation, parameters)
                content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        return Handler
