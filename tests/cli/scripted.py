"""An HTTP server that plays answers in their order, and records its requests."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class SeenRequest:
    """A request, as far as a recorded run has it."""

    target: str | None
    content_type: str | None
    path: str
    body: str
    authorization: str | None


class ScriptedServer:
    """Answers on 127.0.0.1 from the first answer to the last, which repeats."""

    def __init__(self, answers: Sequence[Mapping[str, Any]] = ()) -> None:
        self.answers = list(answers)
        self.seen: list[SeenRequest] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def port(self) -> int:
        return self._server.server_port

    def play(self, answers: Sequence[Mapping[str, Any]]) -> None:
        """Begin anew with these answers."""
        self.answers = list(answers)
        self.seen.clear()

    def __enter__(self) -> ScriptedServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        script = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                script.seen.append(
                    SeenRequest(
                        self.headers.get("X-Amz-Target"),
                        self.headers.get("Content-Type"),
                        self.path,
                        body,
                        self.headers.get("Authorization"),
                    )
                )
                answers = script.answers
                answer = answers[min(len(script.seen), len(answers)) - 1]
                text = answer["body"]
                content = (text if isinstance(text, str) else json.dumps(text)).encode()
                self.send_response(answer["status"])
                for name, value in answer["headers"].items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def do_GET(self) -> None:
                self.do_POST()

            def log_message(self, *_: object) -> None:
                pass

        return Handler
