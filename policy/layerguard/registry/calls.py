"""Single calls to ECR: counted, tried again, and with renewed credentials where these expire."""

from __future__ import annotations

import asyncio
import logging
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

_log = logging.getLogger("layerguard.registry")

AccountRegion: TypeAlias = "tuple[str, str]"
"""A private registry: its account and its region."""

# The largest page of a listing, and how many pages are read. Source: ECR API reference.
_PAGE = 1000
_PAGES = 10
LISTING_SECONDS = 10.0
"""How long a listing may take: a verdict without it is only less precise."""
# The parameters with what is asked about in one call.
_IDS = ("imageIds", "layerDigests")
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


async def _by(seconds: float, call: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    try:
        return await asyncio.wait_for(call, seconds)
    except asyncio.TimeoutError:
        raise RegistryError(Code.TIMED_OUT, "ECR did not answer in time.") from None


class Calls:
    """Calls operations of ECR by their names in boto3; raises RegistryError for every failure.

    Transient failures are tried again, with jitter, for ``retry_seconds``. Not thread-safe; bound
    to the running event loop, except ``retry_seconds``.
    """

    def __init__(
        self,
        clients: ClientFactory,
        listing_seconds: float = LISTING_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.retry_seconds = 0.0
        self.count = 0
        """How many requests were sent so far, retries not counted."""
        self._clients = clients
        self._listing_seconds = listing_seconds
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
            call = _Call(operation, region, parameters, self._clock)
            try:
                answer: dict[str, Any] = await getattr(client, operation)(**parameters)
            except asyncio.CancelledError:
                call.log("cancelled", None)
                raise
            except Exception as error:  # of any client, for which there is no base class
                failure, reason = error, translate(error, self._clients.redact)
            else:
                call.log("ok", answer)
                return answer
            call.log(reason.code.text, getattr(failure, "response", None), reason)
            if has_expired(failure) and not is_renewed:
                _log.info("The credentials have expired, and are resolved again: %s", reason)
                self._clients.renew(client, str(reason))
                client, is_renewed = await self._clients(region), True
                continue
            if not is_transient(failure) or self._clock() >= end:
                # Without its cause: the error of a client may repeat a request, with its token.
                raise reason
            # The whole pause is random, so that many callers do not come back together.
            await self._sleep(min(random.uniform(0, longest), max(0.0, end - self._clock())))
            longest = min(2 * longest, _LONGEST_PAUSE)

    async def pages(
        self, registry: AccountRegion, operation: str, member: str, **parameters: Any
    ) -> Pages:
        """Return the entries that an operation lists under ``member``, of its first pages.

        A failure of the first page is raised; that of a later one ends the listing. So does the
        end of ``listing_seconds``, after which a verdict would come too late.
        """
        listed: list[Mapping[str, Any]] = []
        token: dict[str, str] = {}
        end = self._clock() + self._listing_seconds
        for _ in range(_PAGES):
            call = self.of_registry(registry, operation, maxResults=_PAGE, **parameters, **token)
            try:
                page = await _by(end - self._clock(), call)
            except RegistryError:
                if not token:
                    raise
                break
            listed += entries(page, member)
            if not page.get("nextToken"):
                return Pages(listed, complete=True)
            token = {"nextToken": page["nextToken"]}
        return Pages(listed, complete=False)


class _Call:
    """One request, for the log: what is asked and how long that takes."""

    def __init__(
        self,
        operation: str,
        region: str,
        parameters: Mapping[str, Any],
        clock: Callable[[], float],
    ) -> None:
        self._operation, self._region = operation, region
        self._parameters = parameters
        self._clock, self._began = clock, clock()

    def log(self, outcome: str, response: object, reason: object = "") -> None:
        """Log how it ended: the seconds, ECR's id of the request where it is known, and why."""
        if _log.isEnabledFor(logging.DEBUG):
            took = self._clock() - self._began
            shown = f"{self}: {outcome} in {took:.3f} s{_request_id(response)}"
            _log.debug("%s", f"{shown}: {reason}" if reason else shown)

    def __str__(self) -> str:
        """Return ``OPERATION of ACCOUNT in REGION, REPOSITORY, NUMBER ids``."""
        name = "".join(map(str.capitalize, self._operation.split("_")))
        repository = self._parameters.get("repositoryName")
        ids = (self._parameters[each] for each in _IDS if each in self._parameters)
        asked = [f"{len(each)} ids" for each in ids]
        of = f"{name} of {self._parameters['registryId']} in {self._region}"
        return ", ".join([of, *([str(repository)] if repository else []), *asked])


def _request_id(response: object) -> str:
    metadata = response.get("ResponseMetadata") if isinstance(response, dict) else None
    request = metadata.get("RequestId") if isinstance(metadata, dict) else None
    return f", request {request}" if request else ""
