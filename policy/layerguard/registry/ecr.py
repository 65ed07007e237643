"""ECR through boto3: every question in calls of at most 100, every answer accounted for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from layerguard.errors import ReferenceInvalid
from layerguard.identity import ORDINARY, Identity
from layerguard.manifest import INDEX_MEDIA_TYPES, MANIFEST_MEDIA_TYPES
from layerguard.reference import Digest, ImageId, Repository
from layerguard.registry.answers import Availability, ImageAnswer, LayerAnswer, RegistryError
from layerguard.registry.calls import AccountRegion, Calls, Listing, entries
from layerguard.registry.clients import ClientFactory, Clients
from layerguard.registry.download import Download, PlainHttp
from layerguard.registry.suggestions import CachedQuestion, names_beside, tags_beside
from layerguard.registry.translation import MISSING_LAYER, image_failure, layer_failure
from layerguard.verdict import Code

# Both batch operations take up to 100. Source: ECR API reference.
BATCH = 100
# Of how many digests in one question it is asked whether they are archived: a call each.
_EXPLAINED = 20

_Item = TypeVar("_Item")


class Ecr:
    """A ``Registry`` that asks Amazon ECR, in the repository's own region and registry.

    Of one event loop, as the clients are.
    ``client`` makes the clients of the ordinary chain, ``others`` those of another identity.
    """

    def __init__(
        self,
        client: ClientFactory,
        download: Download | None = None,
        others: Callable[[Identity], ClientFactory] = Clients,
    ) -> None:
        self._calls = Calls(client)
        # What only makes better words is not tried for long: time is for the verdict.
        self._asides = Calls(client)
        self._download = download or PlainHttp()
        self._others = others
        self._closed_downloads: set[AccountRegion] = set()
        self._by_identity: dict[Identity, Ecr] = {}
        self._details = CachedQuestion(self._describe_images)
        self._repositories = CachedQuestion(self._describe_repositories)
        self._caches = CachedQuestion(self._describe_caches)

    @property
    def calls(self) -> int:
        """How many requests were sent so far, downloads included and retries not counted."""
        own = self._calls.count + self._asides.count
        return own + sum(each.calls for each in self._by_identity.values())

    def for_identity(self, identity: Identity) -> Ecr:
        """Return the registry as ``identity`` sees it: clients and answers are its own."""
        if identity == ORDINARY:
            return self
        if identity not in self._by_identity:
            registry = Ecr(self._others(identity), self._download)
            registry.set_retry_seconds(self._calls.patience)
            self._by_identity[identity] = registry
        return self._by_identity[identity]

    async def images(
        self, repository: Repository, ids: Sequence[ImageId]
    ) -> Mapping[ImageId, ImageAnswer | RegistryError]:
        """Ask BatchGetImage; where an image is not found, DescribeImages whether it is archived.

        All four media types are accepted: asked by tag for less, ECR converts the manifest, and
        its bytes no longer hash to its digest.
        """
        answers: dict[ImageId, ImageAnswer | RegistryError] = {}
        for batch in _batches(ids):
            answers |= await self._batch(repository, batch, self._get_images)
        unclear = [
            each
            for each in answers
            if (
                isinstance(answers[each], RegistryError)
                and answers[each].code in (Code.IMAGE_NOT_FOUND, Code.INTERNAL_ERROR)
            )
        ]
        # Each tag is somebody's reference; digests may be the children of one index.
        digests = [each for each in unclear if each.tag is None]
        for image_id in [each for each in unclear if each.tag] + digests[:_EXPLAINED]:
            answers[image_id] = await self._explain(repository, image_id, answers[image_id])
        return answers

    async def layers(
        self, repository: Repository, digests: Sequence[Digest]
    ) -> Mapping[Digest, LayerAnswer | RegistryError]:
        """Ask BatchCheckLayerAvailability."""
        answers: dict[Digest, LayerAnswer | RegistryError] = {}
        for batch in _batches(digests):
            answers |= await self._batch(repository, batch, self._check_layers)
        return answers

    async def configs(
        self, repository: Repository, digests: Sequence[Digest]
    ) -> Mapping[Digest, str | RegistryError]:
        """Ask GetDownloadUrlForLayer for each, and download what the URL leads to.

        A registry that denies it, or whose storage cannot be reached, is not asked again: each
        image would cost a call, or the wait for a connection that never comes.
        """
        return {digest: await self._config(repository, digest) for digest in digests}

    def set_retry_seconds(self, seconds: float) -> None:
        """Try throttled calls and server errors again for so long; new identities too."""
        self._calls.patience = seconds
        for each in tuple(self._by_identity.values()):
            each.set_retry_seconds(seconds)

    async def cache_prefixes(self, repository: Repository) -> tuple[str, ...] | None:
        """Ask DescribePullThroughCacheRules, once for each registry."""
        caches = await self._caches((repository.account, repository.region))
        if caches is None:
            return None
        return tuple(str(each.get("ecrRepositoryPrefix")) for each in caches.items)

    async def _config(self, repository: Repository, digest: Digest) -> str | RegistryError:
        registry = (repository.account, repository.region)
        if registry in self._closed_downloads:
            return RegistryError(Code.ACCESS_DENIED, "This registry has refused a config already.")
        try:
            answer = await self._asides.of_repository(
                repository, "get_download_url_for_layer", layerDigest=str(digest)
            )
            url = answer.get("downloadUrl")
            if not url:
                return RegistryError(
                    Code.INCONSISTENT_ANSWER, "ECR's answer to GetDownloadUrlForLayer has no URL."
                )
            self._calls.count += 1
            return await self._download(str(url))
        except (AccessDenied, TimedOut, Unreachable) as error:
            self._closed_downloads.add(registry)
            return error
        except RegistryError as error:
            return error

    async def _batch(
        self,
        repository: Repository,
        batch: Sequence[_Item],
        ask: Callable[[Repository, Sequence[_Item]], Awaitable[Mapping[_Item, Any]]],
    ) -> Mapping[_Item, Any]:
        try:
            return await ask(repository, batch)
        except RepositoryNotFound as error:
            listing = await self._repositories((repository.account, repository.region))
            said = "" if listing is None else f" {names_beside(repository.name, listing)}"
            return dict.fromkeys(batch, error.with_reason(f"{error}{said}".strip()))
        except RegistryError as error:
            return dict.fromkeys(batch, error)

    async def _get_images(
        self, repository: Repository, ids: Sequence[ImageId]
    ) -> Mapping[ImageId, ImageAnswer | RegistryError]:
        answer = await self._calls.of_repository(
            repository,
            "batch_get_image",
            imageIds=[_wire(image_id) for image_id in ids],
            acceptedMediaTypes=[*INDEX_MEDIA_TYPES, *MANIFEST_MEDIA_TYPES],
        )
        found: dict[ImageId, list[ImageAnswer | RegistryError]] = {each: [] for each in ids}
        for failure in entries(answer, "failures"):
            tag, digest = _said(failure)
            error = image_failure(
                str(failure.get("failureCode")), str(failure.get("failureReason", ""))
            )
            exact = [each for each in ids if each == ImageId(tag, digest)]
            for image_id in exact or [each for each in ids if _names(each, tag, digest)]:
                found[image_id].append(error)
        for image in entries(answer, "images"):
            tag, digest = _said(image)
            for image_id in ids:
                if digest and _names(image_id, tag, digest):
                    found[image_id].append(ImageAnswer(digest, str(image.get("imageManifest", ""))))
        silent = "ECR's answer to BatchGetImage speaks neither of the image nor of its absence."
        return {each: _agreed(said, silent, "the image") for each, said in found.items()}

    async def _check_layers(
        self, repository: Repository, digests: Sequence[Digest]
    ) -> Mapping[Digest, LayerAnswer | RegistryError]:
        answer = await self._calls.of_repository(
            repository,
            "batch_check_layer_availability",
            layerDigests=[str(digest) for digest in digests],
        )
        found: dict[Digest, list[LayerAnswer | RegistryError]] = {digest: [] for digest in digests}
        for layer in entries(answer, "layers"):
            digest = _digest(layer.get("layerDigest"))
            if digest in found:
                found[digest].append(_layer(layer))
        for failure in entries(answer, "failures"):
            digest = _digest(failure.get("layerDigest"))
            if digest in found:
                found[digest].append(_layer_failure(failure))
        silent = "ECR's answer does not account for every layer that was asked about."
        return {digest: _agreed(said, silent, "a layer") for digest, said in found.items()}

    async def _explain(
        self, repository: Repository, image_id: ImageId, answer: Any
    ) -> ImageAnswer | RegistryError:
        """Tell an archived image from one that is not there or is inaccessible.

        A refusal to say changes nothing.
        """
        statuses: set[str] = set()
        with suppress(RegistryError):
            described = await self._asides.of_repository(
                repository,
                "describe_images",
                imageIds=[_wire(image_id)],
                filter={"imageStatus": "ANY"},
            )
            statuses = {str(each.get("imageStatus")) for each in entries(described, "imageDetails")}
        if statuses & {"ARCHIVED", "ACTIVATING"}:
            return RegistryError(
                Code.IMAGE_ARCHIVED, "The image is in ECR's archive storage class."
            )
        if statuses and (isinstance(answer, RegistryError) and answer.code is Code.IMAGE_NOT_FOUND):
            return await self._found_meanwhile(repository, image_id)
        return await self._with_suggestion(repository, image_id, answer)

    async def _found_meanwhile(
        self, repository: Repository, image_id: ImageId
    ) -> ImageAnswer | RegistryError:
        """Ask again for an image that DescribeImages has: it may have been pushed this moment."""
        answer: ImageAnswer | RegistryError
        answer = (await self._batch(repository, [image_id], self._get_images))[image_id]
        if isinstance(answer, RegistryError) and answer.code is Code.IMAGE_NOT_FOUND:
            return RegistryError(
                Code.INCONSISTENT_ANSWER,
                "ECR's DescribeImages has the image and its BatchGetImage does not; it may be of a "
                "kind that no runtime pulls.",
            )
        return answer

    async def _with_suggestion(
        self, repository: Repository, image_id: ImageId, answer: RegistryError
    ) -> RegistryError:
        if (
            not (isinstance(answer, RegistryError) and answer.code is Code.IMAGE_NOT_FOUND)
            or image_id.tag is None
        ):
            return answer
        listing = await self._details(repository)
        said = "" if listing is None else f" {tags_beside(image_id.tag, listing)}"
        return answer.with_reason(f"{answer}{said}".strip())

    async def _describe_images(self, repository: Repository) -> Listing:
        return await self._asides.listing(
            (repository.account, repository.region),
            "describe_images",
            "imageDetails",
            repositoryName=repository.name,
            filter={"tagStatus": "TAGGED"},
        )

    async def _describe_repositories(self, registry: AccountRegion) -> Listing:
        return await self._asides.listing(registry, "describe_repositories", "repositories")

    async def _describe_caches(self, registry: AccountRegion) -> Listing:
        """List the rules; raise AccessDenied where that is refused, and take no other trouble."""
        try:
            return await self._calls.listing(
                registry, "describe_pull_through_cache_rules", "pullThroughCacheRules"
            )
        except AccessDenied:
            raise
        except RegistryError:
            return Listing((), complete=False)


def _batches(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]


def _wire(image_id: ImageId) -> dict[str, str]:
    wire = {"imageTag": image_id.tag, "imageDigest": image_id.digest and str(image_id.digest)}
    return {key: value for key, value in wire.items() if value}


def _digest(text: object) -> Digest | None:
    try:
        return Digest.parse(str(text))
    except ReferenceInvalid:
        return None


def _said(entry: Mapping[str, Any]) -> tuple[str | None, Digest | None]:
    """Return the tag and the digest that an entry of a BatchGetImage answer speaks of."""
    image_id = entry.get("imageId")
    if not isinstance(image_id, Mapping):
        return None, None
    return image_id.get("imageTag"), _digest(image_id.get("imageDigest"))


def _names(image_id: ImageId, tag: str | None, digest: Digest | None) -> bool:
    """Tell whether ``tag`` and ``digest`` of an answer are an answer to ``image_id``."""
    if image_id.digest and image_id.tag:
        return digest == image_id.digest and tag in (None, image_id.tag)
    return digest == image_id.digest if image_id.digest else tag == image_id.tag


def _layer(layer: Mapping[str, Any]) -> LayerAnswer | RegistryError:
    size = layer.get("layerSize")
    try:
        availability = Availability(layer.get("layerAvailability"))
    except ValueError:
        return RegistryError(
            Code.INTERNAL_ERROR,
            f"ECR says '{layer.get('layerAvailability')}' of the layer {layer.get('layerDigest')}.",
        )
    return LayerAnswer(availability, size if isinstance(size, int) else None)


def _layer_failure(failure: Mapping[str, Any]) -> LayerAnswer | RegistryError:
    code = str(failure.get("failureCode"))
    if code == MISSING_LAYER:
        return LayerAnswer(Availability.UNAVAILABLE)
    return layer_failure(
        code, str(failure.get("layerDigest")), str(failure.get("failureReason", ""))
    )


def _agreed(said: Sequence[_Item], silent: str, what: str) -> _Item | InconsistentAnswer:
    """Return the one answer that was given: none, or several that differ, is no answer."""
    if not said:
        return RegistryError(Code.INCONSISTENT_ANSWER, silent)
    if any(_compared(each) != _compared(said[0]) for each in said):
        return RegistryError(
            Code.INCONSISTENT_ANSWER, f"ECR's answer contradicts itself about {what}."
        )
    return said[0]


def _compared(answer: object) -> object:
    return (type(answer), str(answer)) if isinstance(answer, RegistryError) else answer
