"""moto's ECR backend with the truths that it lacks: digests, contents, availability, archiving.

One backend is one registry: an account in a region. Whatever is not overridden here is moto's.
Where AWS documents no behaviour, the docstring marks the choice as the stand-in's.
"""

from collections.abc import Sequence
from typing import Any

from moto.ecr.exceptions import (
    ImageAlreadyExistsException,
    ImageNotFoundException,
    InvalidParameterException,
)
from moto.ecr.models import Image, Repository

from layerguard_sandbox.ecr.blobs import sha256
from layerguard_sandbox.ecr.errors import (
    ImageDigestDoesNotMatchException,
    ImageStorageClassUpdateNotSupportedException,
    LayersNotFoundException,
    ReferencedImagesNotFoundException,
)
from layerguard_sandbox.ecr.layers import LayerBackend
from layerguard_sandbox.ecr.lookup import TAG, ImageId, NotFound, distinct, find, require_batch
from layerguard_sandbox.ecr.manifests import contents
from layerguard_sandbox.ecr.pull_through import PullThroughCache


class EcrBackend(LayerBackend):
    """The repositories, images and layers of one registry."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.pull_through_cache = PullThroughCache(account_id)

    def put_image(
        self,
        repository_name: str,
        image_manifest: str,
        image_tag: str | None = None,
        image_manifest_mediatype: str | None = None,
        digest: str | None = None,
    ) -> Image:
        """Store a manifest under the digest of its bytes; the tag leaves the image that had it.

        Refused are bytes that do not hash to `digest`, layers that were not uploaded, images of an
        index that were not pushed, an image that is there with that tag. A push makes an archived
        image active (a choice of the stand-in).
        """
        repository = self._get_repository(repository_name)
        true_digest = sha256(image_manifest.encode())
        if digest and digest != true_digest:
            raise ImageDigestDoesNotMatchException(
                f"The digest '{digest}' does not match the manifest's digest '{true_digest}'"
            )
        if image_tag and not TAG.fullmatch(image_tag):
            raise InvalidParameterException(
                "Invalid parameter at 'imageTag' failed to satisfy constraint: "
                f"'must satisfy regular expression '{TAG.pattern}''"
            )
        self._require_contents(repository, image_manifest)
        if image_tag is None:
            self._require_new(repository, true_digest)
        else:
            self._move_tag(repository, image_tag, true_digest)
        image = super().put_image(
            repository_name,
            image_manifest,
            image_tag,  # type: ignore[arg-type] # moto's own response class passes None, too
            image_manifest_mediatype,
            true_digest,
        )
        memory = self._memory(repository_name)
        memory.archive.take(image, repository.images)
        memory.media_types.update(
            {blob: media_type for blob, (media_type, _) in contents(image_manifest).blobs.items()}
        )
        return image

    def batch_get_image(
        self,
        repository_name: str,
        registry_id: str | None = None,
        image_ids: list[ImageId] | None = None,
        accepted_media_types: Sequence[str] = (),
    ) -> dict[str, Any]:
        """Answer for every distinct id once: with the manifest as it was pushed, or with a failure.

        A tag and a digest together mean the image that has both. Choices of the stand-in: no
        accepted media types accept everything; a manifest of another type is not converted but not
        found; an archived image is not found.
        """
        repository = self._get_repository(repository_name, registry_id)
        require_batch("imageIds", image_ids or [])
        images, failures = [], []
        for image_id in distinct(image_ids or []):
            try:
                image = self._readable(repository, image_id, accepted_media_types)
            except NotFound as error:  # noqa: PERF203 - one failure is not the call's
                failures.append(
                    {
                        "imageId": image_id,
                        "failureCode": error.code,
                        "failureReason": error.reason,
                    }
                )
            else:
                images.append(
                    {
                        "registryId": repository.registry_id,
                        "repositoryName": repository_name,
                        "imageId": {**image_id, "imageDigest": image.image_digest},
                        "imageManifest": image.image_manifest,
                        "imageManifestMediaType": image.image_manifest_media_type,
                    }
                )
        return {"images": images, "failures": failures}

    def describe_images(
        self,
        repository_name: str,
        registry_id: str | None = None,
        image_ids: list[ImageId] | None = None,
        image_status: str = "ACTIVE",
        tag_status: str = "ANY",
    ) -> list[Image]:
        """Return the images with that status, in the ids' order; one missing id fails the call."""
        repository = self._get_repository(repository_name, registry_id)
        archive = self._memory(repository_name).archive
        if not image_ids:
            listed = self.list_images(repository_name, registry_id, tag_status)
            return [image for image in listed if image_status in ("ANY", archive.status(image))]
        images = []
        for image_id in image_ids:
            tag, digest = image_id.get("imageTag"), image_id.get("imageDigest")
            if not tag and not digest:  # moto would take any image
                raise InvalidParameterException(
                    "Invalid parameter at 'imageIds' failed to satisfy constraint: "
                    "'an image id has a tag or a digest'"
                )
            image = repository._get_image(tag, digest)
            if image_status not in ("ANY", archive.status(image)):
                raise ImageNotFoundException(
                    f"{{imageDigest:'{digest or 'null'}', imageTag:'{tag or 'null'}'}}",
                    repository_name,
                    repository.registry_id,
                )
            images.append(image)
        return list(dict.fromkeys(images))

    def details(self, image: Image) -> dict[str, Any]:
        """Return the ImageDetail of `image`; its size is that of its config and layers."""
        archive = self._memory(image.repository_name).archive
        archived_at = archive.since(image)
        tags = {"imageTags": image.image_tags} if image.image_tags else {}
        return {
            "registryId": image.registry_id,
            "repositoryName": image.repository_name,
            "imageDigest": image.image_digest,
            **tags,
            "imageSizeInBytes": sum(
                size for _, size in contents(image.image_manifest).blobs.values()
            ),
            "imagePushedAt": image.image_pushed_at,
            "imageManifestMediaType": image.image_manifest_media_type,
            "imageStatus": archive.status(image),
            **({"lastArchivedAt": archived_at} if archived_at else {}),
        }

    def update_image_storage_class(
        self, repository_name: str, image_id: ImageId, storage_class: str
    ) -> dict[str, Any]:
        """Archive an image (`ARCHIVE`) or make it active again (`STANDARD`)."""
        repository = self._get_repository(repository_name)
        image = repository._get_image(image_id.get("imageTag"), image_id.get("imageDigest"))
        archive = self._memory(repository_name).archive
        move, wanted = {
            "ARCHIVE": (archive.put, "ARCHIVED"),
            "STANDARD": (archive.take, "ACTIVE"),
        }[storage_class]
        if archive.status(image) == wanted:
            raise ImageStorageClassUpdateNotSupportedException(
                f"The image '{image.image_digest}' is {wanted} already"
            )
        move(image, repository.images)
        return {
            "registryId": repository.registry_id,
            "repositoryName": repository_name,
            "imageId": {**image_id, "imageDigest": image.image_digest},
            "imageStatus": wanted,
        }

    def untag(self, repository_name: str, tag: str) -> None:
        """Take a tag away and keep its image, which no operation of the service does alone."""
        _untag(self._get_repository(repository_name)._get_image(tag, None), tag)

    def _require_contents(self, repository: Repository, manifest: str) -> None:
        try:
            named = contents(manifest)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidParameterException(
                "Invalid parameter at 'ImageManifest' failed to satisfy constraint: "
                "'Invalid JSON syntax'"
            ) from error
        where = (
            f"in the repository with name '{repository.name}' "
            f"in the registry with id '{repository.registry_id}'"
        )
        if absent := [digest for digest in named.blobs if digest not in repository.layers]:
            raise LayersNotFoundException(f"Layers do not exist {where}: {', '.join(absent)}")
        pushed = {image.image_digest for image in repository.images}
        if absent := [digest for digest in named.children if digest not in pushed]:
            raise ReferencedImagesNotFoundException(
                f"Images do not exist {where}: {', '.join(absent)}"
            )

    def _require_new(self, repository: Repository, digest: str) -> None:
        if any(image.image_digest == digest for image in repository.images):
            raise ImageAlreadyExistsException(
                repository.name, repository.registry_id, digest, "null"
            )

    def _move_tag(self, repository: Repository, tag: str, digest: str) -> None:
        """Take `tag` from the image that has it, which moto would delete with its last tag."""
        for holder in self._resolve_image_tag_mutability(repository, tag):
            if holder.image_digest != digest:
                _untag(holder, tag)

    def _readable(
        self, repository: Repository, image_id: ImageId, accepted_media_types: Sequence[str]
    ) -> Image:
        image = find(repository, image_id)
        media_type = image.image_manifest_media_type
        if self._memory(repository.name).archive.since(image):
            raise NotFound("ImageNotFound", "Requested image not found")
        if accepted_media_types and media_type not in accepted_media_types:
            raise NotFound(
                "ImageNotFound", f"the image is {media_type}, which the request does not accept"
            )
        return image


def _untag(image: Image, tag: str) -> None:
    image.remove_tag(tag)
    image.image_tag = image.image_tags[-1] if image.image_tags else None  # type: ignore[assignment]
