"""The requests to the sandbox, for tests that count calls and look at their principals."""

from dataclasses import dataclass
from threading import Lock


@dataclass(frozen=True, slots=True)
class Request:
    """One call: the registry that it addresses, and the principal that signed it.

    `image_ids` are tags, digests or `tag@digest`; `digests` are layer digests; both as sent.
    `principal` is an ARN. A download from a presigned URL is `GetObject`, and not signed.
    """

    operation: str
    account: str
    region: str
    repository: str
    image_ids: tuple[str, ...]
    digests: tuple[str, ...]
    access_key: str
    principal: str


class Journal:
    """The requests in the order in which they came."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._requests: list[Request] = []

    def record(self, request: Request) -> None:
        """Add a request."""
        with self._lock:
            self._requests.append(request)

    def requests(self) -> tuple[Request, ...]:
        """Return the requests since the start or since `clear`."""
        with self._lock:
            return tuple(self._requests)

    def clear(self) -> None:
        """Forget every request."""
        with self._lock:
            self._requests.clear()
