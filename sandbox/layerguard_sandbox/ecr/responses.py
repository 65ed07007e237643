"""From an HTTP request to the backend of the registry that it addresses, and back."""

import re
from collections.abc import Callable
from http import HTTPStatus
from threading import RLock
from typing import Any

from botocore.model import OperationNotFoundError
from moto.core.request import Request as HttpRequest
from moto.core.responses import ActionResult
from moto.ecr.exceptions import InvalidParameterException
from moto.ecr.responses import ECRResponse

from layerguard_sandbox.ecr.backend import EcrBackend
from layerguard_sandbox.ecr.downloads import presigned
from layerguard_sandbox.ecr.errors import UnknownOperationException
from layerguard_sandbox.ecr.faults import Faults, Reply, refusal
from layerguard_sandbox.ecr.journal import Journal, Request
from layerguard_sandbox.ecr.principals import Keys
from layerguard_sandbox.ecr.sts import xml_refusal

# AWS Signature Version 4: Credential=KEY/DATE/REGION/SERVICE/aws4_request
_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/[^/]*/([^/]+)/([^/]+)/")

# Items of a page, by default and at most. Source: ECR API reference, "maxResults".
_PAGE, _LARGEST_PAGE = 100, 1_000


class Registries:
    """Every registry of one sandbox: a backend for each account and region, made at first use."""

    def __init__(self) -> None:
        self.lock = RLock()
        self._backends: dict[tuple[str, str], EcrBackend] = {}

    def backend(self, account: str, region: str) -> EcrBackend:
        """Return the backend of `account` in `region`."""
        with self.lock:
            key = (account, region)
            if key not in self._backends:
                self._backends[key] = EcrBackend(region, account)
            return self._backends[key]


def credential_scope(authorization: str) -> tuple[str, str, str]:
    """Return access key, region and service that a request is signed with (or empty texts)."""
    match = _CREDENTIAL.search(authorization)
    return (match[1], match[2], match[3]) if match else ("", "", "")


