"""Downloads of configs: text from a presigned address, or an error in words."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from layerguard.errors import InconsistentAnswer, RegistryError, Unreachable
from layerguard.registry.download import MAX_BYTES, download

PAGES = {"/config": (200, b'{"os": "linux"}'), "/gone": (404, b"gone"), "/bytes": (200, b"\xff")}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert "Authorization" not in self.headers
        status, content = PAGES.get(self.path, (200, b"x" * (MAX_BYTES + 1)))
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parameter's name
        """Keep the tests' output quiet."""


@pytest.fixture
def url() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_text_at_an_address_is_returned(url: str) -> None:
    assert download(f"{url}/config") == '{"os": "linux"}'


@pytest.mark.parametrize(
    ("path", "error", "words"),
    [
        ("/gone", Unreachable, "The address of a config answers with status 404."),
        ("/bytes", InconsistentAnswer, "A config is not text."),
        ("/endless", InconsistentAnswer, "A config has more than 4,000,000 bytes."),
    ],
)
def test_anything_else_is_an_error(
    url: str, path: str, error: type[RegistryError], words: str
) -> None:
    with pytest.raises(error) as caught:
        download(f"{url}{path}")
    assert str(caught.value) == words


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/", "None", ""])
def test_an_address_that_leads_nowhere_is_an_error_too(address: str) -> None:
    with pytest.raises(RegistryError):
        download(address)
