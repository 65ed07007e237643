"""Reports: judgements as text for people."""

from layerguard.report.text import render

__all__ = ["render"]
