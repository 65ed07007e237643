"""Clients of ECR for an identity: its credentials, its endpoints, its retries."""

from __future__ import annotations

import asyncio
import copy
import logging
import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any, Protocol

from layerguard.identity import ORDINARY, Identity, without_credentials
from layerguard.registry.answers import RegistryError
from layerguard.registry.connections import Connections
from layerguard.registry.credentials import Keys, ResolveCredentials, Resolved, resolve
from layerguard.registry.endpoints import is_foreign
from layerguard.registry.redaction import Redaction
from layerguard.registry.sessions import make_session
from layerguard.registry.shared_result import SharedResult
from layerguard.registry.threads import on_a_thread
from layerguard.registry.translation import translate_configuration, translate_credentials
from layerguard.registry.wire import WireClient
from layerguard.verdict import Code

_log = logging.getLogger("layerguard.registry")

# As many as the configuration allows calls at a time: more would be discarded after each use.
_CONNECTIONS = 200
_CONNECT_TIMEOUT_SECONDS = 5
_READ_TIMEOUT_SECONDS = 20
# One call is for many images, and is tried again: a silent connection must not cost them all.
_SILENCE_SECONDS = 10
# boto3 tries rare calls once more by itself; what lasts longer is tried again by ``Calls``, which
# has the deadline.
_ATTEMPTS = 2
_RETRIED = MappingProxyType(
    {
        "read_timeout": _READ_TIMEOUT_SECONDS,
        "retries": {"mode": "standard", "total_max_attempts": _ATTEMPTS},
    }
)
# For explanations, which have little time.
_BRIEF = MappingProxyType({"read_timeout": 5, "retries": {"total_max_attempts": 1}})
# New credentials do not expire within this time, unless a clock is wrong.
_NEW_SECONDS = 60
_MODEL_PARTS = ("service-2", "endpoint-rule-set-1")


class ClientFactory(Protocol):
    """Makes the clients of one identity. Not thread-safe; bound to the running event loop."""

    @property
    def foreign_endpoints(self) -> frozenset[str]:
        """The URLs of endpoints for which clients were made and that are not AWS's own."""

    async def __call__(self, region: str) -> Any:
        """Return the client of ``region``, with coroutines as methods. Raises RegistryError."""

    def renew(self, client: Any, reason: str) -> None:
        """Replace the credentials of ``client``; ``reason`` is how ECR says that they expired."""

    def redact(self, text: str) -> str:
        """Return ``text`` without the identity's secrets."""

    async def caller(self, region: str) -> str | None:
        """Return the ARN of the principal that asks, None if unknown."""


@dataclass(frozen=True, slots=True)
class _Expired:
    """Credentials that ECR refuses as expired, in the words of ``reason``."""

    keys: Keys
    were_new: bool
    reason: str

    @property
    def error(self) -> RegistryError:
        return RegistryError(
            Code.NO_CREDENTIALS,
            f"{self.reason} The source of the AWS credentials gives no newer ones.",
        )


