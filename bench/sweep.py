"""`python -m bench.sweep`: an audit of thousands of stack exports, with its time, memory and calls.

The command is the installed one, in a process of its own; only ECR is scripted. The exports share
their images, as the stacks of an organisation do.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.images import ACCOUNT, HOST
from bench.server import RunningServer
from bench.soak import without_aws
from bench.soak_registry import images

EXPORTS, IMAGES, DISTINCT = 2_000, 50, 20_000
# Linux counts kilobytes, macOS bytes.
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024
_TASK = "aws:ecs/taskDefinition:TaskDefinition"


@dataclass(frozen=True, slots=True)
class Sweep:
    """One run: what it took. Memory is the most that was resident, in bytes."""

    format: str
    code: int
    seconds: float
    memory: int
    calls: Mapping[str, int]
    size: int

    def __str__(self) -> str:
        calls = ", ".join(f"{name} {count:,}" for name, count in sorted(self.calls.items()))
        return (
            f"{self.format}: exit code {self.code}, {self.seconds:.0f} s, "
            f"{self.memory / 1e6:.0f} MB resident, a report of {self.size / 1e6:.1f} MB; {calls}"
        )


def exports(count: int, each: int, references: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Make the exports; together they use every reference, and each one several times."""
    for number in range(count):
        stack = f"stack{number}"
        resources = [
            _task(stack, place, references[(number * each + place) % len(references)])
            for place in range(each)
        ]
        yield {"version": 3, "deployment": {"resources": resources}}


def _task(stack: str, place: int, reference: str) -> dict[str, Any]:
    containers = json.dumps([{"name": "web", "image": reference, "essential": True}])
    inputs = {"family": f"app{place}", "containerDefinitions": containers}
    arn = f"arn:aws:ecs:eu-west-1:{ACCOUNT}:task-definition/app{place}:1"
    return {
        "urn": f"urn:pulumi:{stack}::sweep::{_TASK}::app{place}",
        "custom": True,
        "id": arn,
        "type": _TASK,
        "inputs": inputs,
        "outputs": {**inputs, "arn": arn, "tags": {}, "volumes": []},
    }


def sweep(folder: Path, format_: str, server: RunningServer) -> Sweep:
    """Audit the exports in ``folder``, and return what it took."""
    out = folder.parent / f"report.{format_}"
    words = ("audit", str(folder), "--format", format_, "--out", str(out))
    limits = ("--total-timeout", "3600")
    server.take_calls()
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "layerguard_cli", *words, *limits],
        env={**without_aws(), **server.environment},
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    memory = usage.ru_maxrss * _RSS_UNIT
    calls = server.take_calls()
    return Sweep(format_, process.returncode, seconds, memory, calls, out.stat().st_size)


def main(arguments: Sequence[str]) -> int:
    """Run the sweep and print a line for each format."""
    parser = argparse.ArgumentParser("python -m bench.sweep", description=__doc__)
    parser.add_argument("--exports", type=int, default=EXPORTS)
    parser.add_argument("--images", type=int, default=IMAGES, help="of each export")
    parser.add_argument("--distinct", type=int, default=DISTINCT)
    parser.add_argument("--format", action="append", default=[])
    options = parser.parse_args(arguments)
    references = [fate.reference for _, fate in images(options.distinct)]
    assert all(each.startswith(HOST) for each in references)
    with (
        tempfile.TemporaryDirectory() as place,
        RunningServer("bench.soak_registry", str(options.distinct)) as server,
    ):
        folder = Path(place, "exports")
        folder.mkdir()
        for number, export in enumerate(exports(options.exports, options.images, references)):
            (folder / f"{number:05}.json").write_text(json.dumps(export), encoding="utf-8")
        for format_ in options.format or ["table", "json"]:
            print(sweep(folder, format_, server), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
