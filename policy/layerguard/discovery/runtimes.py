"""What a runtime refuses to run although every layer is there.

A rule looks at one image and returns the refusal in a sentence, or None. A rule that AWS documents
is certain; one that users report, or that is only likely, is a warning.
Source of the rules: the ``manifest`` and ``region_account`` columns of the project's catalog of
image properties, made from the AWS documentation and the patterns in the services' API models.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from layerguard.discovery import api_forms
from layerguard.discovery.api_forms import ApiForm
from layerguard.discovery.placement import Placement
from layerguard.manifest import ManifestForm
from layerguard.reference import ImageReference

GIB = 1024**3
# AWS Lambda developer guide, "Lambda quotas": the limit is on the uncompressed image, with all its
# layers, so an image that is larger while it is compressed is over it.
_LAMBDA_GIB = 10


@dataclass(frozen=True, slots=True)
class Candidate:
    """An image that a runtime is asked to run.

    ``reference`` is None for an image of another registry. ``form`` is what the reference leads
    to and ``compressed`` the bytes of its layers as they are pulled, None while that is not known.
    ``storage_gib`` is the room for it where it runs, None where nothing says it.
    """

    text: str
    reference: ImageReference | None
    placement: Placement
    form: ManifestForm | None
    compressed: int | None = None
    storage_gib: float | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a runtime refuses an image, and what to do; whole sentences."""

    reason: str
    next_step: str
    certain: bool


