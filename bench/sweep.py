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
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.images import ACCOUNT
from bench.machine import machine
from bench.server import RunningServer
from bench.soak import without_aws
from bench.soak_registry import images

RECORD = Path(__file__).parent / "sweep.json"
EXPORTS, IMAGES, DISTINCT = 2_000, 50, 20_000
# Linux counts kilobytes, macOS bytes.
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024
_TASK = "aws:ecs/taskDefinition:TaskDefinition"


@dataclass(frozen=True, slots=True)
class Shape:
    """What is swept: so many exports, the images of each, and how many distinct ones in all."""

    exports: int
    images: int
    distinct: int
    format: str


SHAPES = (
    Shape(1_000, IMAGES, DISTINCT, "table"),
    Shape(EXPORTS, IMAGES, DISTINCT, "table"),
    Shape(EXPORTS, IMAGES, DISTINCT // 10, "table"),
    Shape(EXPORTS, IMAGES, DISTINCT, "json"),
)
"""Those of the page: half of the exports, all, all with a tenth of the images, all in JSON."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """One run: what it took. Memory is the most that was resident, in bytes."""

    shape: Shape
    code: int
    seconds: float
    memory: int
    calls: Mapping[str, int]
    size: int

    def __str__(self) -> str:
        calls = ", ".join(f"{name} {count:,}" for name, count in sorted(self.calls.items()))
        return (
            f"{self.shape}: exit code {self.code}, {self.seconds:.0f} s, "
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


def sweep(folder: Path, shape: Shape, server: RunningServer) -> Sweep:
    """Audit the exports in ``folder``, and return what it took."""
    out = folder.parent / "report"
    words = ("audit", str(folder), "--format", shape.format, "--out", str(out))
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
    return Sweep(shape, process.returncode, seconds, memory, calls, out.stat().st_size)


def measured(shapes: Sequence[Shape]) -> Iterator[Sweep]:
    """Run each sweep, and yield what it took."""
    for shape in shapes:
        references = [fate.reference for _, fate in images(shape.distinct)]
        with (
            tempfile.TemporaryDirectory() as place,
            RunningServer("bench.soak_registry", str(shape.distinct)) as server,
        ):
            folder = Path(place, "exports")
            folder.mkdir()
            for number, export in enumerate(exports(shape.exports, shape.images, references)):
                text = json.dumps(export)
                (folder / f"{number:05}.json").write_text(text, encoding="utf-8")
            yield sweep(folder, shape, server)


def sweep_section() -> Iterator[str]:
    """Yield the section of the benchmark's page about the sweeps that were kept, in Markdown."""
    record: Mapping[str, Any] = json.loads(RECORD.read_text())
    yield from ("## A large sweep", "")
    where = ", ".join(f"{name} {value}" for name, value in record["machine"].items())
    yield "`layerguard audit` of a folder of stack exports in one process, as"
    yield "`python -m bench.sweep --write` measured it, the scripted registry on the same machine"
    yield f"({where}). The memory is the most that was resident."
    yield "One image in 100 is absent, and one in 50 lacks a layer. A table has what needs"
    yield "attention, JSON every image with every layer: an export that was read is forgotten in"
    yield "both, and the memory is that of the distinct images and of what is reported."
    yield ""
    yield (
        "| exports | images of each | distinct images | format | seconds | memory | report "
        "| calls to ECR |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    for each in record["sweeps"]:
        shape = each["shape"]
        calls = ", ".join(f"{name} {count:,}" for name, count in sorted(each["calls"].items()))
        yield (
            f"| {shape['exports']:,} | {shape['images']:,} | {shape['distinct']:,} "
            f"| {shape['format']} | {each['seconds']:.0f} | {each['memory'] / 1e6:.0f} MB "
            f"| {each['size'] / 1e6:.1f} MB | {calls} |"
        )


def main(arguments: Sequence[str]) -> int:
    """Run the sweeps and print a line for each."""
    parser = argparse.ArgumentParser("python -m bench.sweep", description=__doc__)
    parser.add_argument("--exports", type=int, default=EXPORTS)
    parser.add_argument("--images", type=int, default=IMAGES, help="of each export")
    parser.add_argument("--distinct", type=int, default=DISTINCT)
    parser.add_argument("--format", default="table")
    parser.add_argument("--write", action="store_true", help="run those of the page, and keep them")
    options = parser.parse_args(arguments)
    one = Shape(options.exports, options.images, options.distinct, options.format)
    sweeps = []
    for each in measured(SHAPES if options.write else (one,)):
        print(each, flush=True)
        sweeps.append(asdict(each))
    if options.write:
        RECORD.write_text(json.dumps({"machine": machine(), "sweeps": sweeps}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
