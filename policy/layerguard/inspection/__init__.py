"""Inspection: from image uses to judgements, many images at a time, each question asked once."""

from layerguard.inspection.inspector import Inspector, Summary
from layerguard.inspection.judgement import Judgement

__all__ = ["Inspector", "Judgement", "Summary"]
