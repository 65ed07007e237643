"""`python -m bench`: measures, prints the targets, and writes the page of a whole run."""

from __future__ import annotations

import argparse
import fnmatch
import os
import sys
import time
from collections.abc import Sequence
from http.client import HTTPConnection
from pathlib import Path

from layerguard_sandbox.engine import ROOT

from bench.cells import Cell, every_cell, quick_cells
from bench.document import Run, document
from bench.machine import machine, versions
from bench.outside import provide
from bench.plot import plot
from bench.provider import provide_provider
from bench.run import Bench, Failed, run_rounds
from bench.server import RunningServer
from tools.job import SetupFailed, say

PAGE = ROOT / "docs" / "benchmark.md"
_ROUNDS = 5
_QUICK_ROUNDS = 3
# Seconds for one cell in all of its rounds; the first is always measured.
_BUDGET = 60.0
_QUICK_BUDGET = 30.0
_REQUESTS = 2_000


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark; return the exit code."""
    options = _parser().parse_args(arguments)
    # Python keeps compiled modules by default, and so it does for users.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    cells = quick_cells() if options.quick else every_cell()
    cells = tuple(each for each in cells if _fits(each, options.only))
    rounds = options.rounds or (_QUICK_ROUNDS if options.quick else _ROUNDS)
    budget = _QUICK_BUDGET if options.quick else _BUDGET
    try:
        provider = provide_provider(os.environ)
        outside = provide(os.environ, cells)
        with RunningServer() as server, Bench(server, provider, outside) as bench:
            speed = _requests_per_second(server)
            measured = [each for each in cells if bench.can_measure(each)]
            results = run_rounds(bench, measured, rounds, budget, say)
    except (Failed, SetupFailed) as error:
        print(error, file=sys.stderr)
        return 1
    whole = not options.quick and not options.only
    run = Run(
        results,
        machine(),
        {**versions(), **outside.versions},
        rounds,
        speed,
        outside.unavailable,
        whole,
    )
    page: Path | None = options.out or (PAGE if whole else None)
    if page is None:
        print(document(run, "benchmark.svg"))
        return 0
    picture = page.with_suffix(".svg")
    page.write_text(document(run, picture.name), encoding="utf-8")
    picture.write_text(plot(results), encoding="utf-8")
    say(f"wrote {page.name} and {picture.name}")
    return 0


def _fits(cell: Cell, patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatch.fnmatch(str(cell), f"*{each}*") for each in patterns)


def _requests_per_second(server: RunningServer) -> float:
    """Return how many requests the registry answers on one connection, one after the other."""
    server.set_latency(0)
    connection = HTTPConnection(server.host, timeout=10)
    began = time.perf_counter()
    for _ in range(_REQUESTS):
        connection.request("GET", "/v2/")
        connection.getresponse().read()
    took = time.perf_counter() - began
    connection.close()
    return _REQUESTS / took


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only the cells of the targets")
    parser.add_argument("--rounds", type=int, help=f"default: {_ROUNDS}, or {_QUICK_ROUNDS}")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="PATTERN",
        help="only cells such as 'analyze/200x200-own/50ms/*'; may be given more than once",
    )
    parser.add_argument(
        "--out",
        type=Path,
        help="the page to write; default: docs/benchmark.md for a whole run, stdout for any other",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
