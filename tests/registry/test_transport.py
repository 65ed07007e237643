"""What a network, a proxy or a server may do to a question, over HTTP and TLS: its true outcome."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from layerguard.identity import Identity, StaticKeys
from layerguard.reference import Repository
from layerguard.registry import LayerAnswer, RegistryError
from layerguard.registry.clients import Clients
from layerguard.registry.download import PlainHttp
from layerguard.registry.ecr import Ecr
from layerguard.registry.wire import WireClient
from layerguard.verdict import Code

from tests.fakes import digest_of
from tests.registry.certificates import certificate
from tests.registry.factories import ReadyClients
from tests.registry.loops import on_a_loop, until
from tests.registry.raw_server import Answer, End, RawServer

WEB, LAYER = Repository("123456789012", "eu-west-1", "shop/web"), digest_of("layer")
BODY = json.dumps(
    {"layers": [{"layerDigest": str(LAYER), "layerAvailability": "AVAILABLE"}]}
).encode()
OK, LENGTH, CHUNKED = (
    b"HTTP/1.1 200 OK\r\n",
    b"Content-Length: %d\r\n\r\n" % len(BODY),
    b"Transfer-Encoding: chunked\r\n\r\n",
)
WHOLE = OK + LENGTH + BODY
pytestmark = pytest.mark.usefixtures("no_settings")
KEYS = StaticKeys("AKIAIOSFODNN7EXAMPLE", "the-secret-key")


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    hosts = ("127.0.0.1", "api.ecr.eu-west-1.amazonaws.com")
    return certificate(tmp_path_factory.mktemp("tls"), *hosts)


@pytest.fixture(params=["http", "https"])
def over(request: pytest.FixtureRequest, tls: Path, monkeypatch: pytest.MonkeyPatch) -> Path | None:
    """The certificate of the server where it is asked over TLS."""
    if request.param == "http":
        return None
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tls))
    return tls


def sends(*pieces: bytes | End) -> Answer:
    return lambda: pieces


def drips(*pieces: bytes) -> Answer:
    """Send ``pieces``, and the last one again every tenth of a second, without end."""

    def drip() -> Iterator[bytes]:
        yield from pieces
        while True:
            time.sleep(0.1)
            yield pieces[-1]

    return drip


def floods(head: bytes, piece: bytes) -> Answer:
    def flood() -> Iterator[bytes]:
        yield head
        yield from repeat(piece)

    return flood


def ecr_at(url: str | None, identity: Identity | None = None) -> Ecr:
    return Ecr(Clients(identity or Identity(keys=KEYS, ecr_endpoint=url)))


def quick_ecr(url: str, silence: float = 20, seconds: float = 20, **options: Any) -> Ecr:
    """Return one that waits for a silent server for ``silence``, and ``seconds`` in all."""
    client = boto3.Session(KEYS.access_key, KEYS.secret_key).client(
        "ecr",
        region_name=WEB.region,
        endpoint_url=url,
        config=Config(read_timeout=silence, connect_timeout=20),
        **options,
    )
    return Ecr(ReadyClients(WireClient(client, seconds)))


async def outcome(ecr: Ecr) -> Code | None:
    """Ask about a layer; return the code of the failure, None for the true answer."""
    answer = (await ecr.layers(WEB, [LAYER]))[LAYER]
    if isinstance(answer, RegistryError):
        assert KEYS.secret_key not in str(answer)
        return answer.code
    assert isinstance(answer, LayerAnswer)
    return None


@pytest.mark.parametrize(
    "answer",
    [
        sends(WHOLE),
        sends(b"HTTP/1.1 100 Continue\r\n\r\n" + WHOLE),
        sends(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n", WHOLE),
        sends(b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n", b"\r\n" + WHOLE),
        sends(OK + CHUNKED, b"%x\r\n" % len(BODY) + BODY + b"\r\n0\r\n\r\n"),
        sends(OK + CHUNKED, *(b"1;a=b\r\n%c\r\n" % each for each in BODY), b"0\r\nX-A: b\r\n\r\n"),
    ],
)
def test_interim_answers_chunks_and_trailers_are_understood_and_the_connection_is_reused(
    over: Path | None, answer: Answer
) -> None:
    with RawServer(answer, tls=over) as server:
        ecr = ecr_at(server.url)

        @on_a_loop
        async def scenario() -> None:
            for _ in range(3):
                assert await outcome(ecr) is None

        scenario()
        assert (server.connections, len(server.requests)) == (1, 3)


def test_a_body_without_a_length_ends_with_the_connection(over: Path | None) -> None:
    with RawServer(sends(OK + b"\r\n" + BODY, End.CLOSE), tls=over) as server:
        assert asyncio.run(outcome(ecr_at(server.url))) is None


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (sends(End.CLOSE),                                             Code.UNREACHABLE),
        (sends(End.RESET),                                             Code.UNREACHABLE),
        (sends(OK + LENGTH + BODY[:9], End.CLOSE),                     Code.UNREACHABLE),
        (sends(OK + LENGTH + BODY[:9], End.RESET),                     Code.UNREACHABLE),
        (sends(OK + CHUNKED + b"4\r\n{\"a\r\n", End.CLOSE),            Code.UNREACHABLE),
        (sends(OK + CHUNKED + b"FF\r\n{}", End.CLOSE),                 Code.UNREACHABLE),
        (sends(OK + CHUNKED + b"four\r\n{}\r\n", End.CLOSE),           Code.UNREACHABLE),
        (sends(OK + CHUNKED + b"-4\r\n{}\r\n0\r\n\r\n", End.CLOSE),    Code.UNREACHABLE),
        (sends(b"SSH-2.0-OpenSSH\r\n", End.CLOSE),                     Code.UNREACHABLE),
        (sends(b"HTTP/1.1 two hundred\r\n\r\n", End.CLOSE),            Code.UNREACHABLE),
        (sends(OK, b"X: " + b"x" * 70_000 + b"\r\n\r\n", End.CLOSE),   Code.UNREACHABLE),
        (sends(OK, b"X: x\r\n" * 200, LENGTH + BODY, End.CLOSE),       Code.UNREACHABLE),
        (sends(b"HTTP/1.1 407 Proxy\r\nContent-Length: 0\r\n\r\n"),    Code.INTERNAL_ERROR),
        (sends(b"HTTP/1.1 502 Gateway\r\nContent-Length: 0\r\n\r\n"),  Code.UNREACHABLE),
        (sends(OK + b"Content-Length: 4\r\n\r\nnull"),                 Code.INCONSISTENT_ANSWER),
        (floods(OK + CHUNKED, b"10000\r\n" + b" " * 65_536 + b"\r\n"), Code.INCONSISTENT_ANSWER),
        (floods(OK + b"\r\n", b" " * 65_536),                          Code.INCONSISTENT_ANSWER),
        (floods(OK + b"Content-Length: 9999999999\r\n\r\n", b" " * 65_536), Code.INCONSISTENT_ANSWER),
    ],
)  # fmt: skip
def test_a_broken_or_endless_answer_is_a_failure_of_its_own_code(
    over: Path | None, answer: Answer, code: Code
) -> None:
    with RawServer(answer, tls=over) as server:
        assert asyncio.run(outcome(ecr_at(server.url))) is code


@pytest.mark.parametrize("how", [End.CLOSE, End.RESET])
def test_a_connection_that_ends_after_it_was_accepted_is_unreachable(
    over: Path | None, how: End
) -> None:
    with RawServer(at_accept=how, tls=over) as server:
        assert asyncio.run(outcome(ecr_at(server.url))) is Code.UNREACHABLE


@pytest.mark.parametrize(
    "answer", [sends(End.HANG), sends(OK, End.HANG), sends(OK + LENGTH + BODY[:9], End.HANG)]
)
def test_a_silent_server_is_timed_out(over: Path | None, answer: Answer) -> None:
    with RawServer(answer, tls=over) as server:
        assert asyncio.run(outcome(quick_ecr(server.url, silence=0.3))) is Code.TIMED_OUT


@pytest.mark.parametrize(
    "answer",
    [
        drips(OK, b"X"),
        drips(OK, b"X: y\r\n"),
        drips(OK + b"Content-Length: 9999\r\n\r\n", b" "),
        drips(OK + CHUNKED, b"1\r\n \r\n"),
        drips(b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
)
def test_an_answer_that_drips_is_timed_out_and_its_connection_ends(
    over: Path | None, answer: Answer
) -> None:
    with RawServer(answer, tls=over) as server:
        ecr, began = quick_ecr(server.url, seconds=1), time.monotonic()

        @on_a_loop
        async def scenario() -> None:
            assert await outcome(ecr) is Code.TIMED_OUT
            await until(lambda: server.ended)

        scenario()
        assert time.monotonic() - began < 15


@on_a_loop
async def test_a_name_server_that_does_not_answer_is_timed_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    may_answer = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: may_answer.wait(60) and [])
    assert await outcome(quick_ecr("http://registry.example", seconds=0.3)) is Code.TIMED_OUT
    may_answer.set()


def test_an_idle_connection_that_the_server_has_closed_is_replaced_at_once(
    over: Path | None,
) -> None:
    # Whether its end is seen before the next request is sent, or only after it.
    for answers in ([sends(WHOLE, End.CLOSE)], [sends(WHOLE), sends(End.CLOSE), sends(WHOLE)]):
        with RawServer(*answers, tls=over) as server:
            ecr = ecr_at(server.url)

            @on_a_loop
            async def scenario(ecr: Ecr = ecr) -> None:
                for _ in range(2):
                    assert await outcome(ecr) is None

            scenario()
            assert server.connections == 2


def test_many_questions_at_a_time_have_a_connection_each_and_leave_none_open(
    over: Path | None,
) -> None:
    together = threading.Barrier(100)

    def answer() -> Iterator[bytes]:
        together.wait(60)
        yield WHOLE

    async def scenario(ecr: Ecr) -> None:
        for _ in range(3):
            assert await asyncio.gather(*(outcome(ecr) for _ in range(100))) == [None] * 100

    with RawServer(answer, tls=over) as server:
        ecr = ecr_at(server.url)
        asyncio.run(scenario(ecr))
        assert (server.connections, server.ended) == (100, 0)
        del ecr
        asyncio.run(until(lambda: server.ended == 100))


def test_a_question_that_is_cancelled_disturbs_no_other(over: Path | None) -> None:
    with RawServer(sends(End.HANG), sends(WHOLE), tls=over) as server:
        ecr = ecr_at(server.url)

        @on_a_loop
        async def scenario() -> None:
            hangs = asyncio.ensure_future(outcome(ecr))
            await until(lambda: server.requests)
            hangs.cancel()
            assert await outcome(ecr) is None

        scenario()


def test_no_server_and_a_certificate_of_an_unknown_issuer_are_unreachable(tls: Path) -> None:
    with RawServer(sends(WHOLE), tls=tls) as secure:
        for url in ("http://127.0.0.1:1", "http://no-such-host.invalid", secure.url):
            assert asyncio.run(outcome(ecr_at(url))) is Code.UNREACHABLE
        assert not secure.requests


@pytest.mark.parametrize("how", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "ca_bundle"])
def test_certificates_are_verified_with_the_bundle_that_is_named(
    how: str, tls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if how == "ca_bundle":
        config = tmp_path / "config"
        config.write_text(f"[default]\nca_bundle = {tls}\n")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    else:
        monkeypatch.setenv(how, str(tls))
    text = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    with RawServer(sends(WHOLE), sends(text), tls=tls) as server:
        assert asyncio.run(outcome(ecr_at(server.url))) is None
        assert asyncio.run(PlainHttp()(f"{server.url}/config")) == "{}"


def test_a_bundle_that_does_not_exist_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", "/no/such/bundle.pem")
    answer = asyncio.run(ecr_at("https://127.0.0.1:1").layers(WEB, [LAYER]))[LAYER]
    assert isinstance(answer, RegistryError)
    assert answer.code is Code.UNREACHABLE
    assert "No such file" in str(answer)


def test_a_certificate_of_another_host_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = certificate(tmp_path, "127.0.0.2")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(other))
    with RawServer(sends(WHOLE), tls=other) as server:
        assert asyncio.run(outcome(ecr_at(server.url))) is Code.UNREACHABLE


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_a_client_that_verifies_nothing_accepts_any_certificate(tls: Path) -> None:
    with RawServer(sends(WHOLE), tls=tls) as server:
        assert asyncio.run(outcome(quick_ecr(server.url, verify=False))) is None


@pytest.mark.parametrize("password", ["", "user:p%40ss-word@"])
def test_a_proxy_is_asked_with_its_password_and_its_connections_are_reused(
    over: Path | None, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RawServer(sends(WHOLE), tls=over, is_proxy=True) as proxy:
        monkeypatch.setenv(
            "HTTPS_PROXY" if over else "HTTP_PROXY", proxy.url.replace("//", f"//{password}")
        )
        host = "api.ecr.eu-west-1.amazonaws.com"
        ecr = ecr_at(None if over else f"http://{host}")

        @on_a_loop
        async def scenario() -> None:
            for _ in range(5):
                assert await asyncio.gather(*(outcome(ecr) for _ in range(4))) == [None] * 4

        scenario()
        first = proxy.requests[0]
        assert first.headers.get("proxy-authorization") == (
            "Basic dXNlcjpwQHNzLXdvcmQ=" if password else None
        )
        answered = [each for each in proxy.requests if each.line.startswith("POST ")]
        if over:
            assert first.line.startswith(f"CONNECT {host}:443 ")
            assert {each.tunnel for each in answered} == {f"{host}:443"}
            assert not any("proxy-authorization" in each.headers for each in answered)
        else:
            assert {each.line for each in answered} == {f"POST http://{host}/ HTTP/1.1"}
        assert len(answered) == 20
        assert proxy.connections <= 4


def test_no_proxy_names_hosts_that_are_asked_directly(
    over: Path | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with RawServer(sends(WHOLE), tls=over) as server:
        assert asyncio.run(outcome(ecr_at(server.url))) is None


@pytest.mark.parametrize("refuses", [True, False])
@on_a_loop
async def test_a_proxy_that_refuses_or_is_not_there_is_unreachable_and_its_password_not_repeated(
    monkeypatch: pytest.MonkeyPatch, *, refuses: bool
) -> None:
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    with RawServer(sends(refusal), is_proxy=True) as proxy:
        place = proxy.url.partition("//")[2] if refuses else "127.0.0.1:1"
        monkeypatch.setenv("HTTPS_PROXY", f"http://somebody:the-password@{place}")
        answer = (await ecr_at(None).layers(WEB, [LAYER]))[LAYER]
    assert isinstance(answer, RegistryError)
    assert answer.code is Code.UNREACHABLE
    assert "somebody" not in str(answer)
    assert "the-password" not in str(answer)
