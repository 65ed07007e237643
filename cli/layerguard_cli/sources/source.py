"""The source: something outside a running deployment that names images, and what was read of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from layerguard.discovery import ImageUse
from layerguard.enforcement import Run
from layerguard.errors import LayerguardError


class SourceUnreadable(LayerguardError):
    """A source cannot be read; the text is the reason, and quotes nothing that may be a secret."""


class NotASource(SourceUnreadable):
    """It can be read, and is of no kind that an audit knows."""


class SourceKind(Enum):
    """What a source is."""

    BATCH_JOB = "batch-job-definition"
    CDK_ASSEMBLY = "cdk-assembly"
    CLOUDFORMATION = "cloudformation"
    COMPOSE = "compose"
    DOCKERRUN = "dockerrun"
    ECS_TASK = "ecs-task-definition"
    HELM_VALUES = "helm-values"
    IMAGE_DEFINITIONS = "image-definitions"
    KUBERNETES = "kubernetes"
    KUSTOMIZATION = "kustomization"
    PREVIEW = "preview"
    PULUMI_CHECKPOINT = "pulumi-checkpoint"
    REFERENCES = "references"
    STACK = "stack"
    STACK_EXPORT = "stack-export"
    STATE_MACHINE = "state-machine"
    TERRAFORM_PLAN = "terraform-plan"
    TERRAFORM_STATE = "terraform-state"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Source:
    """What was read of one source, a stack or a file.

    ``name`` is the stack's name if it has one, otherwise the path as it was given. ``problems`` are
    sentences about what of it could not be read: an audit with any is not a clean one. ``notes``
    are sentences about what was left out of it and names no host of ECR. ``run`` is what a gate
    would know of the stack; of a preview this is what the update will bring. ``covers`` are the
    files beside it that were read as parts of it.
    """

    name: str
    kind: SourceKind
    uses: tuple[ImageUse, ...]
    problems: tuple[str, ...] = ()
    run: Run = field(default_factory=Run, compare=False, repr=False)
    notes: tuple[str, ...] = ()
    covers: frozenset[str] = frozenset()
