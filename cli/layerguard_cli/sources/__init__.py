"""Sources: what an audit reads, turned into image uses as discovery finds them.

``places`` reads files, folders and standard input, ``running_stack`` a stack by its name. The bytes
of a file (``content``) become documents (``documents``), which the one table in ``recognition``
recognises by what is in them. A module for each kind turns its documents into resources of the
catalog's types (``declared``), or a whole stack into a source; ``seeming`` has words for the rest.
"""
