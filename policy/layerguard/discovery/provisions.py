"""What a stack itself puts into ECR: images that it pushes, repositories that it creates."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from layerguard.discovery.catalog import ROWS, Role, Row
from layerguard.discovery.path import find, reach_all
from layerguard.discovery.placement import NOWHERE, Placement
from layerguard.discovery.split_references import pipeline_registry
from layerguard.discovery.tree import Mark, Tree, member, plain
from layerguard.errors import ReferenceInvalid
from layerguard.reference import ImageReference


class Provides(Enum):
    """What a resource does for an image."""

    IMAGE = "pushes the image"
    REPOSITORY = "creates the repository"


@dataclass(frozen=True, slots=True)
class Provision:
    """An image or a repository that the resource ``urn`` puts into ECR.

    None in ``account``, ``region`` or ``tag`` stands for any: the inputs do not say it.
    """

    urn: str
    provides: Provides
    account: str | None
    region: str | None
    repository: str
    tag: str | None = None

    def covers(self, reference: ImageReference) -> bool:
        """Tell whether ``reference`` may lead to what the resource provides.

        A push decides what a tag means, not which digests there are.
        """
        there = reference.repository
        return (
            self.repository == there.name
            and self.account in (None, there.account)
            and self.region in (None, there.region)
            and (self.provides is Provides.REPOSITORY or self._pushes(reference))
        )

    def _pushes(self, reference: ImageReference) -> bool:
        return reference.digest is None and self.tag in (None, reference.image_id.tag)


def provisions(
    urn: str,
    resource_type: str,
    inputs: object,
    sentinels: Collection[str] = (),
    placement: Placement = NOWHERE,
) -> tuple[Provision, ...]:
    """Return what a resource puts into ECR; what is not known yet is left out."""
    name_key = _REPOSITORY_NAMES.get(resource_type)
    rows = _PUSHES.get(resource_type, ())
    if name_key is None and not rows and resource_type not in _PIPELINES:
        return ()
    tree = plain(inputs, sentinels)
    here = placement.of(tree)
    if name_key is not None:
        name = member(tree, name_key)
        if not isinstance(name, str):
            return ()
        return (Provision(urn, Provides.REPOSITORY, here.account, here.region, name),)
    if resource_type in _PIPELINES:
        return tuple(_of_pipeline(urn, tree, here))
    condition = _CONDITIONS.get(resource_type)
    if condition is not None and not condition(tree):
        return ()
    pushed = (_pushed(urn, leaf.value) for row in rows for leaf in find(tree, row.path))
    return tuple(each for each in pushed if each)


def _pushed(urn: str, text: str | Mark) -> Provision | None:
    try:
        reference = ImageReference.parse(text) if isinstance(text, str) else None
    except ReferenceInvalid:
        return None
    if reference is None:
        return None
    there = reference.repository
    return Provision(urn, Provides.IMAGE, there.account, there.region, there.name, reference.tag)


def _of_pipeline(urn: str, tree: Tree, placement: Placement) -> Iterator[Provision]:
    """Yield what ECRBuildAndPublish actions push.

    Source: CodePipeline user guide, "ECRBuildAndPublish build action reference".
    """
    for leaf in find(tree, "stages[].actions[].configuration.ECRRepositoryName"):
        kind = leaf.nearest("provider") or member(leaf.nearest("actionTypeId"), "provider")
        host = pipeline_registry(leaf, placement)
        if kind != "ECRBuildAndPublish" or host is None:
            continue
        tags = leaf.beside("ImageTags")
        for tag in tags.split(",") if isinstance(tags, str) and tags else ["latest"]:
            pushed = _pushed(urn, f"{host}/{leaf.value}:{tag.strip()}")
            if pushed:
                yield pushed


def _build_is_pushed(tree: Tree) -> bool:
    """Tell whether a docker-build image leaves the builder for a registry."""
    return (
        member(tree, "push") is True
        or any(True for _ in find(tree, "exports[].registry.names[]"))
        or any(True for _ in find(tree, "exports[].raw:exporter"))
        or any(value is True for _, value, _ in reach_all(tree, "exports[].image.push"))
    )


_REPOSITORY_NAMES = {
    "aws:ecr/repository:Repository": "name",
    "aws-native:ecr:Repository": "repositoryName",
}
_PIPELINES = ("aws:codepipeline/pipeline:Pipeline", "aws-native:codepipeline:Pipeline")
_CONDITIONS: Mapping[str, Callable[[Tree], bool]] = {
    "docker:index/image:Image": lambda tree: member(tree, "skipPush") is not True,
    "docker-build:index:Image": _build_is_pushed,
    "docker-build:index:Index": lambda tree: member(tree, "push") is not False,
}


def _rows_of_pushes() -> Mapping[str, tuple[Row, ...]]:
    table: dict[str, tuple[Row, ...]] = {}
    for row in ROWS:
        if row.role is Role.PUSH:
            table[row.resource_type] = (*table.get(row.resource_type, ()), row)
    return table


_PUSHES = _rows_of_pushes()
