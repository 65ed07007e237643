"""Clients of ECR for an identity: its credentials, its endpoints, its retries."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from types import MappingProxyType
from typing import Any, TypeAlias

from layerguard.identity import ORDINARY, AssumedRole, Identity, WebIdentity
from layerguard.registry.connections import Connections
from layerguard.registry.threads import on_a_thread
from layerguard.registry.wire import WireClient

ClientFactory: TypeAlias = Callable[[str], Awaitable[Any]]
"""Makes the client of one region, whose methods are coroutines."""

# As many as the configuration lets ask at a time: one more would be thrown away after each use.
CONNECTIONS = 200
CONNECT_TIMEOUT_SECONDS = 5
READ_TIMEOUT_SECONDS = 20
# What is asked for many images in one call is soon asked again: silence must not cost them all.
SILENCE_SECONDS = 10
# boto3 tries once more by itself, where it is asked; what lasts longer is tried again by ``Calls``,
# which knows when to end.
ATTEMPTS = 2
_LASTINGLY = MappingProxyType(
    {
        "read_timeout": READ_TIMEOUT_SECONDS,
        "retries": {"mode": "standard", "total_max_attempts": ATTEMPTS},
    }
)
# For what only makes better words of a denial.
_BRIEFLY = MappingProxyType({"read_timeout": 5, "retries": {"total_max_attempts": 1}})
SESSION_NAME = "layerguard"
_MODEL_PARTS = ("service-2", "endpoint-rule-set-1")
_DEFAULT_PROFILE = "default"


class Clients:
    """Makes the clients of one identity, one for each region. Of one event loop.

    The session and each client are made once, on a thread, by the first question that needs them:
    importing botocore costs more than starting the whole pack otherwise does, and boto3, which the
    seldom questions go through, a fifth more. Temporary credentials are renewed before they expire,
    and anew after ``renew``.
    """

    def __init__(self, identity: Identity = ORDINARY, connections: int = CONNECTIONS) -> None:
        self._identity = identity
        self._connections = connections
        # Held while the session is made or makes a client, on whatever thread that is.
        self._lock = threading.Lock()
        self._session: Any = None
        self._clients: dict[str, Any] = {}
        self._making = asyncio.Lock()
        self._caller: asyncio.Future[str | None] | None = None

    async def __call__(self, region: str) -> Any:
        """Return the client of ``region``. Raises botocore's own errors (no such profile, ...)."""
        if region not in self._clients:
            # Who waits goes on one after the other: so the first question is on its way while the
            # hundredth is signed.
            async with self._making:
                if region not in self._clients:
                    self._clients[region] = await on_a_thread(partial(self._make, region))
        return self._clients[region]

    def renew(self, client: Any) -> None:
        """Drop credentials that ECR no longer accepts, if ``client`` is still the one in use."""
        if client in self._clients.values():
            self._clients.clear()
            self._session = None

    @property
    def identity(self) -> Identity:
        """Whose clients these are."""
        return self._identity

    async def caller(self, region: str) -> str | None:
        """Return the ARN of the principal that asks; None where STS does not say it.

        STS is asked at most once.
        """
        if self._caller is None:
            self._caller = asyncio.ensure_future(on_a_thread(partial(self._ask_sts, region)))
        return await asyncio.shield(self._caller)

    def _ask_sts(self, region: str) -> str | None:
        place = self._identity.region or region
        try:
            sts = self._of_boto3("sts", place, self._identity.sts_endpoint, _BRIEFLY)
            return str(sts.get_caller_identity()["Arn"])
        except Exception:  # it only makes better words of a denial
            return None

    def _make(self, region: str) -> Any:
        endpoint, config = self._identity.ecr_endpoint, self._config(_LASTINGLY)
        with self._lock:
            session = self._made_session(region)
            client = session.create_client(
                "ecr", region_name=region, endpoint_url=endpoint, config=config
            )
            bundle = session.get_config_variable("ca_bundle")
        return WireClient(
            client,
            Connections(CONNECT_TIMEOUT_SECONDS, SILENCE_SECONDS, bundle),
            partial(self._of_boto3, "ecr", region, endpoint, _LASTINGLY),
        )

    def _made_session(self, region: str) -> Any:
        if self._session is None:
            self._session = _session(self._identity, region)
        return self._session

    def _of_boto3(
        self, service: str, region: str, endpoint: str | None, more: Mapping[str, Any]
    ) -> Any:
        import boto3

        with self._lock:
            return boto3.Session(botocore_session=self._made_session(region)).client(
                service, region_name=region, endpoint_url=endpoint, config=self._config(more)
            )

    def _config(self, more: Mapping[str, Any]) -> Any:
        from botocore.config import Config

        return Config(
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            max_pool_connections=self._connections,
            user_agent_appid="layerguard",
            use_fips_endpoint=self._identity.use_fips,
            use_dualstack_endpoint=self._identity.use_dual_stack,
            **more,
        )


