"""The demo: a real `pulumi preview` and `pulumi up`, stopped because a layer is missing.

The engine is the real one, the stack is the project's sample stack, and the pack is policy/ as it
would be published. AWS is a stand-in: the sandbox's ECR and its offline providers. Exits with 0
only if every step ended as it should.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from layerguard_sandbox.ecr import Pushed, SandboxEcr, fill, image_index, oci_image
from layerguard_sandbox.ecr.registry import Registry
from layerguard_sandbox.engine import ROOT, Engine, Outcome, sample_stack

PREVIEW_GATE = "ecr-layers-available-preview"
UPDATE_GATE = "ecr-layers-available"
ONLY_AMD64 = "amd64-only"
FUNCTION = "aws:lambda/function:Function::worker"


class Unexpected(Exception):
    """A step did not end as it should."""


def watch(line: str) -> None:
    """Print a line of the engine, but for those about where the stand-ins stand on PATH."""
    if " from $PATH at " not in line:
        print(line, flush=True)


class Demo:
    """The demo in its four parts. Each step prints a heading, then what the engine prints."""

    def __init__(self, engine: Engine, registry: Registry, worker: Pushed, state: Path) -> None:
        self._engine = engine
        self._registry = registry
        self._worker = worker
        self._state = state

    def healthy(self) -> None:
        """Every image of the sample stack is there: all passes."""
        step("preview of a healthy stack passes", self._engine.preview)
        step("up passes and creates everything", self._engine.up)
        self._engine.export(self._state)
        step("policy analyze finds nothing in what is deployed", self._analyze)

    def missing_layer(self) -> None:
        """A layer of shop/worker goes missing, as when a push broke off or a layer was purged."""
        lost = self._worker.layers[-1]
        self._engine.destroy()
        self._engine.forget()
        self._registry.lose_layer(self._worker.repository, lost)
        words = (f"layer-missing: imageUri: {self._worker.reference}", f"{lost} UNAVAILABLE")
        step("a layer is missing: preview is stopped", self._engine.preview, PREVIEW_GATE, words)
        step(
            "up --skip-preview is stopped before the function is created",
            self._engine.up,
            UPDATE_GATE,
            words,
        )
        if FUNCTION in self._engine.asked_to_create():
            raise Unexpected("the function with the missing layer was created")
        step(
            "policy analyze finds the same in the exported state",
            self._analyze,
            PREVIEW_GATE,
            words,
        )

    def other_mistakes(self) -> None:
        """Other mistakes have verdicts of their own."""
        self._registry.restore_layer(self._worker.repository, self._worker.layers[-1])
        self._engine.configure(reportTag="1.4.3")
        step(
            "a tag that does not exist: preview is stopped",
            self._engine.preview,
            PREVIEW_GATE,
            ("image-not-found: sourceConfiguration.imageRepository.imageIdentifier: ",),
        )
        self._engine.configure(reportTag="1.4.2", webTag=ONLY_AMD64)
        step(
            "an image without the wanted architecture: preview is stopped",
            self._engine.preview,
            PREVIEW_GATE,
            (
                'platform-missing: containerDefinitions[0].image (container "web"): ',
                "The image has no manifest for linux/arm64; it has linux/amd64.",
            ),
        )

    def restored(self) -> None:
        """All mistakes are corrected: the same stack passes."""
        self._engine.configure(webTag="1.4.2")
        step("restored: preview passes", self._engine.preview)
        step("restored: up passes", self._engine.up)

    def _analyze(self) -> Outcome:
        return self._engine.analyze(self._state)


def step(
    heading: str,
    run: Callable[[], Outcome],
    stopped_by: str | None = None,
    words: tuple[str, ...] = (),
) -> None:
    """Run a step; raise Unexpected unless it passed, or was stopped by a gate with all ``words``.

    ``policy analyze`` is stopped too, and names the gate as a preview does.
    """
    print(f"\n{'=' * 100}\n{heading}\n{'=' * 100}\n", flush=True)
    outcome = run()
    if outcome.passed is not (stopped_by is None):
        raise Unexpected(f"'{heading}' {'passed' if outcome.passed else 'was stopped'}")
    for text in (*words, stopped_by or "layerguard: "):
        if text not in outcome.output:
            raise Unexpected(f"'{heading}' does not print: {text}")


def main() -> int:
    """Play the demo; return the exit code."""
    # Pulumi's Automation API leaves a coroutine of each failed program to the garbage collector,
    # whose warning about it is no part of the demo.
    sys.unraisablehook = lambda _: None
    print("Everything here but AWS is real: a stand-in on 127.0.0.1 answers for ECR, and offline")
    print("stand-ins for the aws and kubernetes providers create nothing.", flush=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="layerguard-demo-")))
        ecr = stack.enter_context(SandboxEcr())
        registry = ecr.registry("123456789012", "eu-west-1")
        samples = fill(ecr)
        only_amd64 = image_index([oci_image("web", "amd64")], attestations=True)
        registry.push("shop/web", only_amd64, tag=ONLY_AMD64)
        engine = stack.enter_context(
            Engine(sample_stack, ROOT / "policy", ecr.environment, echo=watch)
        )
        demo = Demo(engine, registry, samples.worker, folder / "state.json")
        try:
            demo.healthy()
            demo.missing_layer()
            demo.other_mistakes()
            demo.restored()
        except Unexpected as error:
            print(f"\nThe demo did not go as it should: {error}.", file=sys.stderr)
            return 1
    print("\nEvery step ended as it should.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
