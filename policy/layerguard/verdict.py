"""Verdicts: what can be said of one image use, with stable codes and words for people."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from layerguard.errors import RegistryError
from layerguard.manifest import ManifestForm, Platform
from layerguard.reference import Digest


class State(Enum):
    """The five things that a verdict can say."""

    AVAILABLE = "available"
    UNAVAILABLE = "unavailable"
    UNDETERMINED = "undetermined"
    PENDING = "pending"
    SKIPPED = "skipped"


class Code(Enum):
    """The stable code of a verdict, the state it belongs to, and what it means."""

    # fmt: off
    AVAILABLE            = ("available",            State.AVAILABLE,    "Every layer is in ECR.")

    LAYER_MISSING        = ("layer-missing",        State.UNAVAILABLE,  "The image's manifest is in ECR, and at least one of its layers (or its config) is not.")
    LAYER_ARCHIVED       = ("layer-archived",       State.UNAVAILABLE,  "A layer is in ECR's archive storage class and cannot be pulled until it is restored.")
    IMAGE_NOT_FOUND      = ("image-not-found",      State.UNAVAILABLE,  "The repository is there, and has no image with this tag or digest.")
    IMAGE_ARCHIVED       = ("image-archived",       State.UNAVAILABLE,  "The image is in ECR's archive storage class and cannot be pulled until it is restored.")
    REPOSITORY_NOT_FOUND = ("repository-not-found", State.UNAVAILABLE,  "The registry of this account and region has no repository of this name.")
    PLATFORM_MISSING     = ("platform-missing",     State.UNAVAILABLE,  "The image is there, but not for the platform on which it is to run.")
    TAG_MOVED            = ("tag-moved",            State.UNAVAILABLE,  "The reference gives a tag and a digest, and the tag points to another digest.")
    RUNTIME_REJECTS      = ("runtime-rejects",      State.UNAVAILABLE,  "The image is there, and the runtime that is to pull it does not run it.")
    REFERENCE_INVALID    = ("reference-invalid",    State.UNAVAILABLE,  "The text names an ECR registry, and is not a valid image reference.")

    ACCESS_DENIED        = ("access-denied",        State.UNDETERMINED, "The principal that asked may not ask ECR about this repository.")
    NO_CREDENTIALS       = ("no-credentials",       State.UNDETERMINED, "There are no AWS credentials, or ECR does not accept them.")
    THROTTLED            = ("throttled",            State.UNDETERMINED, "ECR turned the question away because of too many requests, after all retries.")
    UNREACHABLE          = ("unreachable",          State.UNDETERMINED, "There is no connection to ECR, or it answers with server errors only.")
    TIMED_OUT            = ("timed-out",            State.UNDETERMINED, "ECR did not answer in time.")
    KMS                  = ("kms",                  State.UNDETERMINED, "ECR could not use the repository's encryption key.")
    UPSTREAM             = ("upstream",             State.UNDETERMINED, "A pull-through cache could not use its upstream registry.")
    CACHE_NOT_FILLED     = ("cache-not-filled",     State.UNDETERMINED, "The repository is a pull-through cache, and this was never pulled through it.")
    INCONSISTENT_ANSWER  = ("inconsistent-answer",  State.UNDETERMINED, "ECR's answer does not account for every digest, or is not the image's manifest.")
    MANIFEST_UNREADABLE  = ("manifest-unreadable",  State.UNDETERMINED, "The image's manifest is of a kind whose layers cannot be read.")
    DOCUMENT_UNREADABLE  = ("document-unreadable",  State.UNDETERMINED, "The property holds a document that does not parse, so the images in it are not known.")
    EXPRESSION_UNRESOLVED = ("expression-unresolved", State.UNDETERMINED, "The image is an expression that only the service itself evaluates, such as a template's function.")
    SECRET_NOT_SHOWN     = ("secret-not-shown",     State.UNDETERMINED, "The image, or what its provider asks with, is a secret that the audited source does not show.")
    INTERNAL_ERROR       = ("internal-error",       State.UNDETERMINED, "Layerguard met something it does not understand, or has a bug.")

    UNKNOWN_IN_PREVIEW   = ("unknown-in-preview",   State.PENDING,      "The value is an output of a resource that does not exist yet.")

    PUSHED_BY_THIS_STACK = ("pushed-by-this-stack", State.PENDING,      "The image is not there yet, and a resource of this stack pushes it.")
    REPOSITORY_CREATED_BY_THIS_STACK = ("repository-created-by-this-stack", State.PENDING, "The repository is not there yet, and a resource of this stack creates it.")

    EXEMPT               = ("exempt",               State.SKIPPED,      "The configuration exempts it from the gates.")
    NOT_PRIVATE_ECR      = ("not-private-ecr",      State.SKIPPED,      "The image is in another registry than private ECR.")
    # fmt: on

    def __init__(self, text: str, state: State, meaning: str) -> None:
        self.text = text
        self.state = state
        self.meaning = meaning

    @classmethod
    def of(cls, error: RegistryError) -> Code:
        """Return the code of the verdict that follows from ``error``."""
        return next(code for code in cls if code.text == error.code)


class BlobState(Enum):
    """What is known of a layer or config: ECR's word, or why there is none."""

    AVAILABLE = "AVAILABLE"
    UNAVAILABLE = "UNAVAILABLE"
    ARCHIVED = "ARCHIVED"
    UNACCOUNTED = "not accounted for"
    UNKNOWN = "not known"


