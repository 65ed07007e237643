"""Reports: findings as text for people."""

from layerguard_cli.reports.text import render

__all__ = ["render"]
