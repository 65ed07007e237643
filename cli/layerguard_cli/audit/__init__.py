"""``layerguard audit``: every image that stacks, previews, manifests and lists name.

``command`` declares it, ``sweep`` reads and asks, ``output`` writes, and ``progress`` is what a
terminal shows meanwhile.
"""

from layerguard_cli.audit.command import add_arguments, run

__all__ = ["add_arguments", "run"]
