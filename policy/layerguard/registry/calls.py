"""Single calls to ECR: counted, renewed when credentials expire, and explained when denied."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from layerguard.reference import Repository
from layerguard.registry.answers import RegistryError
from layerguard.registry.clients import ClientFactory, Clients
from layerguard.registry.denial import Denial
from layerguard.registry.translation import has_expired, is_transient, translate
from layerguard.verdict import Code

AccountRegion: TypeAlias = "tuple[str, str]"
"""A private registry: its account and its region."""

# The largest page of what is listed, and how many are read. Source: ECR API reference.
_PAGE = 1000
_PAGES = 10
# Seconds before the first and any later try, at most.
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0


class Listing(NamedTuple):
    """What ECR lists: all of it, or the first pages only."""

    items: Sequence[Mapping[str, Any]]
    complete: bool


def entries(answer: Mapping[str, Any], member: str) -> list[Mapping[str, Any]]:
    """Return what an answer lists under ``member``; what is no entry says nothing of anything."""
    listed = answer.get(member)
    if not isinstance(listed, list):
        return []
    return [each for each in listed if isinstance(each, Mapping)]


class Calls:
    """Calls operations of ECR by their names in boto3; raises RegistryError for every failure.

    Of one event loop, as the clients are.

    What is transient is tried again, with jitter, for ``patience`` seconds.
    """

    def __init__(
        self,
        client: ClientFactory,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.patience = 0.0  # seconds
        self._client = client
        self._clock = clock
        self._sleep = sleep
        self.count = 0
        """How many requests were sent so far, retries not counted."""

    async def of_registry(
        self, registry: AccountRegion, operation: str, **parameters: Any
    ) -> dict[str, Any]:
        """Call ``operation`` on a registry, in its own region."""
        account, region = registry
        self.count += 1
        # Without a registryId ECR would answer for the caller's own registry.
        parameters["registryId"] = account
        end = self._clock() + self.patience
        longest = _FIRST_PAUSE
        while True:
            try:
                return await self._once(region, operation, parameters)
            except Exception as error:
                failure = error
            if not is_transient(failure) or self._clock() >= end:
                # Without its cause: what a client raises may repeat a request, with its token.
                raise self._told(failure)
            # The whole of the pause is chance, so that many askers do not come back together.
            await self._sleep(min(random.uniform(0, longest), max(0.0, end - self._clock())))
            longest = min(2 * longest, _LONGEST_PAUSE)

    async def listing(
        self, registry: AccountRegion, operation: str, member: str, **parameters: Any
    ) -> Listing:
        """Return what an operation lists under ``member``, of its first pages.

        The first page fails as a call does; where a later one fails, the listing ends there.
        """
        items: list[Mapping[str, Any]] = []
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
            items += entries(page, member)
            if not page.get("nextToken"):
                return Listing(items, complete=True)
            token = {"nextToken": page["nextToken"]}
        return Listing(items, complete=False)

    async def _once(
        self, region: str, operation: str, parameters: dict[str, Any]
    ) -> dict[str, Any]:
        client = await self._client(region)
        try:
            answer: dict[str, Any] = await getattr(client, operation)(**parameters)
        except Exception as error:
            if not has_expired(error) or not isinstance(self._client, Clients):
                raise
            self._client.renew(client)
            answer = await getattr(await self._client(region), operation)(**parameters)
        return answer

    async def of_repository(
        self, repository: Repository, operation: str, **parameters: Any
    ) -> dict[str, Any]:
        """Call ``operation`` on a repository; a denial says who asked and what must be allowed."""
        try:
            return await self.of_registry(
                (repository.account, repository.region),
                operation,
                repositoryName=repository.name,
                **parameters,
            )
        except AccessDenied as error:
            raise await self._explained(error, repository) from error

    def _told(self, failure: Exception) -> RegistryError:
        error = translate(failure)
        if isinstance(self._client, Clients):
            return error.with_reason(self._client.identity.without_secrets(str(error)))
        return error

    async def _explained(self, error: AccessDenied, repository: Repository) -> AccessDenied:
        denial, text = Denial.read(str(error)), str(error)
        caller, role = denial.caller, denial.resource
        if isinstance(self._client, Clients):
            if denial.is_of_a_role and role is None:
                web = self._client.identity.web_identity
                role = web.arn if web else None
                text = f"{text} The role is {role}." if role else text
            # Who may not become a role has nobody to ask as.
            if caller is None and not denial.is_of_a_role:
                caller = await self._client.caller(repository.region)
                text = f"{text} The principal that asked is {caller}." if caller else text
        return RegistryError(Code.ACCESS_DENIED, text, denial.next_step(repository, caller, role))
