"""References that are split over the values of a Helm chart, an overlay or a custom resource."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from layerguard.discovery.image_use import Naming
from layerguard.discovery.member_names import names_image, plain_name
from layerguard.discovery.tree import Mark, Tree, reach, text_of, unknown_among
from layerguard.reference import ImageReference, names_ecr

_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")
_LONGEST_PART = 512
"""Characters of a part; what all images of a chart share is copied for each of them."""


class _Split(NamedTuple):
    """A member with an image's name, and those beside it that may say its version.

    Without a version ``is_alone`` says that there must be one somewhere else.
    """

    name: str
    tags: tuple[str, ...]
    digests: tuple[str, ...]
    naming: Naming
    is_alone: bool = False


_SURE, _LIKELY = Naming.FOUND, Naming.CARRIED
_VERSIONS = ("imageTag", "tag", "version")
_DIGESTS = ("imageDigest", "digest")
# Sources: the values of the charts of the Helm project's own examples, Bitnami, Istio and AWS;
# kustomize's reference, "images"; the types of kubeadm; the outputs of AWS's repositories. The
# first with a version counts.
# fmt: off
SPLITS = (
    _Split("repository",      ("tag", "imageTag"),          ("digest",), _SURE),
    _Split("image",           ("tag", "imageTag"),          ("digest",), _SURE),
    _Split("imageName",       ("imageTag", "tag"),          _DIGESTS,    _SURE),
    _Split("repository",      ("version", "imageVersion"),  (),          _LIKELY),
    _Split("repo",            _VERSIONS,                    ("digest",), _LIKELY),
    _Split("name",            (*_VERSIONS, "newTag"),       ("digest",), _LIKELY),
    _Split("image",           ("imageVersion",),            _DIGESTS,    _LIKELY),
    _Split("repositoryUrl",   ("tag", "imageTag"),          _DIGESTS,    _LIKELY),
    _Split("repositoryUri",   ("tag", "imageTag"),          _DIGESTS,    _LIKELY),
    _Split("imageRepository", _VERSIONS,                    _DIGESTS,    _LIKELY, is_alone=True),
    _Split("imageRepo",       _VERSIONS,                    _DIGESTS,    _LIKELY, is_alone=True),
    _Split("newName",         ("newTag",),                  ("digest",), _LIKELY, is_alone=True),
)
# fmt: on
"""The members that are put together."""
# Python's components have their members in snake case.
_SPELLINGS = {
    _WORD.sub("_", key).lower(): key
    for split in SPLITS
    for key in (split.name, *split.tags, *split.digests)
    if key != key.lower()
}
NAMES = frozenset(
    key for split in SPLITS for key in (split.name, _WORD.sub("_", split.name).lower())
)
"""The members of which an object has one, where an image's name stands in it."""
_NONE = (None, False)
_REGISTRIES = (("global", "imageRegistry"), ("global", "image", "registry"))
_HUB, _HUBS_TAG = ("global", "hub"), ("global", "tag")
# The registry of all images of a chart under a name of its own. Source: the charts of Datadog.
_OWN_REGISTRIES = ("registry", "imageRegistry")
WITHOUT_VERSION = (
    "No tag and no digest stands beside the repository: what renders it adds one, such as the "
    "chart's own default, which is not known here."
)
"""Why an image is not known of which only the repository stands there."""


class Joined(NamedTuple):
    """A reference that was put together, at the member ``name``.

    ``why_unknown`` says why ``reference`` is only a part of it, "" where it is whole.
    """

    name: str
    reference: str | Mark
    naming: Naming
    why_unknown: str = ""


def joined(values: dict[str, Tree], whole: Tree, parent: str = "") -> Iterator[Joined]:
    """Yield the references whose parts are members of ``values``, which stands under ``parent``.

    The registry stands in the name itself, beside it, or in the ``global`` values of the
    ``whole``. A part of an image in private ECR that is not known stands for the reference. Of two
    that are at the same member the first one counts.
    """
    written = {camel: snake for snake, camel in _SPELLINGS.items() if snake in values}
    values = {**values, **{camel: values[snake] for camel, snake in written.items()}}
    for each in _joined(values, whole, parent):
        yield each._replace(name=written.get(each.name, each.name))


def _joined(values: dict[str, Tree], whole: Tree, parent: str = "") -> Iterator[Joined]:
    in_image = names_image(plain_name(parent))
    images = {key: _image(key, values, whole, in_image) for key in NAMES if key in values}
    alone: dict[str, str] = {}
    for split in SPLITS:
        image, hub = images.get(split.name, _NONE)
        if image is None or not _is_repository(image):
            continue
        hubs_tag = reach(whole, *_HUBS_TAG) if hub else None
        tag = next((values[key] for key in split.tags if values.get(key)), hubs_tag)
        digest = next((values[key] for key in split.digests if values.get(key)), None)
        naming = _LIKELY if hub else split.naming
        marks = [each for each in (tag, digest) if isinstance(each, Mark)]
        if marks:
            yield Joined(split.name, unknown_among(*marks) or marks[0], naming)
        elif tag is not None or digest is not None:
            reference = image + _version(":", tag) + _version("@", digest)
            if ImageReference.find(reference) or names_ecr(reference):
                whole_text = text_of(reference, image, tag, digest)
                yield Joined(split.name, whole_text, naming)
        elif split.is_alone or (in_image and split.name in ("repository", "repo")):
            alone[split.name] = image
    for name_key, (image, _) in images.items():
        if image is not None and not _is_repository(image):
            yield Joined(name_key, image, _LIKELY)
    for name_key, image in alone.items():
        yield Joined(name_key, image, _LIKELY, WITHOUT_VERSION)


def _image(
    key: str, values: dict[str, Tree], whole: Tree, in_image: bool
) -> tuple[str | None, bool]:
    """Return the repository in ECR that the member ``key`` names, and whether it is of a hub.

    It may have its tag in itself where the registry stands beside it. Istio calls its registry a
    hub, and others have theirs at the root of a chart's values. Anything may have a name: one that
    is not in an image has to have the registry in itself.
    """
    name = values[key]
    if not isinstance(name, str) or not name:
        return _NONE
    if _is_repository(name):
        return name, False
    if key == "name" and not in_image:
        return _NONE
    registries = [values.get("registry"), *(reach(whole, *keys) for keys in _REGISTRIES)]
    hubs = [values.get("hub"), reach(whole, *_HUB), values.get("imageRegistry")]
    hubs += (reach(whole, each) for each in _OWN_REGISTRIES)
    registry = next((each for each in (*registries, *hubs) if isinstance(each, str) and each), "")
    image = text_of(f"{registry[:_LONGEST_PART]}/{name}", registry, name)
    has_host = "." in name.partition("/")[0] and "/" in name
    is_image = _is_repository(image) or (not has_host and ImageReference.find(image))
    return (image, registry not in registries) if is_image else _NONE


def _is_repository(image: str) -> bool:
    reference = ImageReference.find(image)
    if reference is None:
        return names_ecr(image) and "/" in image
    return not reference.tag and not reference.digest


def _version(separator: str, value: Tree) -> str:
    if isinstance(value, bool):
        value = str(value).lower()  # as Go's templates print it
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a number of the engine's protocol is a float
    return f"{separator}{value}" if isinstance(value, (str, int, float)) else ""
