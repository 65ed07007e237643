"""Dockerrun.aws.json, which Elastic Beanstalk runs.

Source: Elastic Beanstalk developer guide, "Dockerrun.aws.json v1" and "v2".
"""

from __future__ import annotations

from typing import Any

from layerguard_cli.sources.declared import DeclaredResource
from layerguard_cli.sources.form import Declared


def is_dockerrun(document: Any) -> bool:
    """Tell whether a document has the version that Beanstalk requires of it."""
    return isinstance(document, dict) and "AWSEBDockerrunVersion" in document


def dockerrun(document: Any) -> Declared:
    """Return the one image of version 1, the containers of version 2."""
    return Declared([DeclaredResource("layerguard:file:Dockerrun", document)])
