"""Credentials of an identity, resolved once into a session that keeps them."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from layerguard.identity import Identity, without_credentials
from layerguard.registry.answers import RegistryError
from layerguard.registry.endpoints import is_foreign
from layerguard.registry.redaction import Redaction
from layerguard.registry.sessions import endpoint_of_files, load_credentials, make_session
from layerguard.registry.threads import on_a_thread
from layerguard.registry.translation import translate_credentials
from layerguard.verdict import Code

_log = logging.getLogger("layerguard.registry")

Keys: TypeAlias = "tuple[str, str, str | None]"
"""An access key, its secret key and its session token."""

CREDENTIAL_SECONDS = 20.0
"""How long credentials may take: a credential process, STS, SSO, the instance's metadata."""
# Temporary credentials are renewed this long before they expire: longer than a call lasts.
_RENEW_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Resolved:
    """A session of botocore with the credentials that were resolved for it.

    ``expires_within`` tells whether they expire within so many seconds. Credentials that never last
    longer than ``margin`` seconds are used until they expire. ``source`` is botocore's name of
    where they came from.
    """

    session: Any
    keys: Keys = field(repr=False)
    expires_within: Callable[[float], bool]
    margin: float = _RENEW_SECONDS
    source: str = ""
    at: float = field(default_factory=time.monotonic)

    @property
    def is_due(self) -> bool:
        """Whether the credentials must be resolved again before they are used."""
        return self.expires_within(self.margin)

    @property
    def age(self) -> float:
        """The seconds since they were resolved."""
        return time.monotonic() - self.at


ResolveCredentials: TypeAlias = Callable[
    [Identity, str, Redaction, Any], "Awaitable[Resolved | RegistryError]"
]


async def resolve(
    identity: Identity,
    region: str,
    redaction: Redaction,
    session: Any = None,
    seconds: float = CREDENTIAL_SECONDS,
) -> Resolved | RegistryError:
    """Resolve the credentials of ``identity``, or return why there are none.

    ``session`` is a session for the identity, made here if it is None. STS is asked in ``region``
    unless the identity has one. All secrets are added to ``redaction``. Gives up after ``seconds``.
    A credential process that still runs then, or when this is cancelled, is killed.
    """
    resolution = _Resolution(identity, region, redaction, session)
    began = time.monotonic()
    resolved: Resolved | RegistryError
    try:
        resolved = await asyncio.wait_for(on_a_thread(resolution.run), seconds)
    except asyncio.TimeoutError:
        resolved = RegistryError(
            Code.NO_CREDENTIALS,
            f"The AWS credentials did not come within {seconds:g} s: the credential process, or "
            "the service that issues them, does not answer.",
        )
    finally:  # also where the run ends first
        resolution.end()
    took = time.monotonic() - began
    if isinstance(resolved, RegistryError):
        code = resolved.code.text
        _log.warning("No credentials from %s, after %.1f s: %s: %s", identity, took, code, resolved)
    else:
        _log.info("Credentials from %s: found in %s after %.1f s", identity, resolved.source, took)
    return resolved


class _Resolution:
    """One resolution of credentials, which runs on a thread of its own."""

    def __init__(self, identity: Identity, region: str, redaction: Redaction, session: Any) -> None:
        self._identity, self._region = identity, region
        self._redaction, self._session = redaction, session
        self._process: subprocess.Popen[bytes] | None = None
        self._has_ended = False

    def run(self) -> Resolved | RegistryError:
        try:
            return self._resolve()
        except Exception as error:  # whatever providers raise, for which there is no base class
            return translate_credentials(error, self._identity, self._redaction)

    def end(self) -> None:
        """Kill the credential process if it still runs, also one that is started later."""
        self._has_ended = True
        if self._process:
            self._process.kill()

    def _resolve(self) -> Resolved | RegistryError:
        session = self._session or make_session(self._identity)
        self._redaction.add_profiles(session.full_config.get("profiles", {}))
        endpoint = endpoint_of_files(session, self._identity, self._region)
        if endpoint and is_foreign(endpoint):
            return _untrusted(without_credentials(endpoint))
        source = load_credentials(session, self._identity, self._region, self._start)
        frozen = source.get_frozen_credentials()
        keys = (frozen.access_key, frozen.secret_key, frozen.token)
        self._redaction.add(keys)
        # The session keeps these alone: botocore would renew them for each call by itself.
        session.set_credentials(*keys)
        expires_within = getattr(source, "refresh_needed", _never)
        margin = 0 if expires_within(_RENEW_SECONDS) else _RENEW_SECONDS
        return Resolved(session, keys, expires_within, margin, str(source.method))

    def _start(self, *arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        self._process = subprocess.Popen(*arguments, **options)
        if self._has_ended:
            self._process.kill()
        return self._process


def _never(_seconds: float) -> bool:
    return False


def _untrusted(endpoint: str) -> RegistryError:
    return RegistryError(
        Code.ENDPOINT_UNTRUSTED,
        f"The resource's provider names files with AWS settings, and in these {endpoint} is ECR's "
        "endpoint: the stack itself chose it, so its answers prove nothing.",
        "if this endpoint is to be believed, set AWS_ENDPOINT_URL_ECR to it in the environment of "
        "the process that runs Pulumi; otherwise remove it from the files.",
    )
