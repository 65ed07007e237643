"""Single calls to ECR: counted, tried again, and with renewed credentials where these expire."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from layerguard.reference import Repository
from layerguard.registry.answers import RegistryError
from layerguard.registry.clients import ClientFactory
from layerguard.registry.denial import Denial
from layerguard.registry.translation import has_expired, is_transient, translate
from layerguard.verdict import Code

AccountRegion: TypeAlias = "tuple[str, str]"
"""A private registry: its account and its region."""

# The largest page of a listing, and how many pages are read. Source: ECR API reference.
_PAGE = 1000
_PAGES = 10
# The longest pauses before the first and before any later try, in seconds.
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0


class Pages(NamedTuple):
    """The entries of a listing; not all of them where it is not ``complete``."""

    entries: Sequence[Mapping[str, Any]]
    complete: bool


def entries(answer: Mapping[str, Any], member: str) -> list[Mapping[str, Any]]:
    """Return the objects in the list ``member`` of an answer; anything else in it is ignored."""
    listed = answer.get(member)
    if not isinstance(listed, list):
        return []
    return [each for each in listed if isinstance(each, Mapping)]


class Calls:
    """Calls operations of ECR by their names in boto3; raises RegistryError for every failure.

    Transient failures are tried again, with jitter, for ``retry_seconds``. Not thread-safe; bound
    to the running event loop, except ``retry_seconds``.
    """

    def __init__(
        self,
        clients: ClientFactory,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.retry_seconds = 0.0
        self.count = 0
        """How many requests were sent so far, retries not counted."""
        self._clients = clients
        self._clock = clock
        self._sleep = sleep

    async def of_repository(
        self, repository: Repository, operation: str, **parameters: Any
    ) -> dict[str, Any]:
        """Call ``operation`` on a repository; a denial has the policy change as its next step."""
        registry = (repository.account, repository.region)
        try:
            return await self.of_registry(
                registry, operation, repositoryName=repository.name, **parameters
            )
        except RegistryError as error:
            if error.code is Code.ACCESS_DENIED and not error.next_step:
                error.next_step = Denial.parse(str(error)).next_step(repository)
            raise

    async def of_registry(
        self, registry: AccountRegion, operation: str, **parameters: Any
    ) -> dict[str, Any]:
        """Call ``operation`` on a registry, in its own region."""
        account, region = registry
        # Without a registryId ECR would answer for the caller's own registry.
        parameters["registryId"] = account
        client = await self._clients(region)
        self.count += 1
        end = self._clock() + self.retry_seconds
        longest, is_renewed = _FIRST_PAUSE, False
        while True:
            try:
                answer: dict[str, Any] = await getattr(client, operation)(**parameters)
                return answer
            except Exception as error:  # of any client, for which there is no base class
                failure = error
            if has_expired(failure) and not is_renewed:
                self._clients.renew(client, str(translate(failure, self._clients.redact)))
                client, is_renewed = await self._clients(region), True
                continue
            if not is_transient(failure) or self._clock() >= end:
                # Without its cause: the error of a client may repeat a request, with its token.
                raise translate(failure, self._clients.redact)
            # The whole pause is random, so that many callers do not come back together.
            await self._sleep(min(random.uniform(0, longest), max(0.0, end - self._clock())))
            longest = min(2 * longest, _LONGEST_PAUSE)

    async def pages(
        self, registry: AccountRegion, operation: str, member: str, **parameters: Any
    ) -> Pages:
        """Return the entries that an operation lists under ``member``, of its first pages.

        A failure of the first page is raised; that of a later one ends the listing.
        """
        listed: list[Mapping[str, Any]] = []
        token: dict[str, str] = {}
        for _ in range(_PAGES):
            try:
                page = await self.of_registry(
                    registry, operation, maxResults=_PAGE, **parameters, **token
                )
            except RegistryError:
                if not token:
                    raise
                break
            listed += entries(page, member)
            if not page.get("nextToken"):
                return Pages(listed, complete=True)
            token = {"nextToken": page["nextToken"]}
        return Pages(listed, complete=False)
