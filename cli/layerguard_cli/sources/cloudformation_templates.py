"""CloudFormation templates, those of SAM and of the CDK included.

Source: CloudFormation user guide, "Template anatomy"; its API reference, "GetTemplate".
"""

from __future__ import annotations

import json
from typing import Any

from layerguard.discovery.tree import member

from layerguard_cli.sources.declared import DeclaredResource
from layerguard_cli.sources.form import Declared

STACK = "aws:cloudformation/stack:Stack"


def is_template(document: Any) -> bool:
    """Tell whether a document is a template, or what ``get-template`` prints of one."""
    if not isinstance(document, dict):
        return False
    resources = document.get("Resources")
    if "AWSTemplateFormatVersion" in document or "TemplateBody" in document:
        return isinstance(resources, dict) or "TemplateBody" in document
    members = resources.values() if isinstance(resources, dict) else ()
    types = [member(each, "Type") for each in members]
    return bool(types) and all(isinstance(each, str) and "::" in each for each in types)


def template(document: Any) -> Declared:
    """Return the stack that the template makes, with the defaults of its parameters."""
    if "TemplateBody" in document:
        props = stack_of(document["TemplateBody"])
        return Declared([DeclaredResource(STACK, props, "TemplateBody", "templateBody")])
    return Declared([DeclaredResource(STACK, stack_of(document), inside="templateBody")])


def stack_of(body: Any) -> dict[str, Any]:
    """Return the inputs of a stack with this template, as text: its functions are no strings."""
    return {"templateBody": body if isinstance(body, str) else json.dumps(body, default=str)}
