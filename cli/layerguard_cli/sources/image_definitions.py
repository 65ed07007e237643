"""The files in which a pipeline hands images to ECS: imagedefinitions.json and imageDetail.json.

Source: CodePipeline user guide, "Image definitions file reference".
"""

from __future__ import annotations

from typing import Any

from layerguard.discovery.tree import member

from layerguard_cli.sources.declared import DeclaredResource
from layerguard_cli.sources.form import Declared


def is_image_definitions(document: Any) -> bool:
    """Tell whether a document is a list of names and images, or the details of one image."""
    if isinstance(document, list) and document:
        return all(isinstance(member(each, "imageUri"), str) for each in document)
    return isinstance(document, dict) and isinstance(document.get("ImageURI"), str)


def image_definitions(document: Any) -> Declared:
    """Return the images; a definition for each container, or the one image."""
    props = {"images": document}
    return Declared([DeclaredResource("layerguard:file:ImageDefinitions", props, inside="images")])
