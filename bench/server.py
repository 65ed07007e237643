"""A light scripted registry in a process of its own, with latency that costs no work.

The sandbox's ECR is as true as moto, and as slow: asked by forty threads it would be what is
measured. This one has its answers ready and waits on a timer. It serves ECR's protocol
to boto3, and the reads of OCI's distribution API to other clients.

`python -m bench.server` prints its address, and ends when its stdin does.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from http.client import HTTPConnection
from pathlib import Path

from bench.answers import Answers, Response
from bench.images import REGION, Layout, make_image

LARGEST = 1_000
_CONTROL = "/bench/"
_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found"}


class ScriptedRegistry:
    """What the connections share: the answers, and the latency of each, in seconds."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.latency = 0.0

    def control(self, path: str) -> Response:
        """Handle `/bench/latency/MILLISECONDS` and `/bench/calls`, which also resets the count."""
        match path.removeprefix(_CONTROL).split("/"):
            case ["latency", milliseconds]:
                self.latency = float(milliseconds) / 1000
                return Response(200, "application/json", b"{}")
            case _:
                calls = json.dumps(self.answers.calls).encode()
                self.answers.calls.clear()
                return Response(200, "application/json", calls)


class Connection(asyncio.Protocol):
    """One connection, kept open between requests as AWS keeps it."""

    def __init__(self, registry: ScriptedRegistry) -> None:
        self.registry = registry
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def reset(self) -> None:
        """Break the connection without a response, as a network does."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        self._buffer += data
        while True:
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            line, *lines = head.decode("latin-1").split("\r\n")
            headers = {
                name.lower(): value.strip()
                for name, _, value in (each.partition(":") for each in lines)
            }
            length = int(headers.get("content-length", 0))
            if len(rest) < length:
                return
            self._buffer = rest[length:]
            method, path, _ = line.split(" ", 2)
            self.reply(method, path, headers, rest[:length])

    def reply(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> None:
        """Answer one request."""
        if path.startswith(_CONTROL):
            self.send(encode(method, self.registry.control(path)), 0.0)
            return
        answers = self.registry.answers
        if method == "POST":
            answer = answers.post(headers.get("x-amz-target", ""), body)
        else:
            answer = answers.get(method, path.partition("?")[0])
        self.send(encode(method, answer), self.registry.latency)

    def send(self, encoded: bytes, latency: float) -> None:
        """Send an answer after a while."""
        if latency:
            asyncio.get_running_loop().call_later(latency, self._write, encoded)
        else:
            self._write(encoded)

    def _write(self, encoded: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(encoded)


def encode(method: str, answer: Response) -> bytes:
    """Return an answer as it goes over the wire."""
    digest = f"Docker-Content-Digest: {answer.digest}\r\n" if answer.digest else ""
    head = (
        f"HTTP/1.1 {answer.status} {_REASONS[answer.status]}\r\n"
        f"Content-Type: {answer.media_type}\r\n"
        f"{digest}Content-Length: {answer.length or len(answer.body)}\r\n\r\n"
    )
    return head.encode() + (b"" if method == "HEAD" else answer.body)


async def serve(registry: ScriptedRegistry, connection: Callable[[], Connection]) -> None:
    """Print the address, and answer every new ``connection`` until stdin ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(connection, "127.0.0.1", 0, backlog=512)
    address = "http://{}:{}".format(*server.sockets[0].getsockname()[:2])
    registry.answers.endpoint = address
    print(address, flush=True)
    async with server:
        await loop.run_in_executor(None, sys.stdin.read)


class RunningServer:
    """The server as a child process, for as long as a ``with`` block lasts."""

    def __init__(self, module: str = "bench.server", *arguments: str) -> None:
        self._command = [sys.executable, "-m", module, *arguments]

    def __enter__(self) -> RunningServer:
        self._process = subprocess.Popen(
            self._command,
            cwd=Path(__file__).parent.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout
        self.endpoint = self._process.stdout.readline().strip()
        if not self.endpoint:
            raise RuntimeError("the scripted registry did not start")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    @property
    def host(self) -> str:
        """The server's host and port."""
        return self.endpoint.partition("//")[2]

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that send an AWS SDK here, and nowhere else."""
        return {
            "AWS_ENDPOINT_URL_ECR": self.endpoint,
            "AWS_ENDPOINT_URL_STS": self.endpoint,
            "AWS_ACCESS_KEY_ID": "AKIALAYERGUARDBENCH0",
            "AWS_SECRET_ACCESS_KEY": "no-secret-but-the-benchmarks-own",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }

    def set_latency(self, milliseconds: int) -> None:
        """Set the latency of every answer from now on."""
        self._control(f"latency/{milliseconds}")

    def trouble(self, *, on: bool) -> None:
        """Switch the troubles of a registry that has some."""
        self._control(f"trouble/{'on' if on else 'off'}")

    def take_calls(self) -> Mapping[str, int]:
        """Return how often each operation was called since the last time."""
        calls: dict[str, int] = json.loads(self._control("calls"))
        return calls

    def _control(self, command: str) -> bytes:
        connection = HTTPConnection(self.host, timeout=10)
        try:
            connection.request("GET", f"{_CONTROL}{command}")
            return connection.getresponse().read()
        finally:
            connection.close()


def main() -> None:
    """Serve the benchmark's images."""
    images = (make_image(number, layout) for layout in Layout for number in range(LARGEST))
    registry = ScriptedRegistry(Answers(images))
    asyncio.run(serve(registry, lambda: Connection(registry)))


if __name__ == "__main__":
    main()