@dataclass(frozen=True, slots=True)
class CheckedBlob:
    """A layer or config that ECR was asked about. ``size`` is in bytes, as the manifest has it."""

    digest: Digest
    role: str
    state: BlobState
    size: int | None

    @property
    def is_bad(self) -> bool:
        """Whether it is not available, or left out of the answer."""
        return self.state not in (BlobState.AVAILABLE, BlobState.UNKNOWN)

    def __str__(self) -> str:
        size = "size unknown" if self.size is None else f"{self.size:,} bytes"
        return f"{self.digest} {self.state.value} ({self.role}, {size})"


@dataclass(frozen=True, slots=True)
class ManifestReport:
    """The layers of one manifest and its config, each digest once, with what is known of each."""

    digest: Digest
    platform: Platform | None
    blobs: tuple[CheckedBlob, ...]

    @property
    def bad(self) -> tuple[CheckedBlob, ...]:
        """What is not available."""
        return tuple(blob for blob in self.blobs if blob.is_bad)

    def lines(self, image: Digest | None) -> tuple[str, ...]:
        """Return the counts, then a line for each bad layer.

        A manifest that is not the ``image`` itself, but a child of its index, is named.
        """
        bad = self.bad
        verb = "is" if len(bad) == 1 else "are"
        child = f" in its manifest {self.digest}" if self.digest != image else ""
        platform = f" for {self.platform}" if self.platform else ""
        return (
            f"layers: {len(bad)} of {len(self.blobs)} {verb} not available{child}{platform}:",
            *(f"  {blob}" for blob in bad),
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What can be said of an image. ``reason`` and ``next_step`` are whole sentences.

    ``digest`` is what the reference resolved to and ``form`` what kind of manifest that is,
    ``wanted`` the platform that was looked for.
    """

    code: Code
    reason: str
    next_step: str = ""
    digest: Digest | None = None
    wanted: Platform | None = None
    manifests: tuple[ManifestReport, ...] = ()
    form: ManifestForm | None = None

    @property
    def state(self) -> State:
        """Which of the five things the verdict says."""
        return self.code.state

    @property
    def lines(self) -> tuple[str, ...]:
        """What explains the verdict to the person whose deployment stopped, a line each."""
        return (
            self.reason,
            *([f"digest: {self.digest}"] if self.digest else ()),
            *([f"platform: {self.wanted}"] if self.wanted else ()),
            *(
                line
                for report in self.manifests
                if report.bad
                for line in report.lines(self.digest)
            ),
            *([f"next step: {self.next_step}"] if self.next_step else ()),
        )
