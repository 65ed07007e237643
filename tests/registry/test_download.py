"""Downloads of configs: text from a presigned URL, or an error that does not contain the URL."""

from __future__ import annotations

import asyncio
from itertools import repeat

import pytest
from layerguard.registry import Availability, LayerAnswer, RegistryError
from layerguard.registry.download import MAX_BYTES, PlainHttp
from layerguard.verdict import Code

from tests.registry.raw_server import Answer, End, RawServer

pytestmark = pytest.mark.usefixtures("no_settings")


def answer(content: bytes, status: bytes = b"200 OK") -> Answer:
    head = b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n" % (status, len(content))
    return lambda: [head + content]


def endless() -> repeat[bytes]:
    return repeat(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 65_536)


async def error_of(url: str, download: PlainHttp) -> RegistryError:
    with pytest.raises(RegistryError) as caught:
        await download(url)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    return caught.value


def test_the_text_at_a_url_is_returned_on_a_connection_that_is_reused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    download = PlainHttp()

    async def scenario(url: str) -> None:
        for _ in range(3):
            assert await download(url) == '{"os": "linux"}'

    with RawServer(answer(b'{"os": "linux"}')) as server:
        asyncio.run(scenario(f"{server.url}/config?X-Amz-Signature=secret"))
        assert server.connections == 1
        for each in server.requests:
            assert each.line == "GET /config?X-Amz-Signature=secret HTTP/1.1"
            assert not each.headers.keys() & {"authorization", "x-amz-security-token"}


def test_the_largest_config_is_still_one() -> None:
    with RawServer(answer(b"x" * MAX_BYTES)) as server:
        assert len(asyncio.run(PlainHttp()(server.url))) == MAX_BYTES


@pytest.mark.parametrize(
    ("answered", "reason"),
    [
        (answer(b"gone", b"404 Not Found"), "A config's URL answers with status 404."),
        (answer(b"elsewhere", b"307 Moved"), "A config's URL answers with status 307."),
        (answer(b"\xff"), "A config is not text."),
        (answer(b"x" * (MAX_BYTES + 1)), "A config has more than 4,000,000 bytes."),
        (endless, "A config has more than 4,000,000 bytes."),
    ],
)
def test_any_other_response_is_an_error(answered: Answer, reason: str) -> None:
    with RawServer(answered) as server:
        error = asyncio.run(error_of(f"{server.url}/secret", PlainHttp()))
    assert (error.code, str(error)) == (Code.INCONSISTENT_ANSWER, reason)


@pytest.mark.parametrize(
    ("download", "name"),
    [(PlainHttp(read_timeout=0.2), "ReadTimeoutError"), (PlainHttp(seconds=0.2), "TimeoutError")],
)
def test_a_server_that_is_silent_is_an_error(download: PlainHttp, name: str) -> None:
    with RawServer(lambda: [End.HANG]) as server:
        error = asyncio.run(error_of(f"{server.url}/secret", download))
    assert str(error) == f"A config's download failed: {name}."


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/?X-Amz-Signature=secret", "secret", "", "ftp://127.0.0.1/secret"]
)
def test_a_url_that_leads_nowhere_is_an_error_that_does_not_repeat_it(url: str) -> None:
    assert asyncio.run(error_of(url, PlainHttp())).code is Code.UNREACHABLE


HEAD_ONLY = b"HTTP/1.1 %s\r\nContent-Length: 1000000000000\r\n\r\n"


@pytest.mark.parametrize(
    ("status", "known"),
    [
        (b"200 OK", LayerAnswer(Availability.AVAILABLE)),
        (b"307 Moved", LayerAnswer(Availability.AVAILABLE)),
        (b"404 Not Found", LayerAnswer(Availability.UNAVAILABLE)),
    ],
)
def test_whether_a_layer_is_at_a_url_is_known_without_its_bytes(
    status: bytes, known: LayerAnswer
) -> None:
    download = PlainHttp()

    async def scenario(url: str) -> None:
        for _ in range(2):
            assert await download.head(url) == known

    with RawServer(lambda: [HEAD_ONLY % status]) as server:
        asyncio.run(scenario(f"{server.url}/layer"))
        assert server.connections == 1
        assert [each.line for each in server.requests] == ["HEAD /layer HTTP/1.1"] * 2


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("{server}/refused", "127.0.0.1, which answers with status 403; containerd asks there"),
        ("http://user:secret@127.0.0.1:9/", "127.0.0.1, which does not answer (EndpointConn"),
        ("http://no.invalid:99999/", "no.invalid, which does not answer ("),
        ("http://\u00e9.invalid/\n", "\u00e9.invalid, which does not answer ("),
    ],
)
def test_a_url_that_does_not_say_whether_it_has_a_layer_leaves_it_open(
    url: str, words: str
) -> None:
    with RawServer(lambda: [HEAD_ONLY % b"403 Forbidden"]) as server:
        answered = asyncio.run(PlainHttp().head(url.format(server=server.url)))
    assert isinstance(answered, RegistryError)
    assert answered.code is Code.UPSTREAM
    assert words in str(answered)
    assert "secret" not in str(answered)


@pytest.mark.parametrize(
    "host",
    [
        *("169.254.169.254", "169.254.170.2:80", "2852039166", "0xA9FEA9FE"),
        *("[fe80::1%25eth0]", "[::ffff:169.254.169.254]", "[fd00:ec2::254]"),
    ],
)
def test_an_address_with_credentials_of_the_machine_is_not_asked(host: str) -> None:
    answered = asyncio.run(PlainHttp().head(f"http://{host}/latest/meta-data/"))
    assert isinstance(answered, RegistryError)
    assert "is an address of the machine that asks, and is not asked" in str(answered)
