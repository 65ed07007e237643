"""An HTTP/1.1 server on 127.0.0.1."""

import socket
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread, current_thread
from typing import Any

from moto.core.request import Request

from layerguard_sandbox.ecr.faults import ConnectionCut, CutShort, Reply


class HttpServer(ThreadingHTTPServer):
    """Answers each request by `reply`, on one thread for each connection.

    Connections are kept open between requests, as AWS keeps them (the servers that moto runs on
    close each one); `stop` ends those that are open. For port 0 the system chooses one. Raises
    OSError where the port is taken or not allowed.
    """

    # More than the calls at a time that the configuration allows (200): a connection that does not
    # fit is lost, and a client tries it again only after 1, 3 and 7 s.
    request_queue_size = 1_024

    def __init__(self, reply: Callable[[Request], Reply], port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.reply = reply
        self._connections: dict[Thread, socket.socket] = {}
        self._serving = Thread(target=self.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """The address of the server."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def start(self) -> None:
        """Start to serve."""
        self._serving.start()

    def stop(self) -> None:
        """Close the port and every connection, and wait until their threads have ended."""
        if self._serving.is_alive():
            self.shutdown()
            self._serving.join()
        self.server_close()
        for thread, connection in list(self._connections.items()):
            with suppress(OSError):  # the client was faster
                connection.shutdown(socket.SHUT_RDWR)
            thread.join()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give a new connection its thread."""
        thread = Thread(
            target=self.process_request_thread, args=(request, client_address), daemon=True
        )
        self._connections[thread] = request
        thread.start()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection to its end, and forget it."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._connections.pop(current_thread(), None)


class _ServerRequest(Request):
    from_wsgi_server = True  # so that moto leaves the Date header to the server


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer leaves in one piece: two small ones would wait for each other
    server: HttpServer

    def handle(self) -> None:
        with suppress(ConnectionError):  # a client may leave at any time
            super().handle()

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = _ServerRequest.from_primitives(
            self.command, self.server.url + self.path, self.headers, content
        )
        try:
            self._send(self.server.reply(request))
        except ConnectionCut:
            self._leave()
        except CutShort as cut:
            self._send(cut.reply, half=True)
            self.wfile.flush()
            cut.released.wait()
            self._leave()

    do_GET = do_POST  # noqa: N815

    def _send(self, reply: Reply, *, half: bool = False) -> None:
        status, headers, body = reply
        encoded = body.encode() if isinstance(body, str) else body
        self.send_response_only(status)
        self.send_header("Date", self.date_time_string())
        self.send_header("Content-Length", str(len(encoded)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(encoded[: len(encoded) // 2] if half else encoded)

    def _leave(self) -> None:
        with suppress(OSError):  # the client was faster
            self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Log nothing: the journal has every request."""
