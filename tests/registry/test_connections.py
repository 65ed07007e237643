"""Connections: requests and answers as they are sent, kept connections, and every way to fail."""

from __future__ import annotations

import gc
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
    SSLError,
)
from layerguard.registry.connections import Connections, Reply

from tests.registry.https import certificate, server_context


class Server(ThreadingHTTPServer):
    """Says what it was asked, and remembers how many connections there were."""

    def __init__(self, https: Path | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.connections = 0
        self.asked: list[str] = []
        self.hung = threading.Event()
        self.scheme = "https" if https else "http"
        if https:
            self.socket = server_context(https).wrap_socket(self.socket, server_side=True)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is what these tests are about."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append(self.path)
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
            case "/chunked":
                self.send_response(200)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                self.wfile.write(b"4\r\nfour\r\n5\r\n more\r\n0\r\n\r\n")
                return
        content = f"{self.command} {self.path} {self.headers['X-Said']} {body.decode()}".encode()
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
        """Say nothing."""


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


def post(connections: Connections, url: str) -> Reply:
    return connections.send("POST", url, {"X-Said": "hello"}, b"body")


def test_a_request_arrives_as_it_is_and_so_does_its_answer_whatever_its_status(
    server: Server,
) -> None:
    connections = Connections(2, 2)
    expected = {"/": 200, "/a/b?c=d&e": 200, "/teapot": 418}
    for path, status in expected.items():
        said = f"POST {path} hello body".encode()
        assert post(connections, f"{server.url}{path}") == (status, said)
    assert connections.send("GET", f"{server.url}?only=query", {}) == (
        200,
        b"GET /?only=query None ",
    )
    assert post(connections, f"{server.url}/chunked") == (200, b"four more")


def test_a_connection_is_kept_and_every_thread_has_its_own(server: Server) -> None:
    connections = Connections(2, 2)
    for _ in range(5):
        post(connections, server.url)
    assert server.connections == 1
    barrier = threading.Barrier(4)

    def ask() -> None:
        barrier.wait(5)
        for _ in range(5):
            post(connections, server.url)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.connections <= 4
    assert len(server.asked) == 25


def test_no_connection_is_left_when_nobody_has_them_any_more(server: Server) -> None:
    connections = Connections(2, 2)
    post(connections, server.url)
    del connections
    gc.collect()  # a socket that is left open would be a ResourceWarning, which is an error here


def test_what_is_larger_than_wanted_is_not_read_to_its_end(server: Server) -> None:
    connections = Connections(2, 2)
    said = b"GET / None "
    assert connections.send("GET", server.url, {}, most=len(said)).content == said
    assert server.connections == 1
    assert len(connections.send("GET", server.url, {}, most=4).content) == 5
    assert connections.send("GET", server.url, {}, most=100).content == said
    assert server.connections == 2


def test_what_ends_before_its_time_is_returned_as_far_as_it_came(server: Server) -> None:
    connections = Connections(2, 2)
    assert post(connections, f"{server.url}/half") == (200, b"half")
    assert post(connections, server.url).status == 200


def test_a_connection_that_ended_while_it_was_idle_is_made_anew_without_a_word(
    server: Server,
) -> None:
    connections = Connections(2, 2)
    for path in ("/last", "/", "/half", "/"):
        assert post(connections, f"{server.url}{path}").status == 200
    with pytest.raises(ConnectionClosedError):
        post(connections, f"{server.url}/close")
    # Once on the connection that was kept, and once on a new one.
    assert server.asked[-2:] == ["/close", "/close"]


def nobody() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize(
    ("place", "error"),
    [
        (lambda server: f"{server.url}/close", ConnectionClosedError),
        (lambda server: f"{server.url}/hang", ReadTimeoutError),
        (lambda server: f"{server.url}/rubbish", HTTPClientError),
        (lambda _: nobody(), EndpointConnectionError),
        (lambda _: "http://no-such-host.invalid", EndpointConnectionError),
        (lambda server: server.url.replace("http:", "https:"), SSLError),
    ],
)
def test_every_failure_is_botocores_error_for_it(
    server: Server, place: Callable[[Server], str], error: type[Exception]
) -> None:
    with pytest.raises(error):
        post(Connections(2, 0.2), place(server))


def test_a_header_that_cannot_be_sent_is_an_error_and_leaves_nothing_open(server: Server) -> None:
    with pytest.raises(HTTPClientError, match="Invalid header value"):
        Connections(2, 2).send("POST", server.url, {"X-Said": "two\r\nlines"})
    gc.collect()


@pytest.mark.parametrize("how", ["argument", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_a_certificate_is_held_against_the_bundle_that_is_named(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = certificate(tmp_path)
    if how != "argument":
        monkeypatch.setenv(how, str(path))
    with running(Server(path)) as server:
        connections = Connections(2, 2, str(path) if how == "argument" else None)
        assert post(connections, server.url).status == 200


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl names the files of such a folder")
def test_a_bundle_may_be_a_folder(tmp_path: Path) -> None:
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
        assert post(Connections(2, 2, str(folder)), server.url).status == 200


def test_a_certificate_that_nobody_vouches_for_or_of_another_host_is_refused(
    tmp_path: Path,
) -> None:
    path = certificate(tmp_path)
    with running(Server(path)) as server, pytest.raises(SSLError):
        post(Connections(2, 2), server.url)
    other = certificate(tmp_path, "127.0.0.2")
    with running(Server(other)) as server, pytest.raises(SSLError):
        post(Connections(2, 2, str(other)), server.url)


def test_a_proxy_of_the_environment_is_used_unless_the_host_is_excepted(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", server.url)
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    connections = Connections(2, 2)
    assert post(connections, "http://layers.example/config?a").content == (
        b"POST http://layers.example/config?a hello body"
    )
    assert len(connections.send("GET", "http://layers.example/", {}, most=4).content) > 4
    assert post(connections, f"{server.url}/direct").content == b"POST /direct hello body"
