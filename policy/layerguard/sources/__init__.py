"""Sources: what an audit reads, turned into image uses as discovery finds them."""

from layerguard.sources.source import Source, SourceKind

__all__ = ["Source", "SourceKind"]
