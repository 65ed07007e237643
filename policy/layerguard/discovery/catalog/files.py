"""Rows of files that no provider has a resource for, under tokens of Layerguard's own.

An audit reads such files; no stack has resources of these types. Sources: the Compose
specification; Elastic Beanstalk developer guide, "Dockerrun.aws.json"; CodePipeline user guide,
"Image definitions file reference"; Kubernetes SIG CLI documentation, "The Kustomization File".
"""

from layerguard.discovery import runtimes, split_references
from layerguard.discovery.catalog.row import Row
from layerguard.discovery.platforms.docker import docker_host
from layerguard.discovery.platforms.rule import undecided

# fmt: off
ROWS = (
    Row("layerguard:file:Compose",          "services{*}.image",            docker_host, runtimes.ANY, split_references.unless_interpolated),
    Row("layerguard:file:Dockerrun",        "Image.Name",                   undecided),
    Row("layerguard:file:Dockerrun",        "containerDefinitions[].image", undecided),
    Row("layerguard:file:ImageDefinitions", "images[].imageUri",            undecided),
    Row("layerguard:file:ImageDefinitions", "images.ImageURI",              undecided),
    Row("layerguard:file:Kustomization",    "images[]",                     undecided),
)
# fmt: on
