"""References that are split over several properties, put together where every part is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from layerguard.discovery.path import Leaf
from layerguard.discovery.placement import Placement, account_of_role
from layerguard.discovery.tree import Mark, Tree, member, text_of, unknown_among

ReferenceRule: TypeAlias = Callable[[Leaf, Placement], "str | Mark | None"]
"""Returns the reference at a leaf, the mark that stands for it, or None where there is none."""

_LONGEST_REGION = 32


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
    """Return what stands there, unless Nomad fills in a part of it when the task starts."""
    return Mark.UNRESOLVED if isinstance(leaf.value, str) and "${" in leaf.value else leaf.value


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
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return text_of(f"{account}.dkr.ecr.{region}.{suffix}", account, region)


def _of_pipeline(
    leaf: Leaf, placement: Placement, provider: str, tag_key: str
) -> str | Mark | None:
    if leaf.nearest("provider") != provider and _action_type(leaf) != provider:
        return None
    tag = leaf.beside(tag_key)
    if not isinstance(leaf.value, str) or isinstance(tag, Mark):
        return unknown_among(leaf.value, tag) or Mark.UNKNOWN
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
