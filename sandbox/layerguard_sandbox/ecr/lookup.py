"""How a request names images, and what is wrong with a name (BatchGetImage's failure codes)."""

import re
from collections.abc import Iterable, Sequence

from moto.ecr.exceptions import ImageNotFoundException, InvalidParameterException
from moto.ecr.models import Image, Repository

ImageId = dict[str, str]

TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_MOST = 100  # image ids or layer digests of one request (API reference, "Array Members")


class NotFound(Exception):
    """One image id's failure: a `failureCode` of the API and its reason."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(code, reason)
        self.code, self.reason = code, reason


def find(repository: Repository, image_id: ImageId) -> Image:
    """Return the image that `image_id` names; raise NotFound.

    A tag and a digest together mean the image that has both.
    """
    tag, digest = image_id.get("imageTag"), image_id.get("imageDigest")
    if not tag and not digest:
        raise NotFound("MissingDigestAndTag", "an image id has a tag or a digest")
    if digest and not _DIGEST.fullmatch(digest):
        raise NotFound("InvalidImageDigest", f"a digest satisfies {_DIGEST.pattern}")
    if tag and not TAG.fullmatch(tag):
        raise NotFound("InvalidImageTag", f"a tag satisfies {TAG.pattern}")
    try:
        image = repository._get_image(tag, None if tag else digest)
    except ImageNotFoundException:
        raise NotFound("ImageNotFound", "Requested image not found") from None
    if digest and digest != image.image_digest:
        raise NotFound("ImageTagDoesNotMatchDigest", f"the tag names {image.image_digest}")
    return image


def distinct(image_ids: Iterable[ImageId]) -> list[ImageId]:
    """Return each id once, in the order asked."""
    return [dict(pairs) for pairs in dict.fromkeys(tuple(sorted(i.items())) for i in image_ids)]


def require_batch(member: str, values: Sequence[object]) -> None:
    """Raise InvalidParameterException unless a request's `member` has 1 to 100 values."""
    if not 1 <= len(values) <= _MOST:
        raise InvalidParameterException(
            f"Invalid parameter at '{member}' failed to satisfy constraint: "
            f"'Member must have length between 1 and {_MOST}, inclusive'"
        )
