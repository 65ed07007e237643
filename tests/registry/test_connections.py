"""Connections: requests and responses, reused connections, and every way to fail."""

from __future__ import annotations

import asyncio
import gc
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
    SSLError,
)
from layerguard.registry.connections import Connections, Reply

from tests.processes import wait_until
from tests.registry.certificates import certificate, server_context
from tests.registry.loops import on_a_loop, until

# Chunked bodies, by path.
CHUNKED = {
    "/chunked": b"4\r\nfour\r\n5\r\n more\r\n0\r\n\r\n",
    "/chunked/extended": b"4;a=b\r\nfour\r\n005 ; c\r\n more\r\n0;d\r\nX-One: 1\r\nX-Two: 2\r\n\r\n",
    "/chunked/cut": b"4\r\nfour\r\nA\r\n and",
    "/chunked/cut-between": b"4\r\nfour\r\n",
    "/chunked/cut-at-the-end": b"4\r\nfour\r\n0\r\nX-One: 1\r\n",
    "/chunked/silent": b"4\r\nfour\r\nA\r\n and",
    "/chunked/rubbish": b"four\r\n",
    "/chunked/negative": b"-4\r\nfour\r\n0\r\n\r\n",
}
WHOLE = ("/chunked", "/chunked/extended")


class Server(ThreadingHTTPServer):
    """Echoes requests, and records which connections were opened and which have ended.

    Requests to ``/together`` are answered when there are four of them.
    """

    def __init__(self, https: Path | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.opened: list[object] = []
        self.ended: list[object] = []
        self.paths: list[str] = []
        self.hung = threading.Event()
        self.together = threading.Barrier(4)
        self.scheme = "https" if https else "http"
        if https:
            self.socket = server_context(https).wrap_socket(self.socket, server_side=True)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}"

    @property
    def connections(self) -> int:
        return len(self.opened)

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that close their connections."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def setup(self) -> None:
        super().setup()
        self.server.opened.append(self.client_address)

    def finish(self) -> None:
        self.server.ended.append(self.client_address)
        super().finish()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.paths.append(self.path)
        match self.path.partition("?")[0]:
            case "/hang":
                self.server.hung.wait(30)
                self.close_connection = True
                return
            case "/close":
                self.close_connection = True
                return
            case "/half":
                self.send_response(200)
                self.send_header("Content-Length", "100")
                self.end_headers()
                self.wfile.write(b"half")
                self.close_connection = True
                return
            case "/rubbish":
                self.wfile.write(b"SSH-2.0-OpenSSH\r\n")
                self.close_connection = True
                return
            case "/together":
                self.server.together.wait(30)
            case path if path in CHUNKED:
                self.send_response(200)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                self.wfile.write(CHUNKED[path])
                if path == "/chunked/silent":
                    self.server.hung.wait(30)
                self.close_connection = path not in WHOLE
                return
            case path if path.endswith("/in-a-moment"):
                time.sleep(0.1)
            case "/interim":
                for status in (100, 103):
                    self.send_response_only(status)
                    self.send_header("Link", "</style.css>; rel=preload")
                    self.end_headers()
            case "/silent":
                self.send_response(200)
                self.send_header("Content-Length", "100")
                self.end_headers()
                self.wfile.write(b"half")
                self.server.hung.wait(30)
                self.close_connection = True
                return
        content = f"{self.command} {self.path} {self.headers['X-Header']} {body.decode()}".encode()
        self.send_response(418 if self.path == "/teapot" else 200)
        self.send_header("Content-Length", str(len(content)))
        if self.path == "/last":
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        self.do_POST()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def running(server: Server) -> Iterator[Server]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.hung.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    with running(Server()) as made:
        yield made


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)


async def post(connections: Connections, url: str) -> Reply:
    return await connections.send("POST", url, {"X-Header": "hello"}, b"body")


@on_a_loop
async def test_a_request_and_its_response_of_any_status_arrive_unchanged(
    server: Server,
) -> None:
    connections = Connections(20, 20)
    expected = {"/": 200, "/a/b?c=d&e": 200, "/teapot": 418}
    for path, status in expected.items():
        echo = f"POST {path} hello body".encode()
        assert await post(connections, f"{server.url}{path}") == (status, echo)
    assert await connections.send("GET", f"{server.url}?only=query", {}) == (
        200,
        b"GET /?only=query None ",
    )
    assert await post(connections, f"{server.url}/chunked") == (200, b"four more")


