"""The downloads that S3 serves for ECR: layers and configs at presigned URLs."""

import hashlib
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

from moto.core.request import Request as HttpRequest

from layerguard_sandbox.ecr.backend import EcrBackend
from layerguard_sandbox.ecr.faults import DOWNLOAD, Faults, Reply
from layerguard_sandbox.ecr.journal import Journal, Request

PATH = "/layers"
OPERATION = "GetObject"
"""S3's name for a download, under which the journal and the faults know it."""


def presigned(endpoint: str, backend: EcrBackend, repository: str, digest: str) -> str:
    """Return the URL on the server at `endpoint` under which a layer's bytes are."""
    place = {
        "account": backend.account_id,
        "region": backend.region_name,
        "repository": repository,
        "digest": digest,
    }
    query = urlencode({**place, "X-Amz-Signature": _signature(place)})
    return urlsplit(endpoint)._replace(path=PATH, query=query).geturl()


class Downloads:
    """Answers requests to presigned URLs that carry no other credentials."""

    def __init__(self, faults: Faults, journal: Journal) -> None:
        self._faults, self._journal = faults, journal

    def reply(self, request: HttpRequest, backend: EcrBackend) -> Reply:
        """Record the request, then answer it: truly, or as a fault demands."""
        asked = Request(
            operation=OPERATION,
            account=backend.account_id,
            region=backend.region_name,
            repository=request.args.get("repository", ""),
            image_ids=(),
            digests=(request.args.get("digest", ""),),
            access_key="",
            principal="",
        )
        self._journal.record(asked)
        return self._faults.reply(asked, lambda: _answer(request, backend))


def _answer(request: HttpRequest, backend: EcrBackend) -> Reply:
    place = request.args.to_dict()
    if place.pop("X-Amz-Signature", "") != _signature(place):
        return _refusal(HTTPStatus.FORBIDDEN, "SignatureDoesNotMatch")
    if "Authorization" in request.headers:  # S3 allows one of the two
        return _refusal(HTTPStatus.BAD_REQUEST, "InvalidArgument")
    content = backend.content(place["repository"], place["digest"])
    if content is None:
        return _refusal(HTTPStatus.NOT_FOUND, "NoSuchKey")
    return HTTPStatus.OK, {"Content-Type": DOWNLOAD}, content


def _refusal(status: HTTPStatus, code: str) -> Reply:
    return status, {"Content-Type": "application/xml"}, f"<Error><Code>{code}</Code></Error>"


def _signature(place: dict[str, str]) -> str:
    return hashlib.sha256(urlencode(sorted(place.items())).encode()).hexdigest()
