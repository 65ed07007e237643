"""What the name of a member says of an image below it: a container's, a cache, text handed on."""

from __future__ import annotations

from collections.abc import Iterable

from layerguard.discovery.image_use import Naming

# Members whose text is only handed on: free text, variables, and the destination of a build.
# Source: the names of such members in the inputs of the AWS, Kubernetes, Docker, GitHub and GitLab
# providers; of destinations in Shipwright, Tekton, kpack, kaniko and OpenShift's builds.
_CARRIERS = frozenset(
    {
        "additionaltags",
        "annotations",
        "args",
        "command",
        "comment",
        "defaultarguments",
        "defaulttags",
        "description",
        "destination",
        "destinations",
        "dimensions",
        "entrypoint",
        "env",
        "environment",
        "environmentoverride",
        "environmentvariables",
        "envs",
        "labels",
        "notes",
        "output",
        "outputs",
        "runtimeenvironmentvariables",
        "tags",
        "tagsall",
        "to",
        "variables",
    }
)
# Values for what somebody else renders: a chart, an overlay, a pipeline; and commands, which may
# run or not. Sources: the API references of Argo CD, Flux, k3s' Helm controller and Tekton;
# cloud-init's documentation, "Module reference".
_VALUES = frozenset(
    {
        "bootcmd",
        "commands",
        "kustomize",
        "params",
        "runcmd",
        "set",
        "substitute",
        "values",
        "valuesobject",
    }
)
# In these an image without a tag is only its first part. Source: kustomize's reference, "images".
_OPEN = frozenset({"kustomize", "substitute"})
# What makes a resource run anew when it changes: a command that pushes the image, too. Sources:
# the inputs of the command, null, random, terraform and time providers.
_TRIGGERS = frozenset({"keepers", "triggers", "triggersreplace"})
# The same of a member itself, and not of what stands below it: charts use these names otherwise.
# The last three are what an admission controller compares images with. Sources: the API references
# of Gatekeeper's library, Kyverno and Sigstore's policy controller.
_LAST = frozenset(
    {
        "content",
        "contents",
        "default",
        "defaultvalue",
        "newname",
        "plaintextvalue",
        "stdin",
        "tag",
        "value",
        "exemptimages",
        "glob",
        "imagereferences",
    }
)
_CACHES = frozenset({"cache", "cachefrom", "cachefroms", "cacheto", "caches"})
# Texts for people. What looks like a document in them is an example, or a copy of the inputs.
_PROSE = frozenset(
    {
        "annotations",
        "comment",
        "description",
        "documentation",
        "labels",
        "message",
        "notes",
        "readme",
        "summary",
        "title",
    }
)
_PROSE_FILES = (".md", ".rst", ".txt")

IMAGES = (
    "image",
    "imageidentifier",
    "imagename",
    "imageref",
    "imagereference",
    "imageuri",
    "imageurl",
    "containeruri",
)
"""What the plain name of an image ends in."""
# An image with one of these in its name is written, and a repository is its place.
_WRITTEN = ("dest", "output", "push", "target")
_PARTS_OF_IMAGE = frozenset({"name", "ref", "reference", "uri", "url"})

CONTAINERS = frozenset(
    {
        "container",
        "containerdefinitions",
        "containers",
        "ephemeralcontainers",
        "initcontainers",
        "script",
        "sidecars",
        "steps",
        "steptemplate",
    }
)
"""Members that are containers of a pod. Sources: the API references of Kubernetes, Argo Workflows,
Tekton and the controllers of AWS."""
# Lists of names and values. Source: Argo CD (``helm.parameters``), Argo Workflows, Helm's provider.
ASSIGNMENTS = frozenset({"parameters", "params", "set"})
CHART_VALUES = frozenset({"values", "valuesObject"})
"""Members that are all the values of a chart. Source: the API references of Flux and Argo CD."""
LISTED_BY = frozenset({"ImageRepository"})
"""Kinds that list the tags of an image, and pull none. Source: Flux's API reference."""
NEVER_READ = frozenset({"managedFields", "openAPIV3Schema"})
"""Members without an image of the object itself: the schema of a kind, and who wrote what."""


def plain_name(key: str | int | None) -> str:
    """Return a member's name as it is compared: ``image_uri``, ``imageURI`` are one."""
    return key.lower().replace("_", "").replace("-", "") if isinstance(key, str) else ""


def names_image(name: str) -> bool:
    """Tell whether a member of this plain name is an image to pull."""
    return name.endswith(IMAGES) and not is_written_image(name)


def is_written_image(name: str) -> bool:
    """Tell whether a member of this plain name is the image that a build or a copy writes."""
    return name.endswith(IMAGES) and any(each in name for each in _WRITTEN)


def is_part_of_image(name: str) -> bool:
    """Tell whether a member of this plain name is the reference of the image that it stands in."""
    return name in _PARTS_OF_IMAGE


def naming_of(names: Iterable[str], otherwise: Naming) -> Naming:
    """Return in what sense members of these plain names, from the outermost on, name an image."""
    names = list(names)
    is_last = any(each in _LAST or is_written_image(each) for each in names[-1:])
    if is_last or not (_CARRIERS | _VALUES | _TRIGGERS).isdisjoint(names):
        return Naming.CARRIED
    return otherwise if _CACHES.isdisjoint(names) else Naming.OPTIONAL


def is_handed_on(names: Iterable[str]) -> bool:
    """Tell whether what stands below these members is handed on as any text."""
    return not _CARRIERS.isdisjoint(names)


def is_open(names: Iterable[str]) -> bool:
    """Tell whether what stands below these members gets its tag from somewhere else."""
    return not _OPEN.isdisjoint(names)


def is_prose(names: Iterable[str]) -> bool:
    """Tell whether what stands below these members is text for people."""
    return any(each in _PROSE or each.endswith(_PROSE_FILES) for each in names)