@on_a_loop
async def test_interim_responses_are_skipped(server: Server) -> None:
    connections = Connections(20, 20)
    for _ in range(2):
        answered = await post(connections, f"{server.url}/interim")
        assert answered == (200, b"POST /interim hello body")
    assert server.connections == 1


@on_a_loop
async def test_chunk_extensions_and_trailers_are_no_part_of_a_body(
    server: Server,
) -> None:
    connections = Connections(20, 20)
    for _ in range(2):
        assert await post(connections, f"{server.url}/chunked/extended") == (200, b"four more")
        assert await post(connections, server.url) == (200, b"POST / hello body")
    assert server.connections == 1


@on_a_loop
async def test_connections_are_reused_and_concurrent_requests_have_one_each(
    server: Server,
) -> None:
    connections = Connections(20, 20)
    for _ in range(5):
        await post(connections, server.url)
    assert server.connections == 1
    together = [post(connections, f"{server.url}/together") for _ in range(4)]
    assert await asyncio.gather(*together) == [(200, b"POST /together hello body")] * 4
    assert server.connections == 4

    async def ask() -> None:
        for _ in range(5):
            await post(connections, server.url)

    await asyncio.gather(*(ask() for _ in range(4)))
    assert server.connections == 4
    assert len(server.paths) == 29
    assert not server.ended


@pytest.mark.parametrize("is_secure", [False, True])
def test_no_connection_is_left_open_when_connections_are_garbage_collected(
    tmp_path: Path, *, is_secure: bool
) -> None:
    path = certificate(tmp_path) if is_secure else None

    @on_a_loop
    async def scenario(server: Server) -> None:
        connections = Connections(20, 20, str(path) if path else None)
        await post(connections, server.url)
        assert not server.ended
        del connections
        # A socket that is left open would be a ResourceWarning, which is an error here.
        gc.collect()
        await until(lambda: server.ended)

    with running(Server(path)) as server:
        scenario(server)


@pytest.mark.parametrize("is_secure", [False, True])
def test_no_connection_is_left_open_when_the_loop_ends(tmp_path: Path, *, is_secure: bool) -> None:
    path = certificate(tmp_path) if is_secure else None
    connections = Connections(20, 20, str(path) if path else None)

    @on_a_loop
    async def scenario(server: Server) -> None:
        # One is idle, and one waits for a response.
        await post(connections, server.url)
        hangs = asyncio.ensure_future(post(connections, f"{server.url}/hang"))
        await until(lambda: "/hang" in server.paths)
        await post(connections, server.url)
        assert server.connections == 2
        assert not server.ended
        assert not hangs.done()

    with running(Server(path)) as server:
        scenario(server)
        server.hung.set()  # its handler does not notice that the connection ended
        wait_until(lambda: sorted(map(str, server.ended)) == sorted(map(str, server.opened)))


@on_a_loop
async def test_a_request_that_is_cancelled_ends_its_connection_and_no_other(server: Server) -> None:
    connections = Connections(20, 20)
    await post(connections, server.url)
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(post(connections, f"{server.url}/hang"), 0.2)
    assert await post(connections, server.url) == (200, b"POST / hello body")
    assert server.connections == 2


@on_a_loop
async def test_a_body_above_the_limit_is_not_read_to_its_end(server: Server) -> None:
    connections = Connections(20, 20)
    echo = b"GET / None "
    assert (await connections.send("GET", server.url, {}, most=len(echo))).content == echo
    assert server.connections == 1
    assert len((await connections.send("GET", server.url, {}, most=4)).content) == 5
    assert (await connections.send("GET", server.url, {}, most=100)).content == echo
    assert server.connections == 2


