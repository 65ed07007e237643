"""Amazon ECR as a ``Registry``: calls of at most 100 questions, every answer accounted for."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timezone
from functools import partial
from typing import Any, Generic, TypeVar

from layerguard.errors import ReferenceInvalid
from layerguard.identity import ORDINARY, Identity
from layerguard.manifest import INDEX_MEDIA_TYPES, MANIFEST_MEDIA_TYPES
from layerguard.reference import Digest, ImageId, Repository
from layerguard.registry.answers import (
    BATCH,
    Availability,
    ImageAnswer,
    ImageListing,
    LayerAnswer,
    ListedImage,
    RegistryError,
    RepositoryNames,
)
from layerguard.registry.calls import AccountRegion, Calls, entries
from layerguard.registry.clients import ClientFactory, Clients
from layerguard.registry.download import PlainHttp
from layerguard.registry.translation import (
    MISSING_LAYER,
    Redact,
    image_failure,
    layer_failure,
    unknown_availability,
)
from layerguard.verdict import Code

_log = logging.getLogger("layerguard.registry")

MAX_MANIFEST_BYTES = 4 * 1024 * 1024
"""Bytes of a manifest. Source: ECR user guide, "Amazon ECR service quotas"."""

# An image that is being restored cannot be pulled yet. Source: ECR API reference, "ImageDetail".
_ARCHIVED = ("ARCHIVED", "ACTIVATING")

_Item = TypeVar("_Item", ImageId, Digest)
_Answer = TypeVar("_Answer", ImageAnswer, LayerAnswer)


class Ecr:
    """A ``Registry`` that asks Amazon ECR, in the repository's own region and registry.

    ``clients`` makes the clients of the ordinary chain, ``for_identity`` those of another identity.
    """

    def __init__(
        self,
        clients: ClientFactory,
        clients_of: Callable[[Identity], ClientFactory] = Clients,
    ) -> None:
        self._clients = clients
        self._calls = Calls(clients)
        # Calls that no verdict waits for are not tried again.
        self._optional_calls = Calls(clients)
        self._download = PlainHttp()
        self._clients_of = clients_of
        self._closed_downloads: set[AccountRegion] = set()
        self._by_identity: dict[Identity, Ecr] = {}

    @property
    def calls(self) -> int:
        """How many requests were sent so far, downloads included and retries not counted."""
        own = self._calls.count + self._optional_calls.count
        return own + sum(each.calls for each in tuple(self._by_identity.values()))

    @property
    def foreign_endpoints(self) -> frozenset[str]:
        """The URLs of endpoints that were asked and are not AWS's own, without credentials."""
        others = (each.foreign_endpoints for each in tuple(self._by_identity.values()))
        return self._clients.foreign_endpoints.union(*others)

    def for_identity(self, identity: Identity) -> Ecr:
        """Return the registry as ``identity`` sees it: clients and answers are its own."""
        if identity == ORDINARY:
            return self
        if identity not in self._by_identity:
            registry = Ecr(self._clients_of(identity))
            registry._download = self._download
            registry.set_retry_seconds(self._calls.retry_seconds)
            self._by_identity[identity] = registry
        return self._by_identity[identity]

    def set_retry_seconds(self, seconds: float) -> None:
        """Set for how long each call is tried again while the trouble is transient."""
        self._calls.retry_seconds = seconds
        for each in tuple(self._by_identity.values()):
            each.set_retry_seconds(seconds)

    async def images(
        self, repository: Repository, ids: Sequence[ImageId]
    ) -> Mapping[ImageId, ImageAnswer | RegistryError]:
        """Call BatchGetImage.

        All four media types are accepted: for a tag, ECR converts a manifest of any other type, and
        then its bytes no longer hash to its digest.
        """
        return await _in_batches(ids, partial(self._get_images, repository))

    async def layers(
        self, repository: Repository, digests: Sequence[Digest]
    ) -> Mapping[Digest, LayerAnswer | RegistryError]:
        """Call BatchCheckLayerAvailability."""
        return await _in_batches(digests, partial(self._check_layers, repository))

    async def configs(
        self, repository: Repository, digests: Sequence[Digest]
    ) -> Mapping[Digest, str | RegistryError]:
        """Call GetDownloadUrlForLayer for each, and download what the URL leads to.

        After a denial, or where the storage cannot be reached, nothing more is downloaded from the
        same registry: each image would cost a call, or a connection timeout.
        """
        return {digest: await self._config(repository, digest) for digest in digests}

    async def at_url(self, url: str) -> LayerAnswer | RegistryError:
        """Send HEAD, without credentials."""
        self._optional_calls.count += 1
        return await self._download.head(url)

    async def listing(self, repository: Repository) -> ImageListing | RegistryError:
        """Call DescribeImages for the whole repository."""
        try:
            pages = await self._optional_calls.pages(
                (repository.account, repository.region),
                "describe_images",
                "imageDetails",
                repositoryName=repository.name,
                filter={"imageStatus": "ANY"},
            )
        except RegistryError as error:
            return error
        images = filter(None, map(_listed_image, pages.entries))
        return ImageListing(tuple(images), pages.complete)

    async def cache_prefixes(self, repository: Repository) -> tuple[str, ...] | None:
        """Call DescribePullThroughCacheRules."""
        registry = (repository.account, repository.region)
        try:
            pages = await self._calls.pages(
                registry, "describe_pull_through_cache_rules", "pullThroughCacheRules"
            )
        except RegistryError:
            return None
        return tuple(str(each.get("ecrRepositoryPrefix")) for each in pages.entries)

    async def repository_names(self, repository: Repository) -> RepositoryNames | RegistryError:
        """Call DescribeRepositories."""
        registry = (repository.account, repository.region)
        try:
            pages = await self._optional_calls.pages(
                registry, "describe_repositories", "repositories"
            )
        except RegistryError as error:
            return error
        names = (each.get("repositoryName") for each in pages.entries)
        return RepositoryNames(
            tuple(each for each in names if isinstance(each, str)), pages.complete
        )

    async def caller(self, repository: Repository) -> str | None:
        """Call GetCallerIdentity of STS, once."""
        return await self._clients.caller(repository.region)

    async def _get_images(
        self, repository: Repository, ids: Sequence[ImageId]
    ) -> Mapping[ImageId, ImageAnswer | RegistryError]:
        answer = await self._calls.of_repository(
            repository,
            "batch_get_image",
            imageIds=[_wire_id(image_id) for image_id in ids],
            acceptedMediaTypes=[*INDEX_MEDIA_TYPES, *MANIFEST_MEDIA_TYPES],
        )
        images: _Claims[ImageId, ImageAnswer] = _Claims()
        failures: _Claims[ImageId, ImageAnswer] = _Claims()
        found: _Claims[ImageId, ImageAnswer] = _Claims()
        for image in entries(answer, "images"):
            named = _named(image)
            if named and named.digest and _is_of(repository, image):
                images.add(named, _image(named.digest, image.get("imageManifest")))
        for failure in entries(answer, "failures"):
            if named := _named(failure):
                failures.add(named, _image_failure(failure, self._clients.redact))
        questions = _Questions(ids)
        for named, claim in images.items():
            for image_id in questions.answered_by(named):
                found.add(image_id, claim)
        for named, claim in failures.items():
            exact = [named] if named in questions else questions.answered_by(named)
            for image_id in exact:
                found.add(image_id, claim)
        return found.about(
            ids, "ECR's answer to BatchGetImage neither has the image nor denies it."
        )

    async def _check_layers(
        self, repository: Repository, digests: Sequence[Digest]
    ) -> Mapping[Digest, LayerAnswer | RegistryError]:
        answer = await self._calls.of_repository(
            repository,
            "batch_check_layer_availability",
            layerDigests=[str(digest) for digest in digests],
        )
        found: _Claims[Digest, LayerAnswer] = _Claims()
        for layer in entries(answer, "layers"):
            if digest := _digest(layer.get("layerDigest")):
                found.add(digest, _layer(digest, layer, self._clients.redact))
        for failure in entries(answer, "failures"):
            if digest := _digest(failure.get("layerDigest")):
                found.add(digest, _layer_failure(digest, failure, self._clients.redact))
        return found.about(
            digests, "ECR's answer does not account for every layer that was asked about."
        )

    async def _config(self, repository: Repository, digest: Digest) -> str | RegistryError:
        registry = (repository.account, repository.region)
        if registry in self._closed_downloads:
            return RegistryError(Code.ACCESS_DENIED, "This registry has refused a config already.")
        try:
            answer = await self._optional_calls.of_repository(
                repository, "get_download_url_for_layer", layerDigest=str(digest)
            )
            url = answer.get("downloadUrl")
            if not url:
                return RegistryError(
                    Code.INCONSISTENT_ANSWER, "ECR's answer to GetDownloadUrlForLayer has no URL."
                )
            self._optional_calls.count += 1
            return await self._download(str(url))
        except RegistryError as error:  # whose text may repeat the URL, which is signed
            _log.info("No config %s of %s: %s", digest, repository, error.code.text)
            if error.code in (Code.ACCESS_DENIED, Code.TIMED_OUT, Code.UNREACHABLE):
                self._closed_downloads.add(registry)
            return error


