"""How long a run may ask, wait and try again, and how many questions at a time."""

from __future__ import annotations

from dataclasses import dataclass

# Calls to ECR at a time. Many times more than that would only wait for the processor.
WORKERS = 100


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one run. Times are in seconds.

    ``image`` is for one image, ``total`` for all the time that a run waits for answers, and
    ``absent`` how long an image or layer that is not there yet is asked about again.
    """

    image: float = 30.0
    total: float = 300.0
    absent: float = 0.0
    workers: int = WORKERS
