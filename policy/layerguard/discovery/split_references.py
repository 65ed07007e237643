"""References that are split over several properties, put together where every part is known."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from layerguard.discovery.path import Leaf
from layerguard.discovery.placement import Placement, account_of_role
from layerguard.discovery.tree import Mark, Tree, member, text_of, unknown_among
from layerguard.reference import names_ecr
from layerguard.registry_host import suffix_of

ReferenceRule: TypeAlias = Callable[[Leaf, Placement], "str | Mark | None"]
"""Returns the reference at a leaf, the mark that stands for it, or None where there is none."""

_LONGEST_REGION = 32
_IDENTIFIER = re.compile("(?:sha256:)?[0-9a-f]{64}", re.ASCII)


def as_written(leaf: Leaf, _placement: Placement) -> str | Mark | None:
    """Return what stands there."""
    return leaf.value


def with_training_digest(leaf: Leaf, _placement: Placement) -> str | Mark | None:
    """Return the image with the digest in ``trainingImageDigest`` beside it."""
    return _with_digest(leaf.value, leaf.beside("trainingImageDigest"))


def with_image_digest(leaf: Leaf, _placement: Placement) -> str | Mark | None:
    """Return the image with the digest in ``imageDigest`` beside it."""
    return _with_digest(leaf.value, leaf.beside("imageDigest"))


def unless_built(leaf: Leaf, _placement: Placement) -> str | Mark | None:
    """Return what stands there, unless the resource builds the image itself."""
    return leaf.value if member(leaf.root, "build") is None else None


def unless_interpolated(leaf: Leaf, _placement: Placement) -> str | Mark | None:
    """Return what stands there, unless the service fills in a variable of it before it pulls.

    Sources: CodeBuild user guide, "Batch build buildspec reference"; Amazon EMR on EKS development
    guide, "Job template parameters".
    """
    return Mark.UNRESOLVED if isinstance(leaf.value, str) and "$" in leaf.value else leaf.value


def nomad_image(leaf: Leaf, placement: Placement) -> str | Mark | None:
    """Return the image of a Nomad task without a scheme, unless Nomad fills in a part of it.

    Sources: Nomad documentation, "Runtime variable interpolation", "Docker driver" and "Podman
    driver": ``https://`` and ``docker://`` may stand in front.
    """
    return _without_scheme(unless_interpolated(leaf, placement), ("docker://", "https://"))


def build_context(leaf: Leaf, _placement: Placement) -> str | Mark | None:
    """Return the image of a named build context, None where it is a folder or another address.

    Source: Docker documentation, ``docker buildx build --build-context``.
    """
    image = _without_scheme(leaf.value, ("docker-image://",))
    is_image = not isinstance(image, str) or image != leaf.value or names_ecr(image)
    return image if is_image else None


def unless_local(leaf: Leaf, _placement: Placement) -> str | Mark | None:
    """Return what stands there, unless it is the identifier of an image that Docker already has."""
    is_identifier = isinstance(leaf.value, str) and _IDENTIFIER.fullmatch(leaf.value)
    return None if is_identifier else leaf.value


def unless_resource(leaf: Leaf, _placement: Placement) -> str | Mark | None:
    """Return what stands there, unless it names a resource of AWS: an ARN or an object of S3."""
    is_resource = isinstance(leaf.value, str) and leaf.value.startswith(("arn:", "s3://"))
    return None if is_resource else leaf.value


def unless_of_lightsail(leaf: Leaf, _placement: Placement) -> str | Mark | None:
    """Return what stands there, unless the container service itself stores the image.

    Source: Lightsail user guide, "Push and manage container images": ``:SERVICE.LABEL.NUMBER``.
    """
    is_stored = isinstance(leaf.value, str) and leaf.value.startswith(":")
    return None if is_stored else leaf.value


def pipeline_source(leaf: Leaf, placement: Placement) -> str | Mark | None:
    """Return the source image of a CodePipeline action of the provider ECR.

    Source: CodePipeline user guide, "Amazon ECR source action reference".
    """
    return _of_pipeline(leaf, placement, "ECR", "ImageTag")


def pipeline_scan(leaf: Leaf, placement: Placement) -> str | Mark | None:
    """Return the image that a CodePipeline action of the provider InspectorScan scans.

    Source: CodePipeline user guide, "Amazon Inspector InspectorScan invoke action reference".
    """
    return _of_pipeline(leaf, placement, "InspectorScan", "ECRImageTag")


def pipeline_registry(leaf: Leaf, placement: Placement) -> str | None:
    """Return the host of the registry that a pipeline's action uses; None where it is not known.

    It is the registry of the pipeline's account, in the region of the action, or without one in
    that of the pipeline.
    """
    account = leaf.once(account_of_role, member(leaf.root, "roleArn")) or placement.account
    own_region = leaf.nearest("region")
    region = own_region if isinstance(own_region, str) else placement.region
    if account is None or region is None or len(region) > _LONGEST_REGION:
        return None
    return text_of(f"{account}.dkr.ecr.{region}.{suffix_of(region)}", account, region)


def _without_scheme(value: str | Mark | None, schemes: tuple[str, ...]) -> str | Mark | None:
    if not isinstance(value, str):
        return value
    scheme = next((each for each in schemes if value.startswith(each)), "")
    return text_of(value.removeprefix(scheme), value)


def _of_pipeline(
    leaf: Leaf, placement: Placement, provider: str, tag_key: str
) -> str | Mark | None:
    if leaf.nearest("provider") != provider and _action_type(leaf) != provider:
        return None
    tag = leaf.beside(tag_key)
    # Of these a preview may not know any; what is not known later either is not pending.
    parts = (leaf.value, tag, member(leaf.root, "roleArn"), leaf.nearest("region"))
    marks = [each for each in parts if isinstance(each, Mark)]
    if marks:
        return unknown_among(*marks) or marks[0]
    if not isinstance(leaf.value, str):
        return None
    host = pipeline_registry(leaf, placement)
    if host is None:
        return Mark.UNRESOLVED
    version = tag if isinstance(tag, str) and tag else "latest"
    return text_of(f"{host}/{leaf.value}:{version}", host, leaf.value, version)


def _action_type(leaf: Leaf) -> Tree:
    return member(leaf.nearest("actionTypeId"), "provider")


def _with_digest(image: str | Mark, digest: Tree) -> str | Mark:
    if not isinstance(image, str) or not digest:
        return image
    if isinstance(digest, Mark):
        return digest
    return image if "@" in image else text_of(f"{image}@{digest}", image, digest)
