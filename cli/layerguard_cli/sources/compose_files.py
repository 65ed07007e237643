"""docker-compose files.

Source: the Compose specification, "services" and "interpolation".
"""

from __future__ import annotations

import re
from typing import Any

from layerguard.discovery.tree import member

from layerguard_cli.sources.content import mentions_ecr
from layerguard_cli.sources.declared import DeclaredResource
from layerguard_cli.sources.form import Declared

# A variable with the value that it has where the environment sets none.
_DEFAULT = re.compile(r"\$\{\w+:?-([^${}]*)\}")


def is_compose_file(document: Any) -> bool:
    """Tell whether a document has services of which one has an image or is built."""
    services = document.get("services") if isinstance(document, dict) else None
    if not isinstance(services, dict) or not services or "apiVersion" in document:
        return False
    members = list(services.values())
    known = any(isinstance(each, dict) and ("image" in each or "build" in each) for each in members)
    return known and all(each is None or isinstance(each, dict) for each in members)


def compose_file(document: Any) -> Declared:
    """Return the project: an image that is built from the project is not pulled.

    A variable has its default value. An image with any other variable is left out unless it names
    a host of ECR.
    """
    services: dict[str, Any] = {}
    notes = []
    for name, service in document["services"].items():
        services[name] = service
        image = member(service, "image")
        if not isinstance(image, str):
            continue
        image = _DEFAULT.sub(r"\1", image)
        is_built = member(service, "build") is not None
        is_open = "$" in image and not mentions_ecr(image.encode("utf-8", "replace"))
        services[name] = {**service, "image": image}
        if is_built or is_open:
            del services[name]["image"]
            why = "it is built from the project" if is_built else "a variable in it is not known"
            notes.append(f"The image of service {name} is left out: {why}.")
    props = {**document, "services": services}
    return Declared([DeclaredResource("layerguard:file:Compose", props)], notes=tuple(notes))
