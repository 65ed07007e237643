"""The log on the real engine: of each kind of trouble it names the cause on one line at its end."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pulumi
import pytest
from layerguard_sandbox.ecr import SandboxEcr, docker_image
from layerguard_sandbox.ecr.registry import Registry

from tests.engine.conftest import Start
from tests.engine.programs import function, functions
from tests.processes import command_line, running_with

ROLE = "arn:aws:iam::210987654321:role/closed"
LINE = re.compile(r"\S+Z \d+ (DEBUG|INFO|WARNING|ERROR) (layerguard[\w.]*): (.*)")
# How many lines a log may have after the cause.
NEAR_THE_END = 3


@pytest.fixture
def image(registry: Registry) -> str:
    return registry.push("shop/web", docker_image("web"), tag="1").reference


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "layerguard.log"


@pytest.fixture(params=["info", "debug"])
def destination(file: Path, request: pytest.FixtureRequest) -> str:
    return f"{request.param}:{file}"


def messages(file: Path) -> list[str]:
    """Return the messages of a log, each of whose lines is a record."""
    found = []
    for line in file.read_text().splitlines():
        record = LINE.fullmatch(line)
        assert record, line
        found.append(record[3])
    return found


def the_end(file: Path) -> str:
    return "\n".join(messages(file)[-NEAR_THE_END:])


# The four kinds of trouble.


def test_without_credentials(
    start: Start,
    image: str,
    no_credentials: Mapping[str, str],
    destination: str,
    file: Path,
) -> None:
    environment = {**no_credentials, "LAYERGUARD_LOG": destination}
    assert start(functions(web=image), environment).preview().passed
    cause = "1 image use: no-credentials: NoCredentialsError: Unable to locate credentials."
    assert cause in the_end(file)
    assert any(
        re.fullmatch(
            r"No credentials from the default credential chain, after \d\.\d s: no-credentials: "
            r"NoCredentialsError: Unable to locate credentials\.",
            message,
        )
        for message in messages(file)
    )


def test_with_a_role_that_is_denied(
    start: Start, ecr: SandboxEcr, image: str, destination: str, file: Path
) -> None:
    def program() -> None:
        roles = json.dumps([{"roleArn": ROLE, "externalId": "an-external-id"}])
        inputs = {"region": "eu-west-1", "assumeRoles": roles}
        function("web", image, provider=pulumi.ProviderResource("aws", "closed", inputs))

    environment = {**ecr.environment, "LAYERGUARD_LOG": destination}
    assert start(program, environment).preview().passed
    cause = (
        "1 image use: access-denied: STS says AccessDenied: User: "
        "arn:aws:sts::123456789012:assumed-role/sandbox/session is not authorized to perform: "
        f"sts:AssumeRole on resource: {ROLE}."
    )
    assert cause in the_end(file)
    started = f"No credentials from the default credential chain and the role {ROLE}, after "
    assert any(message.startswith(started) for message in messages(file))
    assert "an-external-id" not in file.read_text()


class Refusing(BaseHTTPRequestHandler):
    """A proxy that lets nobody through."""

    def do_CONNECT(self) -> None:
        self.send_error(403)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def proxy() -> Iterator[int]:
    """The port of a proxy that lets nobody through."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_with_a_proxy_that_refuses(
    start: Start, ecr: SandboxEcr, image: str, proxy: int, destination: str, file: Path
) -> None:
    environment = {
        **{name: value for name, value in ecr.environment.items() if "ENDPOINT" not in name},
        "HTTPS_PROXY": f"http://user:hunter2@127.0.0.1:{proxy}",
        "NO_PROXY": "",
        "no_proxy": "",
        "LAYERGUARD_LOG": destination,
    }
    assert start(functions(web=image), environment).preview().passed
    end = the_end(file)
    assert "1 image use: unreachable: " in end
    assert f"http://127.0.0.1:{proxy}" in end
    assert "403 Forbidden" in end
    assert f"HTTPS_PROXY=http://127.0.0.1:{proxy}," in messages(file)[0]
    assert "hunter2" not in file.read_text()


