"""The soak's registry: many images, some of them bad, behind a network that has its troubles.

It is the benchmark's scripted registry, because the sandbox's would take minutes to be filled and
be what is measured. `python -m bench.soak_registry IMAGES` prints its address, and ends when its
stdin does.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bench.answers import Answers, Response
from bench.images import Image, Layout, make_image
from bench.server import Connection, ScriptedRegistry, encode, serve

THROTTLED, RESET, SLOW = 0.02, 0.01, 0.01
"""How many of all requests are throttled, lose their connection, or are answered late."""
SLOW_SECONDS = 0.5
_SEED = 20261125
_TROUBLE = "/bench/trouble/"


@dataclass(frozen=True, slots=True)
class Fate:
    """What is true of an image: the code of the verdict, and the reference that a stack uses."""

    code: str
    reference: str
    lost: str | None = None


def fate(number: int, image: Image) -> Fate:
    """Return what is true of an image: one in 50 lacks a layer, one in 100 does not exist."""
    if number % 50 == 7:
        return Fate("layer-missing", image.reference, image.layers[-1])
    if number % 100 == 13:
        return Fate("image-not-found", f"{image.reference}-absent")
    return Fate("available", image.reference)


def images(count: int) -> Iterator[tuple[Image, Fate]]:
    """Make the images: ten a repository, half of their twenty layers shared by all of them."""
    for number in range(count):
        image = make_image(number, Layout.SHARED)
        yield image, fate(number, image)


_REFUSAL = json.dumps({"__type": "ThrottlingException", "message": "Rate exceeded"}).encode()
_THROTTLED = Response(400, "application/x-amz-json-1.1", _REFUSAL)


class Spoilt(Answers):
    """Answers of images of which some layers are lost."""

    def __init__(self, count: int) -> None:
        made = list(images(count))
        super().__init__(image for image, _ in made)
        self._lost = {fate.lost for _, fate in made}

    def post(self, target: str, body: bytes) -> Response:
        """Answer as if the lost layers were not there."""
        answer = super().post(target, body)
        if not target.endswith("BatchCheckLayerAvailability"):
            return answer
        document = json.loads(answer.body)
        for layer in document["layers"]:
            if layer["layerDigest"] in self._lost:
                layer["layerAvailability"] = "UNAVAILABLE"
        return answer._replace(body=json.dumps(document).encode())


class TroubledRegistry(ScriptedRegistry):
    """A registry whose network has troubles while they are on."""

    def __init__(self, answers: Answers) -> None:
        super().__init__(answers)
        self._chance = random.Random(_SEED)
        self._on = False

    def control(self, path: str) -> Response:
        """Handle `/bench/trouble/on` and `/bench/trouble/off`, too."""
        if not path.startswith(_TROUBLE):
            return super().control(path)
        self._on = path.endswith("/on")
        return Response(200, "application/json", b"{}")

    def draw(self) -> float:
        """Return a random number from 0 to 1 for a request; 1 while the trouble is off."""
        return self._chance.random() if self._on else 1.0


class Troubled(Connection):
    """A connection on which some requests are throttled, reset, or answered late."""

    def __init__(self, registry: TroubledRegistry) -> None:
        super().__init__(registry)
        self._trouble = registry
        self._late = 0.0

    def reply(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> None:
        """Answer a request, or do what is drawn."""
        drawn = 1.0 if path.startswith("/bench/") else self._trouble.draw()
        if drawn < THROTTLED:
            super().send(encode(method, _THROTTLED), 0.0)
        elif drawn < THROTTLED + RESET:
            self.reset()
        else:
            self._late = SLOW_SECONDS if drawn < THROTTLED + RESET + SLOW else 0.0
            super().reply(method, path, headers, body)

    def send(self, encoded: bytes, latency: float) -> None:
        """Send an answer, late where that was drawn."""
        super().send(encoded, latency + self._late)


def main(count: int) -> None:
    """Serve so many images."""
    registry = TroubledRegistry(Spoilt(count))
    asyncio.run(serve(registry, lambda: Troubled(registry)))


if __name__ == "__main__":
    main(int(sys.argv[1]))
