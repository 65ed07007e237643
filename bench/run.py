"""Runs cells: real processes, one after the other, in interleaved rounds."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

from layerguard_sandbox.engine import ROOT
from typing_extensions import assert_never

from bench.cells import Cell, Contender, Scenario, at
from bench.deployment import Deployment, Ran
from bench.images import make_image
from bench.outside import Outside
from bench.program import Program
from bench.server import RunningServer
from bench.stacks import resources, write_state
from bench.statistics import Sample

_LOOK_EVERY_SECONDS = 0.02
_ANSWERED_SECONDS = 60.0
# A start is short, and its chances are large: so many in each round.
_HANDSHAKES = 7


class Failed(Exception):
    """A run did not end as it should, so its time means nothing."""


class Bench:
    """Runs cells on this machine. Everything that it makes is gone with its ``with`` block.

    The packs are copies of what is in the clone when it begins, as `pulumi policy publish` would
    leave them, all with the pack's own virtual environment.
    """

    def __init__(self, server: RunningServer, provider: Path, outside: Outside) -> None:
        self._server = server
        self._provider = provider
        self._outside = outside
        self._exits = ExitStack()

    def __enter__(self) -> Bench:
        made = tempfile.TemporaryDirectory(prefix="layerguard-bench-")
        self._folder = Path(self._exits.enter_context(made))
        sources = {
            Contender.EMPTY: ROOT / "bench" / "packs" / "empty",
            Contender.NAIVE: ROOT / "bench" / "packs" / "naive",
            Contender.LAYERGUARD: ROOT / "policy",
        }
        ignored = shutil.ignore_patterns("venv", "__pycache__", "*.egg-info")
        self._packs: dict[Contender, Path] = {}
        for contender, source in sources.items():
            pack = self._folder / contender.value
            shutil.copytree(source, pack, ignore=ignored)
            (pack / "venv").symlink_to(ROOT / "policy" / "venv", target_is_directory=True)
            self._packs[contender] = pack
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    def measure(self, cell: Cell) -> Sample:
        """Run one cell once; raises Failed unless it ended well."""
        self._server.set_latency(cell.latency)
        self._server.take_calls()
        with tempfile.TemporaryDirectory(prefix="run-", dir=self._folder) as made:
            folder = Path(made)
            # What a run may leave for the next one of the same stack is not there for a new one.
            (folder / "cache").mkdir()
            environment = {
                **self._server.environment,
                "XDG_CACHE_HOME": str(folder / "cache"),
                "HOME": str(folder / "cache"),
                "LAYERGUARD_CACHE": "",  # that one would go before the others
            }
            match cell.scenario:
                case Scenario.HANDSHAKE:
                    seconds, peak = self._handshake(cell, environment), 0
                case Scenario.LOOP:
                    seconds, peak = self._loop(cell, environment), 0
                case (
                    Scenario.ANALYZE
                    | Scenario.PREVIEW
                    | Scenario.UPDATE
                    | Scenario.UPDATE_AFTER_PREVIEW
                ):
                    seconds, peak = self._deploy(cell, folder, environment)
                case _:
                    assert_never(cell.scenario)
        calls = self._server.take_calls()
        return Sample(seconds, peak, tuple(sorted(calls.items())))

    def can_measure(self, cell: Cell) -> bool:
        """Return whether this machine has what a cell needs."""
        return cell.scenario is not Scenario.LOOP or self._outside.has(cell.contender)

    def _deploy(
        self, cell: Cell, folder: Path, environment: Mapping[str, str]
    ) -> tuple[float, int]:
        stack = cell.stack
        deployment = Deployment(self._packs[cell.contender], self._provider, folder, environment)
        if cell.scenario is Scenario.ANALYZE:
            state = self._folder / f"{stack}.json"
            if not state.exists():
                write_state(stack, state)
            return self._timed(cell, deployment, partial(deployment.analyze, state))
        begun = deployment.begin()
        _require(cell, begun.passed, begun.output)
        with Program(resources(stack)) as program:
            if cell.scenario is Scenario.UPDATE_AFTER_PREVIEW:
                self._timed(cell, deployment, partial(deployment.preview, program))
                self._server.take_calls()  # those of the update count
            command = deployment.preview if cell.scenario is Scenario.PREVIEW else deployment.update
            return self._timed(cell, deployment, partial(command, program))

    def _timed(
        self, cell: Cell, deployment: Deployment, command: Callable[[], Ran]
    ) -> tuple[float, int]:
        with PeakMemory(deployment.pids) as memory:
            began = time.perf_counter()
            ran = command()
            took = time.perf_counter() - began
        _require(cell, ran.passed, ran.output)
        return took, memory.peak_bytes

    def _handshake(self, cell: Cell, environment: Mapping[str, str]) -> float:
        """Return the seconds from the start of the pack to its port on stdout."""
        others = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        began = time.perf_counter()
        process = subprocess.Popen(
            ["venv/bin/python", "-u", "-m", "pulumi.policy", "127.0.0.1:1", "."],
            cwd=self._packs[cell.contender],
            env={**others, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            assert process.stdout
            ready, _, _ = select.select([process.stdout], [], [], _ANSWERED_SECONDS)
            line = process.stdout.readline() if ready else b""
            took = time.perf_counter() - began
        finally:
            process.kill()
            process.communicate()
        _require(cell, line.strip().isdigit(), line.decode())
        return took

    def _loop(self, cell: Cell, environment: Mapping[str, str]) -> float:
        others = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        images = [make_image(each, cell.stack.layout) for each in range(cell.stack.images)]
        commands = self._outside.commands(cell.contender, images, self._server)
        began = time.perf_counter()
        for command in commands:
            ran = subprocess.run(
                command,
                env={**others, **environment},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            _require(cell, ran.returncode == 0, ran.stdout)
        return time.perf_counter() - began


class PeakMemory:
    """Watches the peak of the resident memory of a pack, whose id is the second in a file.

    It is the sum of the peaks of the pack's process and of its children, which is never less than
    the peak of their sum. The kernel keeps the peaks; only growth in the very last moment can be
    missed. Stays 0 where a language host starts the pack, which leaves no id.
    """

    def __init__(self, pids: Path) -> None:
        self.peak_bytes = 0
        self._pids = pids
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(_LOOK_EVERY_SECONDS):
            self.peak_bytes = max(self.peak_bytes, _peak_bytes(self._pids))


def _peak_bytes(pids: Path) -> int:
    """Return the peak so far, 0 where the pack has not begun or has ended."""
    try:
        _, pack = pids.read_text().split()
    except (OSError, ValueError):
        return 0
    return sum(_peak_of(process) for process in (pack, *_children(pack)))


def _children(process: str) -> list[str]:
    """Return the ids of what the threads of ``process`` started."""
    children: list[str] = []
    with suppress(OSError):  # any of it may end at any moment
        for thread in Path(f"/proc/{process}/task").glob("*/children"):
            with suppress(OSError):
                children += thread.read_text().split()
    return children


def _peak_of(process: str) -> int:
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


def run_rounds(
    bench: Bench, cells: Sequence[Cell], rounds: int, budget: float, report: Callable[[str], None]
) -> dict[Cell, list[Sample]]:
    """Measure every cell in every round, after a warm-up of each pack.

    A cell is not measured again where that would bring it above ``budget`` seconds. The contenders
    of one situation follow each other, so that what else the machine does meets them all.
    """
    for contender in dict.fromkeys(
        each.contender for each in cells if each.scenario is not Scenario.LOOP
    ):
        bench.measure(at(Scenario.ANALYZE, 1, 0).of(contender))  # compiles the pack
    samples: dict[Cell, list[Sample]] = {}
    for number in range(rounds):
        for cell in cells:
            so_far = [each.seconds for each in samples.get(cell, ())]
            if so_far and sum(so_far) + max(so_far) > budget:
                continue
            repeats = _HANDSHAKES if cell.scenario is Scenario.HANDSHAKE else 1
            new = [bench.measure(cell) for _ in range(repeats)]
            samples.setdefault(cell, []).extend(new)
            report(f"round {number + 1} of {rounds}: {cell}: {new[-1].seconds:.2f} s")
    return samples


def _require(cell: Cell, went_well: bool, output: str) -> None:
    if not went_well:
        raise Failed(f"{cell} did not end well:\n{output[-4000:]}")
