"""Faults: slow, refused and wrong answers.

    ecr.faults.add(Fault(Answer.THROTTLED, operation="BatchGetImage", first=3))

The first fault that fits a request is the only one that touches it.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus
from threading import Event, Lock
from typing import Any

from typing_extensions import assert_never

from layerguard_sandbox.ecr.journal import Request

Reply = tuple[int, dict[str, Any], str | bytes]

JSON = "application/x-amz-json-1.1"
DOWNLOAD = "binary/octet-stream"


class Answer(Enum):
    """What a request gets in place of the truth."""

    TRUE = auto()  # the truth, for a fault that only delays
    THROTTLED = auto()
    DENIED = auto()  # by the caller's own policies
    DENIED_BY_REPOSITORY = auto()  # by the repository's policy, as across accounts
    SERVER_ERROR = auto()
    EMPTY_OBJECT = auto()
    HTML = auto()
    TRUNCATED = auto()
    MANIFEST_NOT_JSON = auto()
    MANIFEST_OTHER_BYTES = auto()  # a manifest that no longer hashes to its digest
    LAYERS_DROPPED = auto()
    OTHER_BYTES = auto()  # a download that no longer hashes to its digest
    GONE = auto()  # a download whose URL leads nowhere
    IMAGES_FAILED = auto()  # each image of a BatchGetImage becomes a failure with `failure_code`
    CHANGED = auto()  # what `change` makes of the true answer
    CONNECTION_CLOSED = auto()
    HALF = auto()  # the first half, and no more until the client gives up (as HANG)
    HANG = auto()  # until the client gives up, the fault is cleared or the sandbox ends


class ConnectionCut(Exception):
    """The client gets no response: its connection is closed."""


class CutShort(Exception):
    """The client gets half of `reply`, and then nothing until `released` is set."""

    def __init__(self, reply: Reply, released: Event) -> None:
        super().__init__()
        self.reply, self.released = reply, released


def _unchanged(_document: dict[str, Any]) -> None:
    """Leave an answer as it is."""


@dataclass(frozen=True, slots=True)
class Fault:
    """An answer (after `latency` seconds) for requests that fit every limit that is given.

    `account` and `region` are those of the registry, `principal` is the ARN of the signer;
    `first` limits the fault to that many fitting requests. `change` is what `CHANGED` does to the
    document of an answer.
    """

    answer: Answer = Answer.TRUE
    latency: float = 0.0
    operation: str | None = None
    account: str | None = None
    region: str | None = None
    repository: str | None = None
    principal: str | None = None
    first: int | None = None
    failure_code: str = "KmsError"
    change: Callable[[dict[str, Any]], object] = _unchanged

    def fits(self, request: Request) -> bool:
        """Whether `request` is within the limits, `first` aside."""
        limits = (
            (self.operation, request.operation),
            (self.account, request.account),
            (self.region, request.region),
            (self.repository, request.repository),
            (self.principal, request.principal),
        )
        return all(wanted in (None, actual) for wanted, actual in limits)


class Faults:
    """The faults of one sandbox, in the order in which they were added."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._seen: dict[int, int] = {}
        self._faults: list[Fault] = []
        self._cleared = Event()

    def add(self, fault: Fault) -> None:
        """Switch `fault` on."""
        with self._lock:
            self._faults.append(fault)

    def rewind(self) -> None:
        """Reset the count of requests that each fault has touched."""
        with self._lock:
            self._seen.clear()

    def end(self) -> None:
        """Release the requests that wait, and let none wait any more."""
        self.clear()
        with self._lock:
            self._cleared.set()

    def clear(self) -> None:
        """Switch every fault off and release the requests that wait."""
        with self._lock:
            self._faults.clear()
            self._seen.clear()
            self._cleared.set()
            self._cleared = Event()

    def reply(self, request: Request, truth: Callable[[], Reply]) -> Reply:
        """Answer `request`: with `truth()` where no fault fits.

        Raises ConnectionCut for no response, CutShort for half of one.
        """
        fault, cleared = self._choose(request)
        if fault is None:
            return truth()
        if fault.latency:
            cleared.wait(fault.latency)
        if fault.answer is Answer.HANG:
            cleared.wait()
        if fault.answer is Answer.HALF:
            raise CutShort(truth(), cleared)
        return _reply(fault, request, truth)

    def _choose(self, request: Request) -> tuple[Fault | None, Event]:
        with self._lock:
            for position, fault in enumerate(self._faults):
                if not fault.fits(request):
                    continue
                seen = self._seen[position] = self._seen.get(position, 0) + 1
                if fault.first is None or seen <= fault.first:
                    return fault, self._cleared
            return None, self._cleared


