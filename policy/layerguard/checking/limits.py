"""How long a run may ask, wait and retry, and how many calls it may have under way."""

from __future__ import annotations

from dataclasses import dataclass

# More calls than this at a time would only wait for the processor.
CONCURRENCY = 100
# Seconds in which a run waits for explanations, all of them together.
EXPLANATION_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one run. Times are in seconds.

    ``image`` is for one image, from its first question on, retries included. ``total`` is for the
    time in which checks are under way, and ``absent`` is how long an image or layer that is not
    there yet is asked about again, on top of both.
    """

    image: float = 30.0
    total: float = 300.0
    absent: float = 0.0
    concurrency: int = CONCURRENCY
