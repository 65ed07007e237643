"""A shard: the part of a sweep that one of several machines or jobs takes."""

from __future__ import annotations

import argparse
import re

_FORM = re.compile(r"([0-9]{1,6})/([0-9]{1,6})", re.ASCII)


class Shard:
    """Takes every unit whose number, in the order in which they come, has ``index`` of ``count``.

    Every shard of the same sources numbers them alike, so that each unit is in one of them.
    """

    def __init__(self, index: int = 0, count: int = 1) -> None:
        self._index = index
        self._count = count
        self._numbers: dict[str, int] = {}

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Return the shard ``INDEX/COUNT``, of which the first index is 0.

        Raises argparse.ArgumentTypeError for any other text.
        """
        found = _FORM.fullmatch(text)
        index, count = (int(found[1]), int(found[2])) if found else (0, 0)
        if not index < count:
            raise argparse.ArgumentTypeError(
                f"{text!r} is not INDEX/COUNT, such as 0/8, with an index from 0 to COUNT - 1"
            )
        return cls(index, count)

    def takes(self, unit: str) -> bool:
        """Tell whether ``unit``, the same one each time it comes, belongs to this shard."""
        if self._count == 1:
            return True
        return self._numbers.setdefault(unit, len(self._numbers)) % self._count == self._index