def refusal(status: HTTPStatus, code: str, message: str) -> Reply:
    """Return an error in the AWS JSON 1.1 protocol."""
    body = json.dumps({"__type": code, "message": message})
    return status, {"Content-Type": JSON, "x-amzn-ErrorType": code}, body


def _reply(fault: Fault, request: Request, truth: Callable[[], Reply]) -> Reply:
    match fault.answer:
        case Answer.TRUE:
            return truth()
        case Answer.THROTTLED:
            return refusal(HTTPStatus.BAD_REQUEST, "ThrottlingException", "Rate exceeded")
        case Answer.DENIED:
            return _denial(request, "no identity-based policy allows")
        case Answer.DENIED_BY_REPOSITORY:
            return _denial(request, "no resource-based policy allows")
        case Answer.SERVER_ERROR:
            message = "There was an error in the backend service."
            return refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "ServerException", message)
        case Answer.EMPTY_OBJECT:
            return HTTPStatus.OK, {"Content-Type": JSON}, "{}"
        case Answer.HTML:
            page = "<!doctype html><title>Sign in</title><h1>Sign in to the network</h1>"
            return HTTPStatus.OK, {"Content-Type": "text/html"}, page
        case Answer.TRUNCATED:
            status, headers, body = truth()
            return status, headers, body[: len(body) // 2]
        case Answer.MANIFEST_NOT_JSON:
            return _with_manifests(truth(), lambda _: "<manifest>")
        case Answer.MANIFEST_OTHER_BYTES:
            return _with_manifests(truth(), lambda manifest: manifest + "\n")
        case Answer.LAYERS_DROPPED:
            return _changed(truth(), lambda document: document.update(layers=[]))
        case Answer.OTHER_BYTES:
            status, headers, body = truth()
            return status, headers, (body.encode() if isinstance(body, str) else body) + b"\n"
        case Answer.GONE:
            page = "<Error><Code>NoSuchKey</Code></Error>"
            return HTTPStatus.NOT_FOUND, {"Content-Type": "application/xml"}, page
        case Answer.IMAGES_FAILED:
            return _changed(truth(), lambda document: _fail_images(document, fault.failure_code))
        case Answer.CHANGED:
            return _changed(truth(), fault.change)
        case Answer.CONNECTION_CLOSED | Answer.HANG | Answer.HALF:
            raise ConnectionCut
        case _:
            assert_never(fault.answer)


def _denial(request: Request, why: str) -> Reply:
    action = f"ecr:{request.operation}"
    resource = f"arn:aws:ecr:{request.region}:{request.account}:repository/{request.repository}"
    return refusal(
        HTTPStatus.BAD_REQUEST,
        "AccessDeniedException",
        f"User: {request.principal} is not authorized to perform: {action} on resource: "
        f"{resource} because {why} the {action} action",
    )


def _with_manifests(reply: Reply, change: Callable[[str], str]) -> Reply:
    def change_all(document: dict[str, Any]) -> None:
        for image in document.get("images", ()):
            image["imageManifest"] = change(image["imageManifest"])

    return _changed(reply, change_all)


def _fail_images(document: dict[str, Any], code: str) -> None:
    failed = [
        {"imageId": image["imageId"], "failureCode": code, "failureReason": f"sandbox: {code}"}
        for image in document.get("images", ())
    ]
    document.update(images=[], failures=[*document.get("failures", ()), *failed])


def _changed(reply: Reply, change: Callable[[dict[str, Any]], object]) -> Reply:
    status, headers, body = reply
    if headers.get("Content-Type") == DOWNLOAD:  # not an answer of the API
        return reply
    document = json.loads(body)
    change(document)
    return status, headers, json.dumps(document)
