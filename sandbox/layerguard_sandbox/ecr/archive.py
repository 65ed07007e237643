"""The archived images of one repository (ECR's storage class `ARCHIVE`)."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timezone

from moto.ecr.models import Image

from layerguard_sandbox.ecr.manifests import contents


class Archive:
    """Which images are archived, and which layers are therefore out of reach.

    A choice of the stand-in: the images that an index lists go with it, except those that another
    active index lists; and an archived image is active again at once (the service takes minutes).
    """

    def __init__(self) -> None:
        self._since: dict[str, datetime] = {}

    def since(self, image: Image) -> datetime | None:
        """Return when `image` was archived, or None for an active one."""
        return self._since.get(image.image_digest)

    def status(self, image: Image) -> str:
        """Return `ACTIVE` or `ARCHIVED`, as the API names them."""
        return "ARCHIVED" if image.image_digest in self._since else "ACTIVE"

    def put(self, image: Image, images: Sequence[Image]) -> None:
        """Archive `image`, one of the repository's `images`."""
        for member in _members(image, images):
            listed_by_active = any(
                member.image_digest in contents(index.image_manifest).children
                for index in images
                if self.since(index) is None
            )
            if member is image or not listed_by_active:
                self._since[member.image_digest] = datetime.now(timezone.utc)

    def take(self, image: Image, images: Sequence[Image]) -> None:
        """Make `image`, one of the repository's `images`, active."""
        for member in _members(image, images):
            self._since.pop(member.image_digest, None)

    def layers(self, images: Iterable[Image]) -> set[str]:
        """Return the digests of layers and configs that only archived images use."""
        if not self._since:
            return set()
        used: dict[str, set[str]] = {"ACTIVE": set(), "ARCHIVED": set()}
        for image in images:
            used[self.status(image)].update(contents(image.image_manifest).blobs)
        return used["ARCHIVED"] - used["ACTIVE"]


def _members(image: Image, images: Sequence[Image]) -> Iterator[Image]:
    """Yield `image` and then, outermost first, those that it lists."""
    yield image
    children = contents(image.image_manifest).children
    for child in images:
        if child.image_digest in children:
            yield from _members(child, images)
