"""What a stack itself puts into ECR: images that it pushes, repositories that it creates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from layerguard.discovery.catalog import Role, rows_of
from layerguard.discovery.documents.commands import pushes, references
from layerguard.discovery.image_use import ImageUse, Naming
from layerguard.discovery.member_names import is_written_image, plain_name
from layerguard.discovery.path import find, reach_all
from layerguard.discovery.placement import NOWHERE, Placement
from layerguard.discovery.reference_text import without_scheme
from layerguard.discovery.split_references import pipeline_registry
from layerguard.discovery.tree import Mark, Tree, member
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
    urn: str, resource_type: str, inputs: Tree, placement: Placement = NOWHERE
) -> tuple[Provision, ...]:
    """Return what a resource puts into ECR; what is not known yet is left out."""
    placement = placement.of(inputs)
    if name_key := REPOSITORY_NAMES.get(resource_type):
        name = member(inputs, name_key)
        if not isinstance(name, str):
            return ()
        return (Provision(urn, Provides.REPOSITORY, placement.account, placement.region, name),)
    if resource_type in _PIPELINES:
        return tuple(_of_pipeline(urn, inputs, placement))
    if resource_type in _COMMANDS:
        return tuple(_of_command(urn, inputs))
    rows = [row for row in rows_of(resource_type) if row.role is Role.PUSH]
    if not rows or not _CONDITIONS.get(resource_type, _always)(inputs):
        return ()
    pushed = (_pushed(urn, leaf.value) for row in rows for leaf in find(inputs, row.path))
    return tuple(each for each in pushed if each)


def written(uses: Iterable[ImageUse]) -> tuple[Provision, ...]:
    """Return the images among ``uses`` that a build or a copy writes, going by their names."""
    found = (
        _pushed(use.urn, without_scheme(use.text))
        for use in uses
        if use.text
        and use.naming is Naming.CARRIED
        and is_written_image(plain_name(use.path.rpartition(".")[2]))
    )
    return tuple(each for each in found if each)


def _pushed(urn: str, text: str | Mark) -> Provision | None:
    reference = ImageReference.find(text) if isinstance(text, str) else None
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


def _of_command(urn: str, tree: Tree) -> Iterator[Provision]:
    """Yield what a command pushes: where it pushes anything, every image that it is given."""
    commands = (member(tree, name) for name in ("create", "update"))
    if not any(isinstance(each, str) and pushes(each) for each in commands):
        return
    environment = member(tree, "environment")
    variables = environment.values() if isinstance(environment, dict) else ()
    given = (*(member(tree, name) for name in ("create", "update", "stdin")), *variables)
    texts = {word: None for each in given if isinstance(each, str) for word in references(each)}
    yield from filter(None, (_pushed(urn, text) for text in texts))


def _build_is_pushed(tree: Tree) -> bool:
    """Tell whether a docker-build image leaves the builder for a registry."""
    return (
        member(tree, "push") is True
        or any(True for _ in find(tree, "exports[].registry.names[]"))
        or any(True for _ in find(tree, "exports[].raw:exporter"))
        or any(place.value is True for place in reach_all(tree, "exports[].image.push"))
    )


def _always(_inputs: Tree) -> bool:
    return True


REPOSITORY_NAMES = {
    "aws:ecr/repository:Repository": "name",
    "aws-native:ecr:Repository": "repositoryName",
}
_PIPELINES = ("aws:codepipeline/pipeline:Pipeline", "aws-native:codepipeline:Pipeline")
_COMMANDS = ("command:local:Command", "command:remote:Command")
_CONDITIONS: Mapping[str, Callable[[Tree], bool]] = {
    "docker:index/image:Image": lambda tree: member(tree, "skipPush") is not True,
    "docker-build:index:Image": _build_is_pushed,
    "docker-build:index:Index": lambda tree: member(tree, "push") is not False,
}