@pytest.mark.parametrize(
    ("path", "received"),
    [
        ("/half", b"half"),
        ("/chunked/cut", b"four and"),
        ("/chunked/cut-between", b"four"),
        ("/chunked/cut-at-the-end", b"four"),
    ],
)
@on_a_loop
async def test_a_body_that_ends_early_is_returned_as_far_as_it_was_received(
    server: Server, path: str, received: bytes
) -> None:
    connections = Connections(20, 20)
    assert await post(connections, f"{server.url}{path}") == (200, received)
    assert (await post(connections, server.url)).status == 200
    assert server.connections == 2


@on_a_loop
async def test_an_idle_connection_that_has_ended_is_replaced(
    server: Server,
) -> None:
    connections = Connections(20, 20)
    for path in ("/last", "/", "/half", "/"):
        assert (await post(connections, f"{server.url}{path}")).status == 200
    with pytest.raises(ConnectionClosedError):
        await post(connections, f"{server.url}/close")
    # Once on the connection that was reused, and once on a new one.
    assert server.paths[-2:] == ["/close", "/close"]


def url_without_a_server() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize(
    ("make_url", "error"),
    [
        (lambda server: f"{server.url}/close", ConnectionClosedError),
        (lambda server: f"{server.url}/hang", ReadTimeoutError),
        (lambda server: f"{server.url}/silent", ReadTimeoutError),
        (lambda server: f"{server.url}/chunked/silent", ReadTimeoutError),
        (lambda server: f"{server.url}/rubbish", HTTPClientError),
        (lambda server: f"{server.url}/chunked/rubbish", HTTPClientError),
        (lambda server: f"{server.url}/chunked/negative", HTTPClientError),
        (lambda server: server.url.replace("http:", "gopher:"), HTTPClientError),
        (lambda _: url_without_a_server(), EndpointConnectionError),
        (lambda _: "http://no-such-host.invalid", EndpointConnectionError),
        (lambda server: server.url.replace("http:", "https:"), SSLError),
    ],
)
@on_a_loop
async def test_every_failure_is_raised_as_botocores_error(
    server: Server, make_url: Callable[[Server], str], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await post(Connections(30, 0.2 if error is ReadTimeoutError else 30), make_url(server))


@pytest.mark.parametrize("path", ["/close", "/hang", "/silent", "/rubbish", "/chunked/rubbish"])
@on_a_loop
async def test_a_failure_can_be_garbage_collected_without_a_warning(
    server: Server, path: str
) -> None:
    async def fail() -> None:
        try:
            await post(Connections(30, 0.2), f"{server.url}{path}")
        except HTTPClientError as error:
            # Its traceback leads here again: only the garbage collector ends this circle.
            failure = error
            assert failure.__traceback__

    await fail()
    gc.collect()  # whose warnings are errors


class LoopWithAClock(asyncio.SelectorEventLoop):
    """A loop whose time can be put forward."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead


@pytest.mark.parametrize("goes_on", [True, False])
def test_the_read_timeout_begins_again_with_every_piece_of_a_response(*, goes_on: bool) -> None:
    loop = LoopWithAClock()
    over = asyncio.Event()

    async def pass_on() -> None:
        for _ in range(20):  # what was written has been read by then
            await asyncio.sleep(0)
        loop.ahead += 600

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"body")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
        for piece in (b"0", b"12", b"345", b"6", b"789" if goes_on else b"78"):
            writer.write(piece)
            await pass_on()
        await pass_on()
        await pass_on()
        writer.close()
        over.set()

    async def scenario() -> Reply:
        server = await asyncio.start_server(drip, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            return await post(Connections(1000, 1000), f"http://127.0.0.1:{port}")
        finally:
            await over.wait()
            server.close()

    try:
        if goes_on:
            assert loop.run_until_complete(scenario()) == (200, b"0123456789")
        else:
            with pytest.raises(ReadTimeoutError):
                loop.run_until_complete(scenario())
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


class NameServer:
    """Replaces the standard library's lookup: it answers with addresses when it may."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
        self.hosts: list[str] = []
        self.may_answer = threading.Event()
        self._addresses = addresses
        self._real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self._look_up)

    def _look_up(self, host: str, port: int, **options: Any) -> list[Any]:
        self.hosts.append(host)
        assert self.may_answer.wait(30)
        return [each for name in self._addresses for each in self._real(name, port, **options)]