Check: TypeAlias = Callable[[Candidate], "str | None"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A check, what to do about an image that it refuses, and whether AWS documents it."""

    check: Check
    next_step: str
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Runtime:
    """What pulls an image, and its rules.

    ``form`` is what the API's model demands of a reference; the rules come first, because they
    name a cause. One that ``mounts_artifacts`` takes what is no container image too.
    """

    name: str
    rules: tuple[Rule, ...] = ()
    form: ApiForm | None = None
    mounts_artifacts: bool = False

    def refusals(self, candidate: Candidate) -> tuple[Refusal, ...]:
        """Return why this runtime refuses ``candidate``, the certain reasons first."""
        found = [
            Refusal(f"{self.name} does not run this image: {reason}", rule.next_step, rule.certain)
            for rule in self.rules
            if (reason := rule.check(candidate))
        ]
        if self.form and not any(refusal.certain for refusal in found):
            reason = self.form.refusal(candidate.text)
            if reason:
                full = f"{self.name} does not run this image: {reason}"
                found.append(Refusal(full, self.form.next_step, certain=True))
        return tuple(sorted(found, key=lambda refusal: not refusal.certain))


def private_ecr(image: Candidate) -> str | None:
    """Only images in private ECR."""
    return None if image.reference else "it is not in a private Amazon ECR registry."


def any_ecr(image: Candidate) -> str | None:
    """Only images in private ECR or ECR Public."""
    if image.reference or image.text.startswith("public.ecr.aws/"):
        return None
    return "it is neither in a private Amazon ECR registry nor in ECR Public."


def same_region(image: Candidate) -> str | None:
    """The repository is in the resource's own region."""
    own, other = image.placement.region, image.reference and image.reference.host.region
    if not own or not other or own == other:
        return None
    return f"the repository is in {other}, and the resource in {own}."


def same_account(image: Candidate) -> str | None:
    """The repository is in the resource's own account."""
    own, other = image.placement.account, image.reference and image.reference.host.account
    if not own or not other or own == other:
        return None
    return f"the repository is in account {other}, and the resource in {own}."


def no_fips_host(image: Candidate) -> str | None:
    """No FIPS host name."""
    fips = image.reference is not None and image.reference.host.fips
    return "the reference has a FIPS host name." if fips else None


def ordinary_host(image: Candidate) -> str | None:
    """The ordinary host name, neither FIPS nor dual-stack."""
    return _host_refusal(image, ("amazonaws.com", "amazonaws.com.cn"))


def ordinary_host_outside_china(image: Candidate) -> str | None:
    """The ordinary host name, neither FIPS nor dual-stack, nor one of the China regions."""
    return _host_refusal(image, ("amazonaws.com",))


def _host_refusal(image: Candidate, suffixes: tuple[str, ...]) -> str | None:
    if image.reference is None:
        return None
    host = image.reference.host
    accepted = (f"{host.account}.dkr.ecr.{host.region}.{suffix}" for suffix in suffixes)
    return None if host.name in accepted else f"it accepts no registry of the form {host.name}."


def explicit_version(image: Candidate) -> str | None:
    """An explicit tag or digest."""
    reference = image.reference
    if reference is None or reference.tag or reference.digest:
        return None
    return "the reference has neither a tag nor a digest."


def no_digest(image: Candidate) -> str | None:
    """A tag, and no digest."""
    digest = image.reference and image.reference.digest
    return "the reference has a digest, and it accepts tags only." if digest else None


def tag_or_digest(image: Candidate) -> str | None:
    """A tag or a digest, and not both."""
    both = image.reference and image.reference.tag and image.reference.digest
    return "the reference has a tag and a digest, and it accepts one of them." if both else None


def small_enough_for_lambda(image: Candidate) -> str | None:
    """At most 10 GiB, all layers together."""
    if image.compressed is None or image.compressed <= _LAMBDA_GIB * GIB:
        return None
    return (
        f"its layers have {image.compressed:,} bytes while they are compressed, and it takes "
        f"images of at most {_LAMBDA_GIB} GiB uncompressed."
    )


def fits_in_storage(image: Candidate) -> str | None:
    """Compressed layers that fit in the task's ephemeral storage."""
    room, needed = image.storage_gib, image.compressed
    if room is None or needed is None or needed <= room * GIB:
        return None
    return (
        f"its layers have {needed:,} bytes while they are compressed, and the task's ephemeral "
        f"storage of {room:g} GiB holds them compressed and uncompressed."
    )


def single_manifest(image: Candidate) -> str | None:
    """One manifest, and no index."""
    if image.form not in (ManifestForm.OCI_INDEX, ManifestForm.DOCKER_LIST):
        return None
    return f"the reference leads to {image.form.value}, and it takes a single manifest."


def docker_manifest(image: Candidate) -> str | None:
    """A Docker schema 2 manifest, not an OCI one."""
    if image.form not in (ManifestForm.OCI_INDEX, ManifestForm.OCI_MANIFEST):
        return None
    return f"the reference leads to {image.form.value}, and users report that it takes Docker's."


_COPY = "copy the image into a repository of the resource's own {} and refer to that one."
_TO_ACCOUNT = _COPY.format("account and region")
_TO_REGION = _COPY.format("region")
_TO_ECR = "copy the image into a private ECR repository and refer to that one."
_HOST = "write the registry as ACCOUNT.dkr.ecr.REGION.amazonaws.com."
_SINGLE = (
    "push a single manifest (docker buildx build --platform ... --provenance=false --sbom=false), "
    "or refer to the digest of the one manifest that is to run."
)

_ONE_OF_BOTH = "leave away the tag, which pins the digest, or the digest."
_VERSION = "add the tag or the digest of the image."
_SMALLER = "build a smaller image."

ANY = Runtime("The runtime")
APP_RUNNER = Runtime(
    "AWS App Runner",
    (
        Rule(any_ecr, _TO_ECR),
        Rule(ordinary_host_outside_china, _HOST),
        Rule(same_region, _TO_REGION, certain=False),
    ),
    api_forms.APP_RUNNER,
)
AGENT_CORE = Runtime(
    "Amazon Bedrock AgentCore",
    (
        Rule(any_ecr, _TO_ECR),
        Rule(ordinary_host, _HOST),
        Rule(same_region, _TO_REGION, certain=False),
    ),
    api_forms.AGENT_CORE,
)
CLEAN_ROOMS_ML = Runtime(
    "AWS Clean Rooms ML",
    (
        Rule(no_digest, "refer to the image by its tag alone."),
        Rule(private_ecr, _TO_ECR, certain=False),
        Rule(same_region, _TO_REGION, certain=False),
    ),
    api_forms.CLEAN_ROOMS_ML,
)
_FARGATE = Rule(
    fits_in_storage,
    "give the task more ephemeral storage (up to 200 GiB), or build a smaller image.",
)
BATCH = Runtime("AWS Batch on AWS Fargate", (_FARGATE,))
ECS = Runtime("Amazon ECS on AWS Fargate", (_FARGATE,))
ECS_EXPRESS = Runtime("Amazon ECS Express Mode", (Rule(ordinary_host, _HOST, certain=False),))
EMR_SERVERLESS = Runtime(
    "Amazon EMR Serverless",
    (
        Rule(private_ecr, _TO_ECR),
        Rule(tag_or_digest, _ONE_OF_BOTH),
        Rule(explicit_version, _VERSION),
        Rule(same_region, _TO_REGION, certain=False),
    ),
    api_forms.EMR_SERVERLESS,
)
GAME_LIFT = Runtime(
    "Amazon GameLift Servers",
    (
        Rule(any_ecr, _TO_ECR),
        Rule(same_region, _TO_ACCOUNT),
        Rule(same_account, _TO_ACCOUNT),
        Rule(tag_or_digest, _ONE_OF_BOTH),
    ),
    api_forms.GAME_LIFT,
)
HEALTH_OMICS = Runtime(
    "AWS HealthOmics",
    (Rule(private_ecr, _TO_ECR, certain=False), Rule(same_region, _TO_REGION, certain=False)),
)
# Source: Kubernetes documentation, "Use an Image Volume With a Pod": any OCI object.
IMAGE_VOLUME = Runtime("A Kubernetes image volume", mounts_artifacts=True)
LAMBDA = Runtime(
    "AWS Lambda",
    (
        Rule(private_ecr, _TO_ECR),
        Rule(same_region, _TO_REGION),
        Rule(no_fips_host, _HOST),
        Rule(tag_or_digest, _ONE_OF_BOTH),
        Rule(explicit_version, _VERSION),
        Rule(single_manifest, _SINGLE),
        Rule(small_enough_for_lambda, _SMALLER),
    ),
)
LIGHTSAIL = Runtime("Amazon Lightsail", (Rule(same_region, _TO_REGION),))
SAGEMAKER = Runtime(
    "Amazon SageMaker", (Rule(same_region, _TO_REGION, certain=False),), api_forms.SAGEMAKER
)
# The digest stands in a property of its own, and does not count for the length of the image's.
SAGEMAKER_WITH_DIGEST = Runtime("Amazon SageMaker", (Rule(same_region, _TO_REGION, certain=False),))
SAGEMAKER_HOSTING = Runtime(
    "Amazon SageMaker hosting",
    (
        Rule(same_region, _TO_REGION, certain=False),
        Rule(
            docker_manifest,
            "build it with Docker's media types (docker buildx build --output "
            "type=image,oci-mediatypes=false,push=true --provenance=false).",
            certain=False,
        ),
    ),
    api_forms.SAGEMAKER,
)
