"""`python -m bench.soak`: thousands of images through the real client, with and without trouble.

Each of the two runs is a process that checks every image, compares its verdicts with the true
ones, and counts its memory, threads and open files. The event loop, botocore, the connections and
the retries are the real ones; only ECR is scripted.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from layerguard.checking.checker import Checker
from layerguard.discovery import ImageUse
from layerguard.discovery.walker import target_of
from layerguard.registry.clients import OrdinaryChain
from layerguard.registry.ecr import Ecr
from layerguard_sandbox.engine import ROOT

from bench.server import RunningServer
from bench.soak_registry import images

IMAGES = 5_000
# Bytes that a run may take: boto3 alone takes 40 MB, and an image the verdict on its layers.
MEMORY = 60_000_000
MEMORY_PER_IMAGE = 25_000
_MODULE = "bench.soak"
# macOS counts bytes, the others kilobytes.
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True)
class Result:
    """One run. Memory is in bytes; threads and files are those beyond the ones at the start.

    ``wrong`` are references whose verdict is not the true one; ``files`` are open ones, sockets
    included.
    """

    wrong: tuple[str, ...]
    images: int
    layers: int
    calls: int
    seconds: float
    memory: int
    most_threads: int
    most_files: int
    threads_left: int
    files_left: int

    @property
    def passed(self) -> bool:
        """Whether every verdict is true, nothing is left, and memory is bounded."""
        bound = MEMORY + MEMORY_PER_IMAGE * self.images
        left = self.threads_left or self.files_left
        return not (self.wrong or left or self.memory > bound)


class Watch:
    """Looks at the threads and the open files of this process while a ``with`` block lasts."""

    def __init__(self) -> None:
        self._threads, self._files = threading.active_count(), _open_files()
        self.most_threads = self.most_files = 0

    @property
    def threads(self) -> int:
        """How many threads there are beyond those at the start, without the watch's own."""
        return threading.active_count() - self._threads

    @property
    def files(self) -> int:
        """How many files are open beyond those at the start."""
        return _open_files() - self._files

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look again and again."""
        done = threading.Event()

        def look() -> None:
            while not done.wait(0.05):
                self.most_threads = max(self.most_threads, self.threads - 1)
                self.most_files = max(self.most_files, self.files)

        watcher = threading.Thread(target=look)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()


def check_all(count: int) -> Result:
    """Check so many images of the registry that the environment names."""
    uses, expected = [], []
    for image, fate in images(count):
        text = fate.reference
        uses.append(ImageUse(image.tag, "type", "path", None, text, target_of(text), None))
        expected.append(fate.code)
    watch, memory, began = Watch(), _memory(), time.monotonic()
    checker = Checker.in_process(Ecr(OrdinaryChain()))
    with watch.watching():
        verdicts = checker.check(uses)
    seconds = time.monotonic() - began
    summary = checker.summary(verdicts)
    wrong = tuple(
        f"{use.text}: {verdict.code.text}: {verdict.reason}"
        for use, verdict, code in zip(uses, verdicts, expected, strict=True)
        if verdict.code.text != code
    )
    grown = _memory() - memory
    checker.close()
    del checker, verdicts
    _settle(watch)
    return Result(
        wrong,
        summary.images,
        summary.layers,
        summary.calls,
        seconds,
        grown,
        watch.most_threads,
        watch.most_files,
        watch.threads,
        watch.files,
    )


def _settle(watch: Watch) -> None:
    """Give threads a moment to end, and connections to be collected."""
    end = time.monotonic() + 60
    while time.monotonic() < end and (watch.threads or watch.files):
        gc.collect()
        time.sleep(0.05)


def _memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT


def _open_files() -> int:
    return len(os.listdir("/dev/fd"))  # noqa: PTH208 - a listing that counts itself each time


def run(count: int, server: RunningServer, *, trouble: bool) -> Result:
    """Check in a process of its own, so that memory is this run's alone."""
    server.trouble(on=trouble)
    ran = subprocess.run(
        [sys.executable, "-m", _MODULE, "--images", str(count), "--one-run"],
        cwd=ROOT,
        env={**without_aws(), **server.environment},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    document = json.loads(ran.stdout)
    return Result(**{**document, "wrong": tuple(document["wrong"])})


def without_aws() -> dict[str, str]:
    """Return the environment without what sends an AWS SDK elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


def soak(count: int) -> tuple[Result, Result]:
    """Return a run without trouble and one with it."""
    with RunningServer("bench.soak_registry", str(count)) as server:
        return run(count, server, trouble=False), run(count, server, trouble=True)


def main(arguments: Sequence[str]) -> int:
    """Soak, print the results, and return 1 where one of the runs did not pass."""
    parser = argparse.ArgumentParser(prog=f"python -m {_MODULE}", description=__doc__)
    parser.add_argument("--images", type=int, default=IMAGES, help="how many images to check")
    parser.add_argument("--one-run", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one_run:
        print(json.dumps(asdict(check_all(options.images))))
        return 0
    passed = True
    for name, result in zip(("calm", "troubled"), soak(options.images), strict=True):
        print(
            f"{name}: {result.images:,} images, {result.layers:,} layers, {result.calls:,} calls "
            f"in {result.seconds:.1f} s; {len(result.wrong)} wrong verdicts; memory grew by "
            f"{result.memory / 1e6:.0f} MB; at most {result.most_threads} threads and "
            f"{result.most_files} open files, {result.threads_left} and {result.files_left} left"
        )
        for wrong in result.wrong[:10]:
            print(f"  {wrong}")
        passed = passed and result.passed
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
