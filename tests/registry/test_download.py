"""Downloads of configs: text from a presigned URL, or an error that does not contain the URL."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from layerguard.registry import Availability, LayerAnswer, RegistryError
from layerguard.registry.download import MAX_BYTES, PlainHttp
from layerguard.verdict import Code

from tests.registry.loops import on_a_loop

PAGES = {
    "/config": (200, b'{"os": "linux"}'),
    "/gone": (404, b"gone"),
    "/refused": (403, b"not for you"),
    "/moved": (307, b"elsewhere"),
    "/bytes": (200, b"\xff"),
    "/largest": (200, b"x" * MAX_BYTES),
    "/large": (200, b"x" * (MAX_BYTES + 1)),
}


class Server(ThreadingHTTPServer):
    """Counts its connections and records the headers of its requests."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.connections = 0
        self.headers: list[dict[str, str]] = []
        self.hung = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def do_HEAD(self) -> None:
        self.server.headers.append(dict(self.headers))
        status, _ = PAGES.get(self.path, (200, b""))
        self.send_response(status)
        self.send_header("Content-Length", "1000000000000")
        self.end_headers()

    def do_GET(self) -> None:
        self.server.headers.append(dict(self.headers))
        path = self.path.partition("?")[0]
        if path == "/hang":
            self.server.hung.wait()
            self.close_connection = True
            return
        status, content = PAGES.get(path, (200, b""))
        self.send_response(status)
        if path == "/endless":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self._send_without_end()
            return
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _send_without_end(self) -> None:
        self.close_connection = True
        try:
            while True:
                self.wfile.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        except OSError:
            pass  # the client has had enough

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parameter's name
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.hung.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def download(monkeypatch: pytest.MonkeyPatch) -> PlainHttp:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return PlainHttp(read_timeout=20)


@on_a_loop
async def test_the_text_at_a_url_is_returned_on_a_connection_that_is_reused(
    server: Server, download: PlainHttp
) -> None:
    for _ in range(3):
        assert await download(f"{server.url}/config") == '{"os": "linux"}'
    assert server.connections == 1


@on_a_loop
async def test_a_download_sends_no_credentials(
    server: Server, download: PlainHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    await download(f"{server.url}/config")
    (headers,) = server.headers
    assert not {name.lower() for name in headers} & {"authorization", "x-amz-security-token"}


@on_a_loop
async def test_the_largest_config_is_still_one(server: Server, download: PlainHttp) -> None:
    assert len(await download(f"{server.url}/largest")) == MAX_BYTES


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/gone", "A config's URL answers with status 404."),
        ("/moved", "A config's URL answers with status 307."),
        ("/bytes", "A config is not text."),
        ("/large", "A config has more than 4,000,000 bytes."),
        ("/endless", "A config has more than 4,000,000 bytes."),
    ],
)
@on_a_loop
async def test_any_other_response_is_an_error(
    server: Server, download: PlainHttp, path: str, reason: str
) -> None:
    with pytest.raises(RegistryError) as caught:
        await download(f"{server.url}{path}")
    assert (caught.value.code, str(caught.value)) == (Code.INCONSISTENT_ANSWER, reason)


@on_a_loop
async def test_a_server_that_is_silent_is_an_error(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(RegistryError) as caught:
        await PlainHttp(read_timeout=0.2)(f"{server.url}/hang")
    assert str(caught.value) == "A config's download failed: ReadTimeoutError."


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/?X-Amz-Signature=secret", "secret", "", "ftp://127.0.0.1/secret"]
)
@on_a_loop
async def test_a_url_that_leads_nowhere_is_an_error_that_does_not_repeat_it(
    download: PlainHttp, url: str
) -> None:
    with pytest.raises(RegistryError) as caught:
        await download(url)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/config", LayerAnswer(Availability.AVAILABLE)),
        ("/moved", LayerAnswer(Availability.AVAILABLE)),
        ("/gone", LayerAnswer(Availability.UNAVAILABLE)),
    ],
)
@on_a_loop
async def test_whether_a_layer_is_at_a_url_is_known_without_its_bytes(
    server: Server, download: PlainHttp, path: str, answer: LayerAnswer
) -> None:
    for _ in range(2):
        assert await download.head(f"{server.url}{path}") == answer
    assert server.connections == 1


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("{server}/refused", "127.0.0.1, which answers with status 403; containerd asks there"),
        ("http://user:secret@127.0.0.1:9/", "127.0.0.1, which does not answer (EndpointConn"),
        ("http://no.invalid:99999/", "no.invalid, which does not answer ("),
        ("http://\u00e9.invalid/\n", "\u00e9.invalid, which does not answer ("),
    ],
)
@on_a_loop
async def test_a_url_that_does_not_say_whether_it_has_a_layer_leaves_it_open(
    server: Server, download: PlainHttp, url: str, words: str
) -> None:
    answer = await download.head(url.format(server=server.url))
    assert isinstance(answer, RegistryError)
    assert answer.code is Code.UPSTREAM
    assert words in str(answer)
    assert "secret" not in str(answer)


@pytest.mark.parametrize(
    "host",
    [
        *("169.254.169.254", "169.254.170.2:80", "2852039166", "0xA9FEA9FE"),
        *("[fe80::1%25eth0]", "[::ffff:169.254.169.254]", "[fd00:ec2::254]"),
    ],
)
@on_a_loop
async def test_an_address_with_credentials_of_the_machine_is_not_asked(
    download: PlainHttp, host: str
) -> None:
    answer = await download.head(f"http://{host}/latest/meta-data/")
    assert isinstance(answer, RegistryError)
    assert "is an address of the machine that asks, and is not asked" in str(answer)
