"""The layers of a registry: uploaded with their true digests, lost and restored, asked about."""

from dataclasses import dataclass, field
from typing import Any

from moto.ecr.models import LAYER_MEDIA_TYPE, ECRBackend, Repository

from layerguard_sandbox.ecr.archive import Archive
from layerguard_sandbox.ecr.blobs import sha256
from layerguard_sandbox.ecr.errors import (
    EmptyUploadException,
    InvalidLayerException,
    LayerAlreadyExistsException,
    LayerInaccessibleException,
    LayersNotFoundException,
)
from layerguard_sandbox.ecr.lookup import require_batch
from layerguard_sandbox.ecr.manifests import contents


@dataclass
class Memory:
    """What moto's Repository has no place for."""

    media_types: dict[str, str] = field(default_factory=dict)  # of layers and configs, by digest
    contents: dict[str, bytes] = field(default_factory=dict)  # of layers and configs, by digest
    lost: dict[str, int] = field(default_factory=dict)  # layers taken away, with their sizes
    archive: Archive = field(default_factory=Archive)


class LayerBackend(ECRBackend):
    """moto's registry with the truth about layers; configs count as layers, as in the API."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self._memories: dict[str, Memory] = {}

    def add_layer(self, repository_name: str, content: bytes) -> None:
        """Put a layer into the repository, as an upload does."""
        digest = sha256(content)
        self._get_repository(repository_name).layers[digest] = len(content)
        self._memory(repository_name).contents[digest] = content
        self._memory(repository_name).lost.pop(digest, None)

    def lose_layer(self, repository_name: str, digest: str) -> None:
        """Take a layer away although images use it; raise LookupError where there is none."""
        layers = self._get_repository(repository_name).layers
        if digest not in layers:
            raise LookupError(f"{repository_name} has no layer {digest}")
        self._memory(repository_name).lost[digest] = layers.pop(digest)

    def restore_layer(self, repository_name: str, digest: str) -> None:
        """Bring a lost layer back; raise LookupError where it was not lost."""
        lost = self._memory(repository_name).lost
        if digest not in lost:
            raise LookupError(f"{repository_name} did not lose a layer {digest}")
        self._get_repository(repository_name).layers[digest] = lost.pop(digest)

    def require_download(
        self, repository_name: str, digest: str, registry_id: str | None = None
    ) -> None:
        """Raise a refusal unless there is a download of a layer or config.

        That an archived layer has none is a choice of the stand-in.
        """
        repository = self._get_repository(repository_name, registry_id)
        where = (
            f"in the repository with name '{repository_name}' "
            f"in the registry with id '{repository.registry_id}'"
        )
        if digest not in repository.layers:
            raise LayersNotFoundException(
                f"The layer with digest '{digest}' does not exist {where}"
            )
        used = any(digest in contents(each.image_manifest).blobs for each in repository.images)
        archived = self._memory(repository_name).archive.layers(repository.images)
        if not used or digest in archived:
            raise LayerInaccessibleException(
                f"The layer with digest '{digest}' is not associated with an image {where}"
            )

    def content(self, repository_name: str, digest: str) -> bytes | None:
        """Return the bytes of a layer or config, None where it is not there."""
        repository = self.repositories.get(repository_name)
        if repository is None or digest not in repository.layers:
            return None
        return self._memory(repository_name).contents[digest]

    def complete_layer_upload(
        self,
        repository_name: str,
        upload_id: str,
        layer_digests: list[str],
        registry_id: str | None = None,
    ) -> dict[str, Any]:
        """Keep the uploaded bytes if they are new and hash to the digest that the client names."""
        repository = self._get_repository(repository_name, registry_id)
        upload = repository.uploads.get(upload_id)
        if upload is not None:
            if not upload.layer_parts:
                raise EmptyUploadException(f"The upload '{upload_id}' has no parts")
            digest = sha256(bytes(upload.layer_parts))
            if digest not in layer_digests:
                raise InvalidLayerException(
                    f"Layer digest does not match: the bytes uploaded are {digest}, "
                    f"the request names {', '.join(layer_digests)}"
                )
            if digest in repository.layers:
                raise LayerAlreadyExistsException(
                    f"The layer with digest '{digest}' already exists in the repository with name "
                    f"'{repository_name}' in the registry with id '{repository.registry_id}'"
                )
        answer = super().complete_layer_upload(
            repository_name, upload_id, layer_digests, registry_id
        )
        memory = self._memory(repository_name)
        memory.lost.pop(answer["layerDigest"], None)
        if upload is not None:
            memory.contents[answer["layerDigest"]] = bytes(upload.layer_parts)
        return answer

    def batch_check_layer_availability(
        self, repository_name: str, layer_digests: list[str], registry_id: str | None = None
    ) -> dict[str, Any]:
        """Answer for every distinct digest once.

        An unknown digest is UNAVAILABLE, not a failure: AWS's own push client relies on it.
        A layer is ARCHIVED when every image that uses it is.
        """
        repository = self._get_repository(repository_name, registry_id)
        require_batch("layerDigests", layer_digests)
        asked = list(dict.fromkeys(layer_digests))
        found = super().batch_check_layer_availability(repository_name, asked, registry_id)
        available = {layer["layerDigest"]: layer for layer in found["layers"]}
        malformed = {
            failure["layerDigest"]: failure
            for failure in found["failures"]
            if failure["failureCode"] == "InvalidLayerDigest"
        }
        memory = self._memory(repository_name)
        archived = memory.archive.layers(repository.images)
        layers = []
        for digest in asked:
            if digest in available:
                state = "ARCHIVED" if digest in archived else "AVAILABLE"
                media_type = memory.media_types.get(digest, LAYER_MEDIA_TYPE)
                layers.append(
                    {**available[digest], "layerAvailability": state, "mediaType": media_type}
                )
            elif digest not in malformed:
                layers.append({"layerDigest": digest, "layerAvailability": "UNAVAILABLE"})
        return {"layers": layers, "failures": list(malformed.values())}

    def delete_repository(
        self, repository_name: str, registry_id: str | None = None, force: bool = False
    ) -> Repository:
        """Delete a repository and what was remembered of it."""
        repository = super().delete_repository(repository_name, registry_id, force)
        self._memories.pop(repository_name, None)
        return repository

    def _memory(self, repository_name: str) -> Memory:
        return self._memories.setdefault(repository_name, Memory())
