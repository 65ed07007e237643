"""``layerguard sandbox``: a local ECR with sample images, until Ctrl-C.

Standard output has the variables that send the AWS SDKs to it, for a shell or a program; standard
error has an introduction for people. moto is an extra: it is imported when the sandbox starts.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shlex
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layerguard_sandbox.ecr import Pushed, SandboxEcr

_CANNOT_SERVE, _WRONG_USAGE = 2, 64
_NAP_SECONDS = 0.5
_SAMPLE = "shop/web:1.4.2"
_REGISTRY = ("123456789012", "eu-west-1")
# What an AWS SDK would prefer to the sandbox's own variables, or fail on.
_IN_THE_WAY = ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN")

_DESCRIPTION = """\
Starts a stand-in for Amazon ECR on 127.0.0.1, fills it with sample images and serves it until
Ctrl-C. It is not AWS: nothing leaves this machine, and nothing is kept when it ends. Standard
output has the variables that send the AWS SDKs there, standard error the sample images."""

_EXAMPLES = """\
examples:
  layerguard sandbox >sandbox.env                 in one terminal, then in another:
  . ./sandbox.env && layerguard check 123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:1.4.2
  layerguard sandbox --format fish >sandbox.fish
  layerguard sandbox --port 4510 --lose-layer --latency 0.05
  layerguard sandbox --lose-layer shop/worker:1.4.2 --format json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the sandbox."""
    parser.description = _DESCRIPTION
    parser.epilog = _EXAMPLES
    parser.add_argument(
        "--format",
        choices=tuple(_FORMATS),
        default="shell",
        help="how to print the variables: for sh, bash and zsh, for fish, or with the endpoint and "
        "the images as JSON (default: shell)",
    )
    parser.add_argument(
        "--lose-layer",
        nargs="?",
        action="append",
        const=_SAMPLE,
        default=[],
        metavar="REPOSITORY:TAG",
        help="make a layer of this sample image unavailable; can be given again (without a value: "
        f"{_SAMPLE})",
    )
    parser.add_argument(
        "--latency",
        type=_seconds,
        default=0.0,
        metavar="SECONDS",
        help="let every answer take this long (default: 0)",
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=0,
        help="the port on 127.0.0.1 (default: one that the system gives)",
    )


def run(arguments: argparse.Namespace, _stdin: TextIO, stdout: TextIO, stderr: TextIO) -> int:
    """Serve until Ctrl-C or SIGTERM, and return the exit code."""
    try:
        from layerguard_sandbox.ecr import Fault, SandboxEcr, fill
    except ModuleNotFoundError as error:
        if str(error.name).startswith("layerguard_sandbox"):
            raise
        extra = "pip install 'layerguard[sandbox]'"
        print(f"layerguard: the sandbox needs its extra, with moto: {extra}", file=stderr)
        return _CANNOT_SERVE
    with _ended_by_signals():
        try:
            ecr = SandboxEcr(_REGISTRY[1], arguments.port)
        except OSError as error:
            print(f"layerguard: port {arguments.port}: {error.strerror}.", file=stderr)
            return _CANNOT_SERVE
        with ecr:
            samples = fill(ecr, *_REGISTRY)
            pushed = {_name(each): each for each in (samples.web, samples.worker, samples.report)}
            lost = dict.fromkeys(arguments.lose_layer)
            for name in lost:
                if name not in pushed:
                    there = ", ".join(pushed)
                    print(f"layerguard: --lose-layer: no {name}; there is {there}.", file=stderr)
                    return _WRONG_USAGE
                image = pushed[name]
                ecr.registry(*_REGISTRY).lose_layer(image.repository, image.layers[0])
            if arguments.latency:
                ecr.faults.add(Fault(latency=arguments.latency))
            print(_FORMATS[arguments.format](ecr, pushed.values()), file=stdout, flush=True)
            print(_introduction(ecr, pushed, lost), file=stderr, flush=True)
            # No lock of Python's, which the exception of a signal can break; and not for ever:
            # a signal that comes just before the sleep begins is seen when it ends.
            while True:
                time.sleep(_NAP_SECONDS)
    return 0


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """End the block, and no more than it, at Ctrl-C and at SIGTERM."""
    ends = (signal.SIGINT, signal.SIGTERM)
    before = {end: signal.signal(end, signal.default_int_handler) for end in ends}
    try:
        with suppress(KeyboardInterrupt):
            yield
    finally:
        for end, handler in before.items():
            signal.signal(end, handler)


def _introduction(ecr: SandboxEcr, pushed: Mapping[str, Pushed], lost: Iterable[str]) -> str:
    """Return the introduction on standard error."""
    lines = [f"A stand-in for Amazon ECR, not AWS, is at {ecr.endpoint}; Ctrl-C ends it. It has:"]
    for name, image in pushed.items():
        lines.append(f"  {image.reference}{'  (a layer is lost)' if name in lost else ''}")
    first = next(iter(pushed.values())).reference
    lines.append(f"With the variables set, try: layerguard check {first}")
    return "\n".join(lines)


def _as_shell(ecr: SandboxEcr, _: Iterable[Pushed]) -> str:
    return "\n".join(
        (
            *(f"unset {name}" for name in _unwanted(ecr)),
            *(f"export {name}={shlex.quote(value)}" for name, value in ecr.environment.items()),
        )
    )


def _as_fish(ecr: SandboxEcr, _: Iterable[Pushed]) -> str:
    return "\n".join(
        (
            *(f"set -e {name}" for name in _unwanted(ecr)),
            *(f"set -gx {name} {shlex.quote(value)}" for name, value in ecr.environment.items()),
        )
    )


def _as_json(ecr: SandboxEcr, images: Iterable[Pushed]) -> str:
    document = {
        "endpoint": ecr.endpoint,
        "environment": dict(ecr.environment),
        "unset": _unwanted(ecr),
        "images": [image.reference for image in images],
    }
    return json.dumps(document, indent=2)


_FORMATS: Mapping[str, Callable[[SandboxEcr, Iterable[Pushed]], str]] = {
    "shell": _as_shell,
    "fish": _as_fish,
    "json": _as_json,
}


def _unwanted(ecr: SandboxEcr) -> list[str]:
    """Return the names of AWS's variables that would lead an SDK elsewhere."""
    own = {name for name in os.environ if name.startswith("AWS_")}
    return sorted(own.union(_IN_THE_WAY) - set(ecr.environment))


def _name(image: Pushed) -> str:
    return f"{image.repository}:{image.tag}"


def _seconds(text: str) -> float:
    with suppress(ValueError):
        seconds = float(text)
        if math.isfinite(seconds) and seconds >= 0:
            return seconds
    raise argparse.ArgumentTypeError(f"'{text}' is not a number of seconds from 0 on")


def _port(text: str) -> int:
    with suppress(ValueError):
        if (port := int(text)) in range(65536):
            return port
    raise argparse.ArgumentTypeError(f"'{text}' is not a port from 0 to 65535")