class _Questions:
    """The ids in one call to BatchGetImage, found by what an entry of the answer names."""

    def __init__(self, ids: Sequence[ImageId]) -> None:
        self._ids = frozenset(ids)
        self._by_digest: defaultdict[Digest, list[ImageId]] = defaultdict(list)
        for each in self._ids:
            if each.digest:
                self._by_digest[each.digest].append(each)

    def __contains__(self, image_id: ImageId) -> bool:
        return image_id in self._ids

    def answered_by(self, named: ImageId) -> Iterable[ImageId]:
        """Return the ids to which an entry is an answer that names ``named``."""
        if named.tag is None:
            return self._by_digest.get(named.digest, ()) if named.digest else ()
        ids = {named, ImageId(named.tag, None), ImageId(None, named.digest)}
        return ids & self._ids


class _Claims(Generic[_Item, _Answer]):
    """The claims of an answer about items; several that differ are inconsistent."""

    def __init__(self) -> None:
        self._claims: dict[_Item, _Answer | RegistryError] = {}

    def add(self, item: _Item, claim: _Answer | RegistryError) -> None:
        first = self._claims.setdefault(item, claim)
        if first is not claim and _comparable(first) != _comparable(claim):
            self._claims[item] = RegistryError(
                Code.INCONSISTENT_ANSWER, f"ECR's answer contradicts itself about {item}."
            )

    def items(self) -> Iterable[tuple[_Item, _Answer | RegistryError]]:
        return self._claims.items()

    def about(self, items: Iterable[_Item], absent: str) -> Mapping[_Item, _Answer | RegistryError]:
        """Return the claim about each of ``items``, an error with ``absent`` if there is none."""
        missing = RegistryError(Code.INCONSISTENT_ANSWER, absent)
        return {each: self._claims.get(each, missing) for each in items}


