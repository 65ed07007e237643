"""The inspector: judges many image uses at a time, each image once."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from layerguard.discovery import ImageUse
from layerguard.errors import RegistryError
from layerguard.inspection.advice import advise
from layerguard.inspection.image import inspect_image
from layerguard.inspection.judgement import Judgement, judge
from layerguard.inspection.once import Once
from layerguard.manifest import Platform
from layerguard.reference import Digest, ImageId, ImageReference
from layerguard.registry import ImageAnswer, LayerAnswer, Registry
from layerguard.verdict import Code, State, Verdict

WORKERS = 40


@dataclass(frozen=True, slots=True)
class Summary:
    """A run in numbers. ``seconds`` is the time from the first question to the last answer."""

    image_uses: int
    images: int
    layers: int
    unavailable: int
    undetermined: int
    pending: int
    calls: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"layerguard: {self.image_uses} image uses, {self.images} images, "
            f"{self.layers} layers checked, {self.unavailable} unavailable, "
            f"{self.undetermined} undetermined, {self.pending} pending; "
            f"{self.calls} calls to ECR in {self.seconds:.1f} s"
        )


class Inspector:
    """Judges image uses with a registry. Safe to use from many threads.

    An exception inside is a verdict too: one image never hides another.
    """

    def __init__(
        self,
        registry: Registry,
        workers: int = WORKERS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._registry = registry
        self._clock = clock
        self._images: Once[ImageId, ImageAnswer | RegistryError] = Once(registry.images)
        self._layers: Once[Digest, LayerAnswer | RegistryError] = Once(registry.layers)
        self._configs: Once[Digest, str | RegistryError] = Once(registry.configs)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="layerguard")
        self._lock = threading.Lock()
        self._verdicts: dict[tuple[ImageReference, Platform | None], Future[Verdict]] = {}
        self._first_question: float | None = None
        self._last_answer = 0.0

    def start(self, uses: Iterable[ImageUse]) -> None:
        """Begin to inspect the images of ``uses`` in the background; return at once."""
        for use in uses:
            if isinstance(use.target, ImageReference):
                self._start(use.target, use.platform)

    def judge(self, uses: Iterable[ImageUse]) -> tuple[Judgement, ...]:
        """Return a judgement for each of ``uses``, in their order; wait for what is not known."""
        uses = tuple(uses)
        self.start(uses)
        return tuple(judge(use, self._verdict(use)) for use in uses)

    def forget(self, use: ImageUse) -> None:
        """Drop what is known of the repository of ``use``, whose images may have changed."""
        if not isinstance(use.target, ImageReference):
            return
        repository = use.target.repository
        with self._lock:
            for key in [key for key in self._verdicts if key[0].repository == repository]:
                del self._verdicts[key]
        for asked in (self._images, self._layers, self._configs):
            asked.forget(repository)

    def summary(self, judgements: Iterable[Judgement]) -> Summary:
        """Return the numbers of a run that came to ``judgements``; skipped uses do not count."""
        states = Counter(judgement.verdict.state for judgement in judgements)
        with self._lock:
            first, last = self._first_question, self._last_answer
            images = {(reference.repository, reference.image_id) for reference, _ in self._verdicts}
        return Summary(
            sum(states.values()) - states[State.SKIPPED],
            len(images),
            len(self._layers),
            states[State.UNAVAILABLE],
            states[State.UNDETERMINED],
            states[State.PENDING],
            self._registry.calls,
            0.0 if first is None else max(0.0, last - first),
        )

    def close(self) -> None:
        """Drop what has not begun, and free the threads once they are done."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _start(self, reference: ImageReference, platform: Platform | None) -> Future[Verdict]:
        key = (reference, platform)
        with self._lock:
            if self._first_question is None:
                self._first_question = self._clock()
            if key not in self._verdicts:
                self._verdicts[key] = self._pool.submit(self._inspect, reference, platform)
            return self._verdicts[key]

    def _verdict(self, use: ImageUse) -> Verdict:
        if isinstance(use.target, Verdict):
            return use.target
        return self._start(use.target, use.platform).result()

    def _inspect(self, reference: ImageReference, platform: Platform | None) -> Verdict:
        try:
            return inspect_image(reference, platform, self._images, self._layers, self._configs)
        except Exception as error:  # the boundary: a bug is a verdict that names itself as one
            return Verdict(
                Code.INTERNAL_ERROR,
                f"This is a bug of Layerguard: {type(error).__name__}: {error}",
                advise(Code.INTERNAL_ERROR, reference, None, platform),
            )
        finally:
            with self._lock:
                self._last_answer = self._clock()