class KillsTheWorker:
    """A program that kills the worker before it uses an image."""

    def __init__(self, image: str) -> None:
        self.folder = ""
        self._program = functions(web=image)

    def __call__(self) -> None:
        for process in running_with(self.folder):
            with suppress(OSError):
                if "layerguard.checking.worker" in command_line(process):
                    os.kill(process, signal.SIGKILL)
        self._program()


def test_with_a_worker_that_dies(
    start: Start, ecr: SandboxEcr, image: str, destination: str, file: Path
) -> None:
    program = KillsTheWorker(image)
    engine = start(program, {**ecr.environment, "LAYERGUARD_LOG": destination})
    program.folder = engine.folder
    assert engine.preview().passed
    cause = (
        r"The worker \(process \d+\) was killed by SIGKILL \(by the system, if memory ran out\), "
        r"with \d checks under way"
    )
    assert re.search(f"checked in this process: {cause}", the_end(file))
    in_its_place = re.compile(f"{cause}; this process asks ECR in its place")
    assert any(map(in_its_place.fullmatch, messages(file)))


# Where it goes.


def test_at_debug_it_has_every_call_and_the_next_run_is_appended(
    start: Start, ecr: SandboxEcr, image: str, file: Path
) -> None:
    engine = start(functions(web=image), {**ecr.environment, "LAYERGUARD_LOG": f"debug:{file}"})
    assert engine.preview().passed
    first = file.read_text()
    for text in (
        r"Images are checked by the worker, process \d+",
        r"\S+::web: 1 image uses, 0 provisions",
        rf"ECR in eu-west-1 is asked at {ecr.endpoint}/",
        r"BatchGetImage of 123456789012 in eu-west-1, shop/web, 1 ids: ok in \d\.\d{3} s.*",
        r"BatchCheckLayerAvailability of 123456789012 in eu-west-1, shop/web, 4 ids: ok in .*",
        rf"{image} for linux/amd64, with the default credential chain: available in .*",
        r"Findings on the stack: 0 block, 0 warn, 1 none",
        r"1 image use, 1 image, 4 layers checked, .*; checked by the worker, process \d+",
    ):
        assert any(re.fullmatch(text, message) for message in messages(file)), text
    assert engine.up().passed
    assert file.read_text().startswith(first)
    assert any(
        message.startswith("From the preview before, 1 images were read from /")
        for message in messages(file)
    )


@pytest.mark.parametrize(
    ("value", "is_shown"), [("debug", True), ("", False), ("everything", False)]
)
def test_on_standard_error_pulumi_shows_it_among_the_diagnostics(
    start: Start, ecr: SandboxEcr, image: str, value: str, is_shown: bool
) -> None:
    engine = start(functions(web=image), {**ecr.environment, "LAYERGUARD_LOG": value})
    outcome = engine.preview()
    assert outcome.passed
    _, _, diagnostics = outcome.output.partition("\nDiagnostics:\n")
    call = "DEBUG layerguard.registry: BatchGetImage of 123456789012 in eu-west-1, shop/web"
    assert (call in diagnostics) is is_shown
    refused = "layerguard: LAYERGUARD_LOG is 'everything': allowed are "
    assert (refused in diagnostics) is (value == "everything")


def test_a_broken_step_is_logged_with_its_traceback(
    start: Start, pack: Path, ecr: SandboxEcr, image: str, file: Path
) -> None:
    """The bug is a module of the pack that cannot be imported, so that there are no gates."""
    broken = pack / "layerguard" / "enforcement.py"
    content = broken.read_text()
    broken.write_text("raise RuntimeError('planted')\n")
    try:
        environment = {**ecr.environment, "LAYERGUARD_LOG": f"error:{file}"}
        outcome = start(functions(web=image), environment).preview()
    finally:
        broken.write_text(content)
    text = "This is a bug of Layerguard 0.1.0, so no image was checked (layerguard.enforcement:1)"
    assert text in outcome.output
    first, *trace = file.read_text().splitlines()
    assert "ERROR layerguard.enforcement: This is a bug of Layerguard 0.1.0" in first
    assert trace[0] == "    Traceback (most recent call last):"
    assert trace[-1] == "    RuntimeError: planted"