class OrdinaryChain(Clients):
    """The clients of boto3's ordinary chain."""

    def __init__(self, connections: int = CONNECTIONS) -> None:
        super().__init__(ORDINARY, connections)

    def get_ready(self) -> None:
        """Do what the first client of any region needs first; nobody is asked for anything."""
        with self._lock:
            loader = self._made_session("").get_component("data_loader")
            for part in _MODEL_PARTS:
                loader.load_service_model("ecr", part)


def _session(identity: Identity, region: str) -> Any:
    """Return a session of botocore that has the credentials of ``identity``."""
    import botocore.session
    from botocore.exceptions import NoCredentialsError

    core = botocore.session.Session(profile=identity.profile)
    for variable, files in (
        ("config_file", identity.config_files),
        ("credentials_file", identity.credentials_files),
    ):
        if files:
            core.set_config_variable(variable, _deciding(files, identity.profile))
    if identity.skip_instance_metadata:
        core.get_component("credential_provider").remove("iam-role")
    if identity.keys:
        keys = identity.keys
        core.set_credentials(keys.access_key, keys.secret_key, keys.token)
    if identity.web_identity or identity.roles:
        sts = _StsClients(core, identity.region or region, identity.sts_endpoint)
        credentials = (
            _with_token(sts, identity.web_identity)
            if identity.web_identity
            else core.get_credentials()
        )
        for role in identity.roles:
            if credentials is None:
                raise NoCredentialsError
            credentials = _assumed(sts, credentials, role)
        core.register_component("credential_provider", _Credentials(credentials))
        core._credentials = None  # what was found on the way is only the source of the role
    return core


def _deciding(files: Sequence[str], profile: str | None) -> str:
    """Return the last of ``files`` that has the profile: botocore reads one file of each kind.

    A profile that another file continues is read as far as this one has it.
    """
    from botocore.configloader import raw_config_parse
    from botocore.exceptions import ConfigNotFound

    name = profile or _DEFAULT_PROFILE
    # Only files of settings, not those of credentials, say that a section is a profile's.
    sections = {name, f"profile {name}", f'profile "{name}"'}
    for file in reversed(files):
        with suppress(ConfigNotFound):
            if sections & raw_config_parse(file).keys():
                return file
    return files[-1]


class _Credentials:
    """What botocore asks for the credentials of a session."""

    def __init__(self, credentials: Any) -> None:
        self._credentials = credentials

    def load_credentials(self) -> Any:
        return self._credentials


class _StsClients:
    """What botocore's fetchers call for a client of STS."""

    def __init__(self, core: Any, region: str, endpoint: str | None) -> None:
        self._core, self._region, self._endpoint = core, region, endpoint

    def __call__(self, service: str, **options: Any) -> Any:
        return self._core.create_client(
            service, region_name=self._region, endpoint_url=self._endpoint, **options
        )


def _with_token(sts: _StsClients, web: WebIdentity) -> Any:
    from botocore.credentials import (
        AssumeRoleWithWebIdentityCredentialFetcher,
        DeferredRefreshableCredentials,
    )
    from botocore.utils import FileWebIdentityTokenLoader

    token = FileWebIdentityTokenLoader(web.token_file) if web.token_file else lambda: web.token
    fetcher = AssumeRoleWithWebIdentityCredentialFetcher(
        sts, token, web.arn, extra_args=_arguments(web)
    )
    return DeferredRefreshableCredentials(
        fetcher.fetch_credentials, "assume-role-with-web-identity"
    )


def _assumed(sts: _StsClients, source: Any, role: AssumedRole) -> Any:
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials

    extra = {
        "ExternalId": role.external_id,
        "Tags": [{"Key": key, "Value": value} for key, value in role.tags],
        "TransitiveTagKeys": list(role.transitive_tag_keys),
        "SourceIdentity": role.source_identity,
    }
    fetcher = AssumeRoleCredentialFetcher(
        sts, source, role.arn, extra_args=_arguments(role) | _said(extra)
    )
    return DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")


def _arguments(role: AssumedRole | WebIdentity) -> dict[str, Any]:
    return _said(
        {
            "RoleSessionName": role.session_name or SESSION_NAME,
            "DurationSeconds": role.duration_seconds,
            "Policy": role.policy,
            "PolicyArns": [{"arn": arn} for arn in role.policy_arns],
        }
    )


def _said(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value}
