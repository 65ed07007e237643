"""The judgement: an image use and the verdict on it, in words."""

from __future__ import annotations

from dataclasses import dataclass

from layerguard.discovery import ImageUse
from layerguard.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict on one image use."""

    use: ImageUse
    verdict: Verdict

    @property
    def headline(self) -> str:
        """``CODE: PROPERTY PATH (container "NAME"): REFERENCE AS WRITTEN``."""
        container = f' (container "{self.use.container}")' if self.use.container else ""
        text = f": {self.use.text}" if self.use.text else ""
        return f"{self.verdict.code.text}: {self.use.path}{container}{text}"

    @property
    def message(self) -> str:
        """The headline, and below it what explains the verdict."""
        return "\n".join((self.headline, *(f"  {line}" for line in self.verdict.lines)))
