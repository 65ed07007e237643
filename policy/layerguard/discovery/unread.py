"""What a bug hides: an image use in its place, so that silence always means checked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from layerguard.discovery.image_use import ImageUse, internal_error


class Unread:
    """Isolates the steps of reading one resource: a bug in one hides nothing that others find."""

    def __init__(self, urn: str, resource_type: str) -> None:
        self._urn = urn
        self._type = resource_type
        self.uses: list[ImageUse] = []

    @contextmanager
    def at(self, path: str) -> Iterator[None]:
        """Make a bug in what is read at ``path`` an undetermined use at that path."""
        try:
            yield
        except Exception as error:
            verdict = internal_error(error, f"reading a {self._type}")
            self.uses.append(ImageUse(self._urn, self._type, path, None, None, verdict, None))
