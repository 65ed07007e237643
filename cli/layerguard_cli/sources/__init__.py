"""Sources: what an audit reads, turned into image uses as discovery finds them.

``places`` reads files, folders and standard input, ``running_stack`` a stack by its name;
``recognition`` recognises the kind of a text, and a module for each kind reads it.
"""

from layerguard_cli.sources.source import Source, SourceKind

__all__ = ["Source", "SourceKind"]
