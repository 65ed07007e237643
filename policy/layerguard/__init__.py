"""Layerguard proves that every layer of every Amazon ECR image in a Pulumi stack is there.

Data goes one way: ``discovery`` reads image uses from resource inputs, ``checking`` finds a verdict
on each by asking the ``registry``, ``enforcement`` makes findings of them, ``gates`` violations.
"""

import logging

__version__ = "0.1.0"

# Silent where nothing asks for a log: Python would print warnings on standard error.
logging.getLogger(__name__).addHandler(logging.NullHandler())
