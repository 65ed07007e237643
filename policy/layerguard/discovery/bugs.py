"""Bugs in reading a resource, each as an image use in its place: silence always means checked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from layerguard.discovery.image_use import ImageUse, internal_error


class Bugs:
    """The bugs in reading one resource. One in one step hides nothing that the other steps find."""

    def __init__(self, urn: str, resource_type: str) -> None:
        self._urn = urn
        self._type = resource_type
        self.uses: list[ImageUse] = []

    @contextmanager
    def at(self, path: str) -> Iterator[None]:
        """Keep a bug in what is read at ``path`` as an undetermined use, instead of raising it."""
        try:
            yield
        except Exception as error:
            verdict = internal_error(error, f"reading a resource of type {self._type}")
            self.uses.append(ImageUse(self._urn, self._type, path, None, None, verdict, None))