class EcrResponse(ECRResponse):
    """moto's ECR over the sandbox's own registries, with the operations and members moto lacks."""

    use_raw_body = True  # the body is JSON, never a query string

    def __init__(
        self, registries: Registries, faults: Faults, journal: Journal, caller: Keys
    ) -> None:
        super().__init__()
        self.automated_parameter_parsing = True  # by botocore's model of the operation
        self._registries, self._faults, self._journal = registries, faults, journal
        self._caller = caller

    @property
    def ecr_backend(self) -> EcrBackend:
        """The registry that the request names, by default the caller's own (API, `registryId`)."""
        return self._registries.backend(
            self._get_param("registryId") or self.current_account, self.region
        )

    def get_current_account(self) -> str:
        """Return the account of the principal that signed the request."""
        return self._caller.account

    def get_region_from_url(self, request: Any, full_url: str) -> str:  # noqa: ARG002 - moto's name
        """Return the region that signed the request: a local URL has none."""
        _, region, _ = credential_scope(request.headers.get("Authorization", ""))
        return region or self.default_region

    def reply(self, request: HttpRequest) -> Reply:
        """Answer a request to ECR; refuse an operation that neither moto nor this class has."""
        try:
            return self._dispatch(request)
        except (NotImplementedError, OperationNotFoundError):  # moto's two words for "unknown"
            return unknown_operation("ecr", self._get_action(), is_json=True)

    def call_action(self) -> Reply:
        """Record the request, then answer it: truly, or as a fault demands."""
        request = self._request()
        self._journal.record(request)
        return self._faults.reply(request, self._answer)

    def _answer(self) -> Reply:
        with self._registries.lock:
            return super().call_action()

    def _request(self) -> Request:
        image_ids = self._get_param("imageIds") or [self._get_param("imageId") or {}]
        digests = self._get_param("layerDigests") or [self._get_param("layerDigest")]
        return Request(
            operation=self._get_action(),
            account=self._get_param("registryId") or self.current_account,
            region=self.region,
            repository=self._get_param("repositoryName") or "",
            image_ids=tuple(
                "@".join(filter(None, (asked.get("imageTag"), asked.get("imageDigest"))))
                for asked in image_ids
                if asked
            ),
            digests=tuple(filter(None, digests)),
            access_key=self._caller.access_key,
            principal=self._caller.arn,
        )

    def _page(
        self, member: str, items: list[Any], describe: Callable[[Any], Any] = lambda item: item
    ) -> ActionResult:
        """Answer with the page of the token, the first without one, each item as described."""
        token, size = self._get_param("nextToken") or "0", self._get_param("maxResults") or _PAGE
        if not token.isdecimal():
            raise InvalidParameterException("Invalid parameter at 'nextToken'")
        if size > _LARGEST_PAGE:
            raise InvalidParameterException(
                "Invalid parameter at 'maxResults' failed to satisfy constraint: "
                f"'Member must have value less than or equal to {_LARGEST_PAGE}'"
            )
        start, end = int(token), int(token) + size
        more = {"nextToken": str(end)} if end < len(items) else {}
        return ActionResult({member: [describe(each) for each in items[start:end]], **more})

    def batch_get_image(self) -> ActionResult:
        """As moto's, with the accepted media types."""
        return ActionResult(
            self.ecr_backend.batch_get_image(
                self._get_param("repositoryName"),
                self._get_param("registryId"),
                self._get_param("imageIds"),
                self._get_param("acceptedMediaTypes") or (),
            )
        )

    def describe_images(self) -> ActionResult:
        """As moto's, with the filter and the status of each image."""
        wanted = self._get_param("filter") or {}
        backend = self.ecr_backend
        images = backend.describe_images(
            self._get_param("repositoryName"),
            self._get_param("registryId"),
            self._get_param("imageIds"),
            wanted.get("imageStatus", "ACTIVE"),
            wanted.get("tagStatus", "ANY"),
        )
        return self._page("imageDetails", images, backend.details)

    def describe_repositories(self) -> ActionResult:
        """As moto's, page by page."""
        repositories = self.ecr_backend.describe_repositories(
            repository_names=self._get_param("repositoryNames"),
            registry_id=self._get_param("registryId"),
        )
        return self._page("repositories", repositories)

    def get_download_url_for_layer(self) -> ActionResult:  # type: ignore[override] # moto has none
        """Return a URL on this server."""
        repository, digest = self._get_param("repositoryName"), self._get_param("layerDigest")
        backend = self.ecr_backend
        backend.require_download(repository, digest, self._get_param("registryId"))
        url = presigned(self.uri, backend, repository, digest)
        return ActionResult({"downloadUrl": url, "layerDigest": digest})

    def update_image_storage_class(self) -> ActionResult:
        """Archive an image or make it active."""
        return ActionResult(
            self.ecr_backend.update_image_storage_class(
                self._get_param("repositoryName"),
                self._get_param("imageId"),
                self._get_param("targetStorageClass"),
            )
        )

    def create_pull_through_cache_rule(self) -> ActionResult:
        """Add a rule."""
        options = ("upstreamRegistry", "credentialArn", "customRoleArn", "upstreamRepositoryPrefix")
        return ActionResult(
            self.ecr_backend.pull_through_cache.create(
                self._get_param("ecrRepositoryPrefix"),
                self._get_param("upstreamRegistryUrl"),
                **{name: self._get_param(name) for name in options},
            )
        )

    def describe_pull_through_cache_rules(self) -> ActionResult:
        """List the rules."""
        prefixes = self._get_param("ecrRepositoryPrefixes") or ()
        rules = self.ecr_backend.pull_through_cache.describe(prefixes)
        return self._page("pullThroughCacheRules", rules)

    def delete_pull_through_cache_rule(self) -> ActionResult:
        """Remove a rule."""
        prefix = self._get_param("ecrRepositoryPrefix")
        return ActionResult(self.ecr_backend.pull_through_cache.delete(prefix))


def unknown_operation(service: str, operation: str, *, is_json: bool) -> Reply:
    """Refuse an operation by its name, in the caller's protocol: AWS JSON or one of XML."""
    code = UnknownOperationException.code
    message = f"the sandbox does not know {service}:{operation}"
    if is_json:
        return refusal(HTTPStatus.BAD_REQUEST, code, message)
    return xml_refusal(HTTPStatus.BAD_REQUEST, code, message)
