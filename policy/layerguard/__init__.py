r"""Layerguard proves that every layer of every Amazon ECR image in a Pulumi stack is there.

Data goes one way::

    resource inputs --discovery--> image uses --check--> findings --gates--> violations
                                                   |                     \--report--> CLI output
                                             investigation   in a process of its own
                                                   |
                                                registry (ECR)
"""

__version__ = "0.1.0"
