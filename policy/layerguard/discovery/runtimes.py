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

from layerguard.discovery.placement import Placement
from layerguard.manifest import ManifestForm
from layerguard.reference import ImageReference

MAX_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Candidate:
    """An image that a runtime is asked to run.

    ``reference`` is None for an image of another registry. ``form`` is what the reference leads
    to, None while that is not known.
    """

    text: str
    reference: ImageReference | None
    placement: Placement
    form: ManifestForm | None


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

    One that ``mounts_artifacts`` takes what is no container image too.
    """

    name: str
    rules: tuple[Rule, ...] = ()
    mounts_artifacts: bool = False

    def refusals(self, candidate: Candidate) -> tuple[Refusal, ...]:
        """Return why this runtime refuses ``candidate``, the certain reasons first."""
        found = [
            Refusal(f"{self.name} does not run this image: {reason}", rule.next_step, rule.certain)
            for rule in self.rules
            if (reason := rule.check(candidate))
        ]
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


def short_reference(image: Candidate) -> str | None:
    """A reference of at most 255 characters."""
    length = len(image.text)
    if length <= MAX_LENGTH:
        return None
    return f"the reference has {length} characters, and it accepts {MAX_LENGTH}."


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

ANY = Runtime("The runtime")
APP_RUNNER = Runtime(
    "AWS App Runner",
    (
        Rule(any_ecr, _TO_ECR),
        Rule(ordinary_host_outside_china, _HOST),
        Rule(same_region, _TO_REGION, certain=False),
    ),
)
AGENT_CORE = Runtime(
    "Amazon Bedrock AgentCore",
    (
        Rule(any_ecr, _TO_ECR),
        Rule(ordinary_host, _HOST),
        Rule(same_region, _TO_REGION, certain=False),
    ),
)
CLEAN_ROOMS_ML = Runtime(
    "AWS Clean Rooms ML",
    (
        Rule(no_digest, "refer to the image by its tag alone."),
        Rule(short_reference, "give the repository or the tag a shorter name."),
        Rule(private_ecr, _TO_ECR, certain=False),
        Rule(same_region, _TO_REGION, certain=False),
    ),
)
ECS_EXPRESS = Runtime("Amazon ECS Express Mode", (Rule(ordinary_host, _HOST, certain=False),))
EMR_SERVERLESS = Runtime(
    "Amazon EMR Serverless",
    (
        Rule(private_ecr, _TO_ECR),
        Rule(explicit_version, "add the tag or the digest of the image."),
        Rule(same_region, _TO_REGION, certain=False),
    ),
)
GAME_LIFT = Runtime(
    "Amazon GameLift Servers",
    (
        Rule(any_ecr, _TO_ECR),
        Rule(same_region, _TO_ACCOUNT),
        Rule(same_account, _TO_ACCOUNT),
        Rule(tag_or_digest, "leave away the tag or the digest."),
        Rule(short_reference, "give the repository or the tag a shorter name."),
    ),
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
        Rule(no_fips_host, "write the registry as ACCOUNT.dkr.ecr.REGION.amazonaws.com."),
        Rule(single_manifest, _SINGLE),
    ),
)
LIGHTSAIL = Runtime("Amazon Lightsail", (Rule(same_region, _TO_REGION),))
SAGEMAKER = Runtime("Amazon SageMaker", (Rule(same_region, _TO_REGION, certain=False),))
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
)
