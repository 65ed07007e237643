"""The next step: what the person whose deployment stopped can do."""

from __future__ import annotations

from layerguard.platform import Platform
from layerguard.reference import Digest, ImageReference
from layerguard.registry import ACTIONS
from layerguard.verdict import Code


def advise(
    code: Code, reference: ImageReference, digest: Digest | None, wanted: Platform | None
) -> str:
    """Return the next step after a verdict on ``reference``; empty where nothing is to be done."""
    repository = reference.repository
    where = (
        f"--registry-id {repository.account} --region {repository.region} "
        f"--repository-name {repository.name}"
    )
    image = f"imageDigest={digest}" if digest else f"imageTag={reference.image_id.tag}"
    match code:
        case Code.LAYER_MISSING if reference.digest is None:
            return f"push the image again, which uploads what is missing: docker push {reference}"
        case Code.LAYER_MISSING:
            return (
                "push this image again under a tag of this repository, which uploads what is "
                "missing, or refer to a newer image."
            )
        case Code.LAYER_ARCHIVED | Code.IMAGE_ARCHIVED:
            return (
                "restore the image, which takes up to 20 minutes: "
                f"aws ecr update-image-storage-class {where} --image-id {image} "
                "--target-storage-class STANDARD"
            )
        case Code.IMAGE_NOT_FOUND:
            return (
                "push the image, or correct the tag or digest; the tags that are there: "
                f"aws ecr describe-images {where} --query 'imageDetails[].imageTags[]'"
            )
        case Code.REPOSITORY_NOT_FOUND:
            return (
                "create the repository, or correct its name, account or region; those that are "
                f"there: aws ecr describe-repositories --registry-id {repository.account} "
                f"--region {repository.region} --query 'repositories[].repositoryName'"
            )
        case Code.PLATFORM_MISSING:
            target = wanted or "linux/amd64"
            return (
                "build and push the image for this platform too, or run it on one that it has: "
                f"docker buildx build --platform {target} --push ..."
            )
        case Code.TAG_MOVED:
            return (
                "give the digest that the tag points to now, or leave the tag away to pin the "
                f"digest: aws ecr describe-images {where} "
                f"--image-ids imageTag={reference.image_id.tag}"
            )
        case Code.ACCESS_DENIED:
            return (
                f"allow the principal that runs Pulumi {', '.join(ACTIONS)} on this repository; "
                "for another account's repository its repository policy must allow it too."
            )
        case Code.NO_CREDENTIALS:
            return (
                "give the process that runs Pulumi valid AWS credentials (a profile, AWS_* "
                "variables or a role); to see what it has: aws sts get-caller-identity"
            )
        case Code.THROTTLED | Code.TIMED_OUT:
            return "run it again; if it stays, look at ECR's service quotas and health."
        case Code.UNREACHABLE:
            return (
                f"check the network path to ECR's API in {repository.region} (proxy, VPC "
                "endpoint, AWS_ENDPOINT_URL_ECR), then run it again."
            )
        case Code.KMS:
            return "check the policy and the state of the KMS key that encrypts the repository."
        case Code.CACHE_NOT_FILLED:
            return (
                f"pull it once, with credentials that may fill the cache: docker pull {reference}"
            )
        case Code.UPSTREAM:
            return "check the pull-through cache rule of the repository and its upstream."
        case Code.INCONSISTENT_ANSWER:
            return (
                "run it again; if it stays, something between Pulumi and ECR changes answers (a "
                "proxy, an endpoint that is not ECR), or ECR has a fault."
            )
        case Code.MANIFEST_UNREADABLE:
            return "build the image anew with a current tool, which writes a current manifest."
        case Code.INTERNAL_ERROR:
            return "please report this text to the maintainers of Layerguard."
        case _:
            return ""
