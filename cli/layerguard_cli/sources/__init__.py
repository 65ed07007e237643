"""Sources: what an audit reads, turned into image uses as discovery finds them.

``places`` reads files, folders and standard input, ``stack`` a running stack; ``recognition`` tells
from a text what it is, and each kind has a module that reads it.
"""

from layerguard_cli.sources.source import Source, SourceKind

__all__ = ["Source", "SourceKind"]
