"""Discovery: from a resource's type and inputs to its image uses.

``tree`` makes plain values of what the policy SDK hands over, ``path`` reads one property path in
them, ``platforms`` decides what a runtime will pull, and ``catalog`` has a row for each place of an
image. ``walker`` puts these together, and ``resources`` keeps what each resource brings.
"""

from layerguard.discovery.image_use import ImageUse, Naming
from layerguard.discovery.resource_graph import ResourceGraph
from layerguard.discovery.walker import discover

__all__ = ["ImageUse", "Naming", "ResourceGraph", "discover"]
