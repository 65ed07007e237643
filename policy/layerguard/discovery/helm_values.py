"""References that are split over the values of a Helm chart or a custom resource."""

from __future__ import annotations

from collections.abc import Iterator

from layerguard.discovery.tree import Mark, Tree, reach, text_of, unknown_among
from layerguard.reference import ImageReference, names_ecr

# Source: the values of the charts of the Helm project's own examples, Bitnami and AWS: a name
# with the members that may say its version beside it.
_NAMES = (
    ("repository", ("tag", "imageTag"), ("digest",)),
    ("image", ("tag", "imageTag"), ("digest",)),
    ("imageName", ("imageTag", "tag"), ("imageDigest", "digest")),
)
_REGISTRIES = (("global", "imageRegistry"), ("global", "image", "registry"))
# Characters of a part of a reference; what all images of a chart share is copied for each of them.
_LONGEST_PART = 512


def joined(values: dict[str, Tree], whole: Tree) -> Iterator[tuple[str, str | Mark]]:
    """Yield the member of ``values`` that names an image, and the reference with its other parts.

    The registry stands in the name itself, beside it, or in the ``global`` values of the
    ``whole``. Without a tag and a digest there is none: the chart's own default is not known.
    A part of an image in private ECR that is not known stands for the reference.
    """
    for name_key, tag_keys, digest_keys in _NAMES:
        name = values.get(name_key)
        if not isinstance(name, str) or not name:
            continue
        image = _with_registry(name, values, whole)
        tag = next((values[key] for key in tag_keys if values.get(key)), None)
        digest = next((values[key] for key in digest_keys if values.get(key)), None)
        if image is None or (tag is None and digest is None):
            continue
        marks = [each for each in (tag, digest) if isinstance(each, Mark)]
        if marks:
            yield name_key, unknown_among(*marks) or marks[0]
            continue
        reference = image + _version(":", tag) + _version("@", digest)
        if ImageReference.find(reference) or names_ecr(reference):
            yield name_key, text_of(reference, image, tag, digest)


def _with_registry(name: str, values: dict[str, Tree], whole: Tree) -> str | None:
    """Return the repository that is named in private ECR, or in what is meant to be; or None."""
    registries = [values.get("registry"), *(reach(whole, *keys) for keys in _REGISTRIES)]
    if _is_repository(name):
        return name
    registry = next((each for each in registries if isinstance(each, str) and each), "")
    image = f"{registry[:_LONGEST_PART]}/{name}"
    return text_of(image, registry, name) if _is_repository(image) else None


def _is_repository(image: str) -> bool:
    reference = ImageReference.find(image)
    if reference is None:
        return names_ecr(image) and "/" in image
    return not reference.tag and not reference.digest


def _version(separator: str, value: Tree) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a number of the engine's protocol is a float
    return f"{separator}{value}" if isinstance(value, (str, int, float)) else ""
