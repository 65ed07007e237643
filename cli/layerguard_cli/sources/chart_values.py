"""Values of Helm charts.

Source: the values of the charts of the Helm project's own examples, Bitnami and AWS.
"""

from __future__ import annotations

from typing import Any

from layerguard_cli.sources.declared import DeclaredResource
from layerguard_cli.sources.form import Declared
from layerguard_cli.sources.seeming import is_of_another_tool

_RELEASE = "kubernetes:helm.sh/v3:Release"
_IMAGES = ("image", "imageName", "images", "imageRegistry")
_BESIDE_REPOSITORY = ("digest", "imageTag", "pullPolicy", "registry", "tag")


def are_chart_values(document: Any) -> bool:
    """Tell whether a document, which is of no other kind, names images as a chart's values do."""
    is_mapping = isinstance(document, dict) and "apiVersion" not in document
    if not is_mapping or is_of_another_tool(document):
        return False
    ahead: list[Any] = [document]
    while ahead:
        value = ahead.pop()
        if isinstance(value, dict):
            if any(isinstance(value.get(each), (str, dict, list)) for each in _IMAGES):
                return True
            if "repository" in value and any(each in value for each in _BESIDE_REPOSITORY):
                return True
            ahead += value.values()
        elif isinstance(value, list):
            ahead += value
    return False


def chart_values(document: Any) -> Declared:
    """Return the release of a chart with these values."""
    return Declared([DeclaredResource(_RELEASE, {"values": document}, inside="values")])
