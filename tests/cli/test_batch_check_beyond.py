"""What the command adds to the AWS CLI's: long lists, and an exit code of the answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from layerguard_cli import main

from tests.cli.scripted import ScriptedServer

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64
HEADERS = {"Content-Type": "application/x-amz-json-1.1"}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with ScriptedServer() as running:
        yield running


def ask(server: ScriptedServer, digests: list[str], *options: str) -> int:
    where = ("--endpoint-url", f"http://127.0.0.1:{server.port}", "--repository-name", "shop/web")
    asked = ("--layer-digests", *digests)
    return main(["batch-check-layer-availability", *where, *options, *asked])


def answer(*layers: tuple[str, str], failures: tuple[str, ...] = ()) -> dict[str, Any]:
    """An answer of ECR."""
    body = {
        "layers": [{"layerDigest": digest, "layerAvailability": state} for digest, state in layers],
        "failures": [{"layerDigest": digest} for digest in failures],
    }
    return {"status": 200, "headers": HEADERS, "body": body}


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (answer((A, "AVAILABLE"), (B, "AVAILABLE")), 0),
        (answer((A, "AVAILABLE"), (B, "UNAVAILABLE")), 1),
        (answer((A, "AVAILABLE"), (B, "ARCHIVED")), 1),
        (answer((A, "AVAILABLE"), failures=(B,)), 1),
        (answer((A, "AVAILABLE")), 1),  # B is not accounted for
        (answer(), 1),
    ],
)
def test_fail_on_unavailable_wants_every_digest_available(
    server: ScriptedServer, response: dict[str, Any], code: int
) -> None:
    server.play([response])
    assert ask(server, [A, B], "--fail-on-unavailable") == code
    assert ask(server, [A, B]) == 0


@pytest.mark.parametrize(("count", "parts"), [(100, [100]), (101, [100, 1]), (250, [100, 100, 50])])
def test_a_long_list_is_asked_in_parts_and_answered_as_one(
    server: ScriptedServer, capsys: pytest.CaptureFixture[str], count: int, parts: list[int]
) -> None:
    server.play([answer((A, "AVAILABLE"), failures=(B,))])
    digests = [f"sha256:{number:064x}" for number in range(count)]
    assert ask(server, digests) == 0
    asked = [json.loads(seen.body)["layerDigests"] for seen in server.seen]
    assert [len(part) for part in asked] == parts
    assert [digest for part in asked for digest in part] == digests
    printed = json.loads(capsys.readouterr().out)
    assert [len(printed["layers"]), len(printed["failures"])] == [len(parts), len(parts)]
