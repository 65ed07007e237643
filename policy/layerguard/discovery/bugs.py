"""Bugs in reading a resource, each as an image use in its place: silence always means checked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from layerguard.discovery.image_use import ImageUse
from layerguard.discovery.path import Keys, written
from layerguard.verdict import bug_in

ALL_INPUTS = "(all inputs)"
"""The path of what is about no one property."""


class Bugs:
    """The bugs in reading one resource. One in one step hides nothing that the other steps find."""

    def __init__(self, urn: str, resource_type: str) -> None:
        self._urn = urn
        self._type = resource_type
        self.uses: list[ImageUse] = []

    @contextmanager
    def at(self, place: str | Keys) -> Iterator[None]:
        """Keep a bug in what is read at ``place`` as an undetermined use, instead of raising it.

        ``place`` is a property path or its keys, of which none stand for all inputs.
        """
        try:
            yield
        except Exception as error:
            path = place if isinstance(place, str) else written(place) or ALL_INPUTS
            verdict = bug_in(f"reading a resource of type {self._type}", error)
            self.uses.append(ImageUse(self._urn, self._type, path, None, None, verdict, None))
