"""Verdicts: what is true of one image use, with stable codes and words for people.

A code is one row: its state, what it means, the next step, and what else follows from it. Adding
one means adding its row here, translating to it where it arises, and testing that.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, Flag, auto

from layerguard.bug import REPORT, bug_text, log_bug
from layerguard.manifest import ManifestForm
from layerguard.platform import Platform
from layerguard.reference import Digest, ImageReference


class State(Enum):
    """The five kinds of verdicts."""

    AVAILABLE = "available"
    UNAVAILABLE = "unavailable"
    UNDETERMINED = "undetermined"
    PENDING = "pending"
    SKIPPED = "skipped"


class Follows(Flag):
    """What else follows from a code."""

    NOTHING = 0
    MAY_STILL_COME = auto()
    """A replication or a push that is still running may bring it: worth asking again."""
    MENDED_BY_PUSH = auto()
    """A push by the stack decides what the tag leads to, so it may mend this."""
    BROUGHT_BY_PULL = auto()
    """A first pull through a cache brings it from upstream."""
    CAUSE_IS_SHARED = auto()
    """The cause is not of one image, so one message is enough for all that have it."""


_COMES = Follows.MAY_STILL_COME | Follows.MENDED_BY_PUSH | Follows.BROUGHT_BY_PULL
_MENDED = Follows.MENDED_BY_PUSH
_NOTHING = Follows.NOTHING
_SHARED = Follows.CAUSE_IS_SHARED
_RESTORE = (
    "restore the image, which takes up to 20 minutes: aws ecr update-image-storage-class {where} "
    "--image-id {image} --target-storage-class STANDARD"
)
_AGAIN = "run it again; if it stays, look at ECR's service quotas and health."
_WAIT = "nothing to do: the image is checked during the update, before its resource is created."


class Code(Enum):
    """The stable code of a verdict: its state, what follows, its meaning and the next step.

    ``next_step`` is a template for ``next_step_after``; empty where there is nothing to do.
    """

    # fmt: off
    AVAILABLE             = ("available",             State.AVAILABLE,    _NOTHING, "Every layer is in ECR.", "")

    LAYER_MISSING         = ("layer-missing",         State.UNAVAILABLE,  _COMES,   "The image's manifest is in ECR, and at least one of its layers (or its config) is not.", "{push_again}")
    LAYER_ARCHIVED        = ("layer-archived",        State.UNAVAILABLE,  _MENDED,  "A layer is in ECR's archive storage class and cannot be pulled until it is restored.", _RESTORE)
    IMAGE_NOT_FOUND       = ("image-not-found",       State.UNAVAILABLE,  _COMES,   "The repository is there, and has no image with this tag or digest.", "push the image, or correct the tag or digest; the tags that are there: aws ecr describe-images {where} --query 'imageDetails[].imageTags[]'")
    IMAGE_ARCHIVED        = ("image-archived",        State.UNAVAILABLE,  _MENDED,  "The image is in ECR's archive storage class and cannot be pulled until it is restored.", _RESTORE)
    REPOSITORY_NOT_FOUND  = ("repository-not-found",  State.UNAVAILABLE,  _COMES,   "The registry of this account and region has no repository of this name.", "create the repository, or correct its name, account or region; those that are there: aws ecr describe-repositories {registry} --query 'repositories[].repositoryName'")
    NOT_AN_IMAGE          = ("not-an-image",          State.UNAVAILABLE,  _MENDED,  "The reference leads to something other than a container image, such as a chart, a signature or a build cache.", "refer to the container image; the tags that are there, with what each of them is: aws ecr describe-images {where} --query 'imageDetails[].[imageTags,artifactMediaType]'")
    PLATFORM_MISSING      = ("platform-missing",      State.UNAVAILABLE,  _MENDED,  "The image is there, but not for the platform on which it is to run.", "build and push the image for this platform too, or run it on one that it has: docker buildx build --platform {platform} --push ...")
    RUNTIME_REJECTS       = ("runtime-rejects",       State.UNAVAILABLE,  _NOTHING, "The image is there, and the runtime that is to pull it does not run it.", "")
    REFERENCE_INVALID     = ("reference-invalid",     State.UNAVAILABLE,  _NOTHING, "The text is not a valid image reference, or names a registry that is meant to be ECR's and is none.", "correct the reference.")

    ACCESS_DENIED         = ("access-denied",         State.UNDETERMINED, _SHARED,  "The principal that asked may not ask ECR about this repository.", "allow the principal that runs Pulumi ecr:BatchCheckLayerAvailability, ecr:BatchGetImage and ecr:DescribeImages on this repository; for another account's repository its repository policy must allow it too.")
    NO_CREDENTIALS        = ("no-credentials",        State.UNDETERMINED, _SHARED,  "There are no AWS credentials, or ECR does not accept them.", "give the process that runs Pulumi valid AWS credentials (a profile, AWS_* variables or a role); to see what it has: aws sts get-caller-identity")
    THROTTLED             = ("throttled",             State.UNDETERMINED, _SHARED,  "ECR turned the question away because of too many requests, after all retries.", _AGAIN)
    UNREACHABLE           = ("unreachable",           State.UNDETERMINED, _SHARED,  "There is no connection to ECR, or it answers with server errors only.", "check the network path to ECR's API in {region} (proxy, VPC endpoint, AWS_ENDPOINT_URL_ECR), then run it again.")
    TIMED_OUT             = ("timed-out",             State.UNDETERMINED, _NOTHING, "ECR did not answer in time.", _AGAIN)
    KMS                   = ("kms",                   State.UNDETERMINED, _NOTHING, "ECR could not use the repository's encryption key.", "check the policy and the state of the KMS key that encrypts the repository.")
    UPSTREAM              = ("upstream",              State.UNDETERMINED, _NOTHING, "What is pulled from elsewhere than ECR itself could not be had there: a pull-through cache's upstream, or a layer's URL.", "check the pull-through cache rule of the repository and its upstream.")
    CACHE_NOT_FILLED      = ("cache-not-filled",      State.UNDETERMINED, _NOTHING, "The repository is a pull-through cache, and this was never pulled through it.", "pull it once, with credentials that may fill the cache: docker pull {reference}")
    REFERENCE_UNCLEAR     = ("reference-unclear",     State.UNDETERMINED, _NOTHING, "The reference is valid, and it is not known whether ECR has such a registry or digest.", "write the registry as ACCOUNT.dkr.ecr.REGION.amazonaws.com, and a digest as sha256:....")
    ENDPOINT_UNTRUSTED    = ("endpoint-untrusted",    State.UNDETERMINED, _SHARED,  "The stack itself chose the endpoint that answers for ECR, so its answers prove nothing.", "if this endpoint is to be believed, name it in the option trustedEndpoints; otherwise take it out of the provider's endpoints.")
    INCONSISTENT_ANSWER   = ("inconsistent-answer",   State.UNDETERMINED, _NOTHING, "ECR's answer does not account for every digest, or is not the image's manifest.", "run it again; if it stays, something between Pulumi and ECR changes answers (a proxy, an endpoint that is not ECR), or ECR has a fault.")
    MANIFEST_UNREADABLE   = ("manifest-unreadable",   State.UNDETERMINED, _NOTHING, "The image's manifest is of a kind whose layers cannot be read.", "build the image anew with a current tool, which writes a current manifest.")
    DOCUMENT_UNREADABLE   = ("document-unreadable",   State.UNDETERMINED, _NOTHING, "The property holds a document that does not parse, so the images in it are not known.", "correct the document; a JSON or YAML function of the program's language makes a valid one.")
    EXPRESSION_UNRESOLVED = ("expression-unresolved", State.UNDETERMINED, _NOTHING, "The image is an expression that only the service itself evaluates, such as a template's function.", "write the whole reference, or set the region and the account on the resource's provider where only these are missing.")
    SECRET_NOT_SHOWN      = ("secret-not-shown",      State.UNDETERMINED, _NOTHING, "The value is a secret that is not shown here, so the images in it are not known.", "in an audit, export the stack with pulumi stack export --show-secrets; in a program that has the text [secret] itself, give it the value.")
    INTERNAL_ERROR        = ("internal-error",        State.UNDETERMINED, _NOTHING, "Layerguard met something it does not understand, or has a bug.", REPORT)

    UNKNOWN_IN_PREVIEW    = ("unknown-in-preview",    State.PENDING,      _SHARED,  "The value is an output of a resource that does not exist yet.", _WAIT)
    PUSHED_BY_THIS_STACK  = ("pushed-by-this-stack",  State.PENDING,      _SHARED,  "The image is not there yet, and a resource of this stack pushes it.", _WAIT)
    REPOSITORY_CREATED_BY_THIS_STACK = ("repository-created-by-this-stack", State.PENDING, _SHARED,  "The repository is not there yet, and a resource of this stack creates it.", _WAIT)

    EXEMPT                = ("exempt",                State.SKIPPED,      _NOTHING, "The configuration exempts it from the gates.", "")
    NOT_PULLED            = ("not-pulled",            State.SKIPPED,      _NOTHING, "Its pull policy is Never: the runtime takes the image that is on its machine already.", "")
    NOT_PRIVATE_ECR       = ("not-private-ecr",       State.SKIPPED,      _NOTHING, "The image is in another registry than private ECR.", "")
    # fmt: on

    def __init__(
        self, text: str, state: State, follows: Follows, meaning: str, next_step: str
    ) -> None:
        self.text = text
        self.state = state
        self.follows = follows
        self.meaning = meaning
        self.next_step = next_step


def next_step_after(
    code: Code, reference: ImageReference, digest: Digest | None, wanted: Platform | None
) -> str:
    """Return the next step of ``code`` for ``reference``, which resolved to ``digest``."""
    repository = reference.repository
    registry = f"--registry-id {repository.account} --region {repository.region}"
    return code.next_step.format(
        image=f"imageDigest={digest}" if digest else f"imageTag={reference.image_id.tag}",
        platform=wanted or "linux/amd64",
        push_again=f"push the image again, which uploads what is missing: docker push {reference}"
        if reference.digest is None
        else "push this image again under a tag of this repository, which uploads what is "
        "missing, or refer to a newer image.",
        reference=reference,
        region=repository.region,
        registry=registry,
        where=f"{registry} --repository-name {repository.name}",
    )


def bug_in(where: str, error: Exception, wanted: Platform | None = None) -> Verdict:
    """Return the verdict after a bug of Layerguard in the step ``where``; log its traceback."""
    code = Code.INTERNAL_ERROR
    reason = bug_text(f"in {where}", error)
    log_bug(reason, error)
    return Verdict(code, reason, code.next_step, wanted=wanted)


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

    @property
    def description(self) -> str:
        """``STATE (ROLE, SIZE)``."""
        size = "size unknown" if self.size is None else f"{self.size:,} bytes"
        return f"{self.state.value} ({self.role}, {size})"

    def __str__(self) -> str:
        return f"{self.digest} {self.description}"


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
    """What is true of an image. ``reason`` and ``next_step`` are whole sentences.

    ``digest`` is what the reference resolved to and ``form`` what kind of manifest that is,
    ``wanted`` the platform that was looked for. Where container runtimes differ in what they do
    with the image, the verdict is not certain, and the reason says how they differ. ``compressed``
    are the bytes of the layers that a pull takes at least, None where that is not known. ``layers``
    has a number for each layer and config that was asked about, the same for the same one in the
    same repository.
    """

    code: Code
    reason: str
    next_step: str = ""
    digest: Digest | None = None
    wanted: Platform | None = None
    manifests: tuple[ManifestReport, ...] = ()
    form: ManifestForm | None = None
    is_certain: bool = True
    compressed: int | None = None
    layers: frozenset[int] = frozenset()

    @property
    def state(self) -> State:
        """The kind of the verdict."""
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
