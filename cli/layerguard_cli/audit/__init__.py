"""``layerguard audit``: every image that stacks, previews, manifests and lists name.

``command`` declares its options, ``audit`` reads the sources and checks their images, ``progress``
shows a bar meanwhile, and ``report_writer`` writes the report.
"""

from layerguard_cli.audit.command import add_arguments, run

__all__ = ["add_arguments", "run"]
