"""Investigation: from an image reference to a verdict, many at a time, each question asked once.

Knows nothing of resources, so that it can be done in a process of its own.
"""

from layerguard.investigation.investigator import (
    Effort,
    HereInvestigator,
    Investigator,
    Listener,
    Subject,
)
from layerguard.investigation.limits import Limits

__all__ = ["Effort", "HereInvestigator", "Investigator", "Limits", "Listener", "Subject"]
