"""A registry of the sandbox, filled and damaged from Python without a request."""

from contextlib import suppress
from dataclasses import dataclass

from moto.ecr.exceptions import ImageAlreadyExistsException

from layerguard_sandbox.ecr.backend import EcrBackend
from layerguard_sandbox.ecr.images import Image, ImageIndex
from layerguard_sandbox.ecr.lookup import ImageId
from layerguard_sandbox.ecr.manifests import contents
from layerguard_sandbox.ecr.responses import Registries


@dataclass(frozen=True, slots=True)
class Pushed:
    """An image in a registry: where it is, and the digests that it is made of.

    `layers` and `configs` are those of every image that an index lists, each digest once;
    `children` are the images that an index lists.
    """

    host: str
    repository: str
    tag: str | None
    digest: str
    layers: tuple[str, ...]
    configs: tuple[str, ...]
    children: tuple[str, ...]

    @property
    def reference(self) -> str:
        """The reference by tag, or by digest where it was pushed without a tag."""
        return f"{self.host}/{self.repository}:{self.tag}" if self.tag else self.by_digest

    @property
    def by_digest(self) -> str:
        """The reference by digest."""
        return f"{self.host}/{self.repository}@{self.digest}"


class Registry:
    """One account's registry in one region."""

    def __init__(self, registries: Registries, account: str, region: str) -> None:
        self.account, self.region = account, region
        suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        self.host = f"{account}.dkr.ecr.{region}.{suffix}"
        self._lock = registries.lock
        self._backend: EcrBackend = registries.backend(account, region)

    def create_repository(self, repository: str) -> None:
        """Create a repository without images, unless there is one."""
        with self._lock:
            if repository not in self._backend.repositories:
                self._backend.create_repository(repository, None, {}, None, "", [])

    def push(self, repository: str, image: Image | ImageIndex, tag: str | None = None) -> Pushed:
        """Push an image with everything below it, as `docker push` does; create the repository."""
        with self._lock:
            self.create_repository(repository)
            layers, configs = self._put(repository, image, tag)
        return Pushed(
            host=self.host,
            repository=repository,
            tag=tag,
            digest=image.digest,
            layers=tuple(dict.fromkeys(layers)),
            configs=tuple(dict.fromkeys(configs)),
            children=contents(image.manifest).children,
        )

    def lose_layer(self, repository: str, digest: str) -> None:
        """Make a layer or config unavailable; raise LookupError where there is none."""
        with self._lock:
            self._backend.lose_layer(repository, digest)

    def restore_layer(self, repository: str, digest: str) -> None:
        """Bring a lost layer back; raise LookupError where it was not lost."""
        with self._lock:
            self._backend.restore_layer(repository, digest)

    def archive_image(self, repository: str, tag_or_digest: str) -> None:
        """Move an image to the archive, with the images that it lists."""
        with self._lock:
            self._backend.update_image_storage_class(
                repository, _image_id(tag_or_digest), "ARCHIVE"
            )

    def activate_image(self, repository: str, tag_or_digest: str) -> None:
        """Bring an image back from the archive."""
        with self._lock:
            self._backend.update_image_storage_class(
                repository, _image_id(tag_or_digest), "STANDARD"
            )

    def untag(self, repository: str, tag: str) -> None:
        """Take a tag away and keep its image."""
        with self._lock:
            self._backend.untag(repository, tag)

    def delete_image(self, repository: str, tag_or_digest: str) -> None:
        """Delete an image with all its tags, even one that an index lists; its layers stay."""
        with self._lock:
            (image,) = self._backend.describe_images(
                repository, image_ids=[_image_id(tag_or_digest)], image_status="ANY"
            )
            self._backend.batch_delete_image(
                repository, image_ids=[{"imageDigest": image.image_digest}]
            )

    def cache_upstream(self, prefix: str, upstream_url: str) -> None:
        """Add a pull-through-cache rule."""
        with self._lock:
            self._backend.pull_through_cache.create(prefix, upstream_url)

    def _put(
        self, repository: str, image: Image | ImageIndex, tag: str | None
    ) -> tuple[list[str], list[str]]:
        """Push `image` after what it lists; return the digests of layers and of configs."""
        layers: list[str] = []
        configs: list[str] = []
        if isinstance(image, ImageIndex):
            for child in image.children:
                below = self._put(repository, child, None)
                layers += below[0]
                configs += below[1]
        else:
            for blob in image.blobs:
                self._backend.add_layer(repository, blob.content)
            configs.append(image.blobs[0].digest)
            layers += [blob.digest for blob in image.blobs[1:]]
        with suppress(ImageAlreadyExistsException):  # pushing again what is there changes nothing
            self._backend.put_image(repository, image.manifest, tag, image.media_type)
        return layers, configs


def _image_id(tag_or_digest: str) -> ImageId:
    member = "imageDigest" if tag_or_digest.startswith("sha256:") else "imageTag"
    return {member: tag_or_digest}