async def _in_batches(
    items: Sequence[_Item],
    ask: Callable[[Sequence[_Item]], Awaitable[Mapping[_Item, _Answer | RegistryError]]],
) -> Mapping[_Item, _Answer | RegistryError]:
    """Return the answers about ``items``; a call that fails is the answer for each of its items."""
    answers: dict[_Item, _Answer | RegistryError] = {}
    for start in range(0, len(items), BATCH):
        batch = items[start : start + BATCH]
        try:
            answers |= await ask(batch)
        except RegistryError as error:
            answers |= dict.fromkeys(batch, error)
    return answers


def _wire_id(image_id: ImageId) -> dict[str, str]:
    wire = {"imageTag": image_id.tag, "imageDigest": image_id.digest and str(image_id.digest)}
    return {key: value for key, value in wire.items() if value}


def _digest(text: object) -> Digest | None:
    try:
        return Digest.parse(str(text))
    except ReferenceInvalid:
        return None


def _named(entry: Mapping[str, Any]) -> ImageId | None:
    """Return the tag and the digest that an entry names, None if both are absent or malformed."""
    image_id = entry.get("imageId")
    if not isinstance(image_id, Mapping):
        return None
    tag, digest = image_id.get("imageTag"), _digest(image_id.get("imageDigest"))
    if tag is not None and not isinstance(tag, str):
        return None
    return ImageId(tag, digest) if tag or digest else None


def _is_of(repository: Repository, image: Mapping[str, Any]) -> bool:
    """Tell whether an image in an answer is of ``repository``, as far as the answer says."""
    account, name = image.get("registryId"), image.get("repositoryName")
    return account in (None, repository.account) and name in (None, repository.name)


def _image(digest: Digest, manifest: object) -> ImageAnswer | RegistryError:
    text = manifest if isinstance(manifest, str) else ""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_MANIFEST_BYTES:
        return RegistryError(
            Code.INCONSISTENT_ANSWER,
            f"ECR's manifest for {digest} has more than {MAX_MANIFEST_BYTES:,} bytes.",
        )
    return ImageAnswer(digest, text)


def _image_failure(failure: Mapping[str, Any], redact: Redact) -> RegistryError:
    return image_failure(
        str(failure.get("failureCode")), str(failure.get("failureReason", "")), redact
    )


def _layer(digest: Digest, layer: Mapping[str, Any], redact: Redact) -> LayerAnswer | RegistryError:
    size, availability = layer.get("layerSize"), layer.get("layerAvailability")
    try:
        known = Availability(availability)
    except ValueError:
        return unknown_availability(availability, digest, redact)
    return LayerAnswer(known, size if isinstance(size, int) else None)


def _layer_failure(
    digest: Digest, failure: Mapping[str, Any], redact: Redact
) -> LayerAnswer | RegistryError:
    code = str(failure.get("failureCode"))
    if code == MISSING_LAYER:
        return LayerAnswer(Availability.UNAVAILABLE)
    return layer_failure(code, digest, str(failure.get("failureReason", "")), redact)


def _listed_image(entry: Mapping[str, Any]) -> ListedImage | None:
    digest, tags = _digest(entry.get("imageDigest")), entry.get("imageTags")
    if digest is None:
        return None
    return ListedImage(
        digest,
        tuple(each for each in tags if isinstance(each, str)) if isinstance(tags, list) else (),
        entry.get("imageStatus") in _ARCHIVED,
        _sortable(entry.get("imagePushedAt")),
    )


def _sortable(time: object) -> str:
    with suppress(OverflowError, ValueError):
        if isinstance(time, datetime):
            return time.astimezone(timezone.utc).isoformat(timespec="microseconds")
    return ""


def _comparable(answer: object) -> object:
    return (answer.code, str(answer)) if isinstance(answer, RegistryError) else answer