@dataclass(slots=True)
class _Generation:
    """The clients that share one resolution of the credentials, which follows ``expired`` ones."""

    expired: _Expired | None = None
    resolution: SharedResult[Resolved | RegistryError] = field(default_factory=SharedResult)
    resolved: Resolved | None = None
    clients: dict[str, WireClient | RegistryError] = field(default_factory=dict)
    being_made: defaultdict[str, SharedResult[WireClient | RegistryError]] = field(
        default_factory=lambda: defaultdict(SharedResult)
    )
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Clients:
    """The ``ClientFactory`` of botocore's clients.

    Credentials are resolved once, and each client is made once, by the first call that needs them,
    on a thread: importing botocore costs more than everything else at the start of the pack, and
    boto3, which only rare calls need, a fifth more. The first failure answers all later calls.
    Temporary credentials are renewed before they expire, and after ``renew``.
    """

    def __init__(
        self, identity: Identity = ORDINARY, resolve_credentials: ResolveCredentials = resolve
    ) -> None:
        self._identity = identity
        self._resolve_credentials = resolve_credentials
        self._prepared: Any = None
        # Held while a session makes a client: sessions are not thread-safe.
        self._lock = threading.Lock()
        self._redaction = Redaction(identity)
        self._foreign: set[str] = set()
        self._generation = _Generation()
        self._caller: SharedResult[str | None] = SharedResult()

    async def __call__(self, region: str) -> WireClient:
        """Return the client of ``region``; raise RegistryError where it cannot be made."""
        generation = self._generation
        if generation.resolved is not None and generation.resolved.is_due:
            generation = self._generation = _Generation()
        client = generation.clients.get(region)
        if client is None:
            # The lock lets one waiting call go on per step of the loop, so that the first request
            # is sent before the hundredth is signed.
            async with generation.lock:
                client = generation.clients.get(region)
                if client is None:
                    make = partial(self._make, generation, region)
                    client = await generation.being_made[region].get(make)
                    generation.clients[region] = client
        if isinstance(client, RegistryError):
            raise copy.copy(client)
        return client

    def renew(self, client: Any, reason: str) -> None:
        """Resolve the credentials again, unless this was done since ``client`` was made.

        The same credentials again, or new ones that ECR refuses as well, are a failure.
        """
        generation = self._generation
        resolved = generation.resolved
        if resolved is not None and client in generation.clients.values():
            were_new = generation.expired is not None and resolved.age < _NEW_SECONDS
            self._generation = _Generation(_Expired(resolved.keys, were_new, reason))

    def redact(self, text: str) -> str:
        """Return ``text`` without the secrets of the identity, the environment and the profiles."""
        return self._redaction(text)

    @property
    def foreign_endpoints(self) -> frozenset[str]:
        """The URLs of endpoints for which clients were made and that are not AWS's own."""
        return frozenset(self._foreign)

    async def caller(self, region: str) -> str | None:
        """Return the ARN of the principal that asks, None if unknown. STS is asked once."""
        return await self._caller.get(partial(self._ask_for_caller, region))

    async def _make(self, generation: _Generation, region: str) -> WireClient | RegistryError:
        resolved = await self._resolve(generation, region)
        if isinstance(resolved, RegistryError):
            return resolved
        try:
            client = await on_a_thread(partial(self._wire_client, resolved.session, region))
        except Exception as error:  # whatever the files and variables hold that botocore refuses
            failure = translate_configuration(error, self.redact)
            _log.warning("No client of ECR in %s: %s: %s", region, failure.code.text, failure)
            return failure
        _log.info("ECR in %s is asked at %s", region, without_credentials(client.url))
        if is_foreign(client.url):
            self._foreign.add(without_credentials(client.url))
        return client

    async def _resolve(self, generation: _Generation, region: str) -> Resolved | RegistryError:
        async def resolve_once() -> Resolved | RegistryError:
            expired = generation.expired
            if expired and expired.were_new:
                return expired.error
            session, self._prepared = self._prepared, None
            resolved = await self._resolve_credentials(
                self._identity, region, self._redaction, session
            )
            if isinstance(resolved, RegistryError):
                return resolved
            if expired and expired.keys == resolved.keys:
                return expired.error
            generation.resolved = resolved
            return resolved

        return await generation.resolution.get(resolve_once)

    def _wire_client(self, session: Any, region: str) -> WireClient:
        endpoint = self._identity.ecr_endpoint
        with self._lock:
            client = session.create_client(
                "ecr", region_name=region, endpoint_url=endpoint, config=self._config(_RETRIED)
            )
            bundle = session.get_config_variable("ca_bundle")
        return WireClient(
            client,
            Connections(_CONNECT_TIMEOUT_SECONDS, _SILENCE_SECONDS, bundle),
            partial(self._boto3_client, session, "ecr", region, endpoint, _RETRIED),
        )

    async def _ask_for_caller(self, region: str) -> str | None:
        resolved = await self._resolve(self._generation, region)
        if isinstance(resolved, RegistryError):
            return None
        try:
            return await on_a_thread(partial(self._caller_arn, resolved.session, region))
        except Exception as error:  # it is only for explanations
            reason = translate_credentials(error, self._identity, self.redact)
            _log.warning(
                "The caller is unknown (GetCallerIdentity failed), so messages leave it out: %s",
                reason,
            )
            return None

    def _caller_arn(self, session: Any, region: str) -> str:
        sts = self._boto3_client(
            session, "sts", self._identity.region or region, self._identity.sts_endpoint, _BRIEF
        )
        return str(sts.get_caller_identity()["Arn"])

    def _boto3_client(
        self, session: Any, service: str, region: str, endpoint: str | None, more: Mapping[str, Any]
    ) -> Any:
        import boto3

        with self._lock:
            return boto3.Session(botocore_session=session).client(
                service, region_name=region, endpoint_url=endpoint, config=self._config(more)
            )

    def _config(self, more: Mapping[str, Any]) -> Any:
        from botocore.config import Config

        return Config(
            connect_timeout=_CONNECT_TIMEOUT_SECONDS,
            max_pool_connections=_CONNECTIONS,
            user_agent_appid="layerguard",
            use_fips_endpoint=self._identity.use_fips,
            use_dualstack_endpoint=self._identity.use_dual_stack,
            **more,
        )


class OrdinaryChain(Clients):
    """The clients of boto3's ordinary chain."""

    def __init__(self) -> None:
        super().__init__(ORDINARY)

    def get_ready(self) -> None:
        """Make the session and load what every client needs; no service is asked."""
        session = make_session(ORDINARY)
        loader = session.get_component("data_loader")
        for part in _MODEL_PARTS:
            loader.load_service_model("ecr", part)
        self._prepared = session
