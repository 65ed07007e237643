"""The responses of the scripted registry: prepared once, and only joined at each request."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from bench.images import ACCOUNT, LAYER, LAYER_BYTES, Image, sha256

_JSON = "application/x-amz-json-1.1"
_IDENTITY = (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
    f"<GetCallerIdentityResult><Arn>arn:aws:iam::{ACCOUNT}:user/bench</Arn>"
    f"<UserId>bench</UserId><Account>{ACCOUNT}</Account></GetCallerIdentityResult>"
    "</GetCallerIdentityResponse>"
).encode()


class Response(NamedTuple):
    """A response over HTTP."""

    status: int
    media_type: str
    body: bytes
    digest: str = ""
    length: int = 0
    """The length in the response to HEAD, whose body is not there; otherwise that of the body."""


class Answers:
    """Answers ECR's JSON protocol, and the part of OCI's distribution API that reads.

    ``calls`` counts the requests by operation.
    """

    def __init__(self, images: Iterable[Image]) -> None:
        self.calls: Counter[str] = Counter()
        self.endpoint = ""
        self._images: dict[tuple[str, str], bytes] = {}
        self._details: dict[str, dict[str, bytes]] = {}
        self._layers: dict[tuple[str, str], bytes] = {}
        self._manifests: dict[tuple[str, str], Response] = {}
        self._configs: dict[tuple[str, str], Response] = {}
        for image in images:
            self._add(image)

    def _add(self, image: Image) -> None:
        name = image.repository
        for position, manifest in enumerate(image.manifests):
            keys = [image.tag, manifest.digest] if position == 0 else [manifest.digest]
            image_id = {"imageDigest": manifest.digest}
            image_id |= {"imageTag": image.tag} if position == 0 else {}
            about = {"registryId": ACCOUNT, "repositoryName": name}
            found = about | {
                "imageId": image_id,
                "imageManifest": manifest.text,
                "imageManifestMediaType": manifest.media_type,
            }
            details = about | {
                "imageDigest": manifest.digest,
                "imageTags": [image.tag] if position == 0 else [],
                "imageSizeInBytes": len(image.layers) * LAYER_BYTES,
                "imageStatus": "ACTIVE",
            }
            text = manifest.text.encode()
            for key in keys:
                self._images[name, key] = _json(found)
                self._details.setdefault(name, {})[key] = _json(details)
                self._manifests[name, key] = Response(
                    200, manifest.media_type, text, manifest.digest
                )
        for config in image.configs:
            digest = sha256(config)
            self._configs[name, digest] = Response(200, "application/octet-stream", config, digest)
            self._layers[name, digest] = _available(digest, len(config))
        for digest in image.layers:
            self._layers[name, digest] = _available(digest, LAYER_BYTES)

    def post(self, target: str, body: bytes) -> Response:
        """Answer an operation of ECR, or STS GetCallerIdentity, which has no target."""
        operation = target.rpartition(".")[2] or "GetCallerIdentity"
        self.calls[operation] += 1
        if not target:
            return Response(200, "text/xml", _IDENTITY)
        asked = json.loads(body)
        name = asked.get("repositoryName", "")
        match operation:
            case "BatchGetImage":
                return self._batch_get_image(name, asked["imageIds"])
            case "BatchCheckLayerAvailability":
                return self._check_layers(name, asked["layerDigests"])
            case "DescribeImages":
                return self._describe(name, asked.get("imageIds", ()))
            case "GetDownloadUrlForLayer":
                digest = asked["layerDigest"]
                url = f"{self.endpoint}/v2/{name}/blobs/{digest}"
                return Response(200, _JSON, _json({"downloadUrl": url, "layerDigest": digest}))
            case "DescribePullThroughCacheRules":
                return Response(200, _JSON, b'{"pullThroughCacheRules":[]}')
        message = f"the benchmark's registry does not know {operation}"
        return Response(400, _JSON, _json({"__type": "UnknownOperation", "message": message}))

    def get(self, method: str, path: str) -> Response:
        """Answer a read of OCI's distribution API; downloads of configs use its addresses too."""
        name, _, key = path.removeprefix("/v2/").rpartition("/")
        name, _, kind = name.rpartition("/")
        self.calls[f"{method} {kind or 'v2'}"] += 1
        if not kind:
            return Response(200, "application/json", b"{}")
        found = (self._manifests if kind == "manifests" else self._configs).get((name, key))
        if found is not None:
            return found
        if kind == "blobs" and method == "HEAD" and (name, key) in self._layers:
            return Response(200, "application/octet-stream", b"", key, LAYER_BYTES)
        return Response(404, "application/json", b'{"errors":[{"code":"NOT_FOUND"}]}')

    def _describe(self, name: str, ids: Sequence[dict[str, str]]) -> Response:
        """Describe the images of these ids or, without any, all of the repository in one page."""
        details = self._details.get(name, {})
        found = [details[_key(each)] for each in ids] or list(dict.fromkeys(details.values()))
        return _answer(b'{"imageDetails":[%b]}', found)

    def _batch_get_image(self, name: str, ids: list[dict[str, str]]) -> Response:
        found = [self._images.get((name, _key(each))) for each in ids]
        failures = [
            {
                "imageId": each,
                "failureCode": "ImageNotFound",
                "failureReason": "Requested image not found",
            }
            for each, image in zip(ids, found, strict=True)
            if image is None
        ]
        return _answer(
            b'{"images":[%b],"failures":' + _json(failures) + b"}", list(filter(None, found))
        )

    def _check_layers(self, name: str, digests: list[str]) -> Response:
        return _answer(
            b'{"layers":[%b],"failures":[]}',
            [self._layers.get((name, digest)) or _json(_unavailable(digest)) for digest in digests],
        )


def _key(image_id: dict[str, str]) -> str:
    return image_id.get("imageDigest") or image_id.get("imageTag", "")


def _available(digest: str, size: int) -> bytes:
    return _json(
        {
            "layerDigest": digest,
            "layerAvailability": "AVAILABLE",
            "layerSize": size,
            "mediaType": LAYER,
        }
    )


def _unavailable(digest: str) -> dict[str, Any]:
    return {"layerDigest": digest, "layerAvailability": "UNAVAILABLE"}


def _answer(template: bytes, parts: list[bytes]) -> Response:
    return Response(200, _JSON, template.replace(b"%b", b",".join(parts), 1))


def _json(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