@on_a_loop
async def test_concurrent_requests_look_their_host_up_once(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = NameServer(monkeypatch, "127.0.0.1")
    connections = Connections(20, 20)
    url = f"http://registry.example:{server.server_port}/together"
    asked = [asyncio.ensure_future(post(connections, url)) for _ in range(4)]
    await until(lambda: names.hosts)
    names.may_answer.set()
    assert [reply.status for reply in await asyncio.gather(*asked)] == [200] * 4
    assert names.hosts == ["registry.example"]
    assert server.connections == 4


@on_a_loop
async def test_a_host_is_reached_at_the_first_of_its_addresses_that_answers(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first one refuses connections.
    NameServer(monkeypatch, "127.0.0.2", "127.0.0.1").may_answer.set()
    url = f"http://registry.example:{server.server_port}"
    assert (await post(Connections(20, 20), url)).status == 200


@on_a_loop
async def test_a_host_without_an_address_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    NameServer(monkeypatch).may_answer.set()
    with pytest.raises(EndpointConnectionError):
        await post(Connections(20, 20), "http://registry.example")


@on_a_loop
async def test_a_name_server_that_does_not_answer_costs_the_connect_timeout_and_blocks_no_other_host(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections = Connections(0.2, 20)
    await post(connections, server.url)
    names = NameServer(monkeypatch, "127.0.0.1")
    waits = asyncio.ensure_future(post(connections, "http://registry.example"))
    await until(lambda: names.hosts)
    assert await post(connections, server.url) == (200, b"POST / hello body")
    with pytest.raises(ConnectTimeoutError):
        await waits
    names.may_answer.set()


@on_a_loop
async def test_a_header_that_cannot_be_sent_is_an_error_and_opens_no_connection(
    server: Server,
) -> None:
    with pytest.raises(HTTPClientError, match="Invalid header value"):
        await Connections(20, 20).send("POST", server.url, {"X-Header": "two\r\nlines"})
    gc.collect()
    assert not server.opened


@pytest.mark.parametrize("how", ["argument", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
@on_a_loop
async def test_a_certificate_is_verified_with_the_bundle_that_is_named(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = certificate(tmp_path)
    if how != "argument":
        monkeypatch.setenv(how, str(path))
    with running(Server(path)) as server:
        connections = Connections(20, 20, str(path) if how == "argument" else None)
        assert (await post(connections, server.url)).status == 200


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl names the files of such a folder")
@on_a_loop
async def test_a_bundle_may_be_a_folder(tmp_path: Path) -> None:
    path = certificate(tmp_path)
    hashed = subprocess.run(
        ["openssl", "x509", "-hash", "-noout", "-in", path],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    folder = tmp_path / "certificates"
    folder.mkdir()
    (folder / f"{hashed}.0").write_bytes(path.read_bytes())
    with running(Server(path)) as server:
        assert (await post(Connections(20, 20, str(folder)), server.url)).status == 200


@on_a_loop
async def test_a_certificate_of_an_unknown_issuer_or_another_host_is_refused(
    tmp_path: Path,
) -> None:
    path = certificate(tmp_path)
    with running(Server(path)) as server, pytest.raises(SSLError):
        await post(Connections(20, 20), server.url)
    other = certificate(tmp_path, "127.0.0.2")
    with running(Server(other)) as server, pytest.raises(SSLError):
        await post(Connections(20, 20, str(other)), server.url)


@on_a_loop
async def test_a_proxy_of_the_environment_is_used_except_for_the_hosts_in_no_proxy(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", server.url)
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    connections = Connections(20, 20)
    assert await post(connections, "http://layers.example/config?a") == (
        200,
        b"POST http://layers.example/config?a hello body",
    )
    assert len((await connections.send("GET", "http://layers.example/", {}, most=4)).content) > 4
    assert await post(connections, f"{server.url}/direct") == (200, b"POST /direct hello body")


@on_a_loop
async def test_connections_to_a_proxy_are_reused(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, server.url)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    connections = Connections(20, 20)
    for _ in range(3):
        await asyncio.gather(
            *(post(connections, "http://layers.example/in-a-moment") for _ in range(20))
        )
    assert server.connections < 30
