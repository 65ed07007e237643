"""Plain HTTP: configs from ECR's presigned URLs, and layers that are elsewhere than in ECR."""

from __future__ import annotations

import os
from functools import cached_property, partial
from ipaddress import ip_address
from socket import inet_aton
from threading import Lock
from urllib.parse import urlsplit

from layerguard.registry.answers import Availability, LayerAnswer, RegistryError
from layerguard.registry.threads import Threads
from layerguard.registry.transport import Reply, Transport
from layerguard.verdict import Code

# A config has a few kilobytes; anything larger than this is none.
MAX_BYTES = 4_000_000
CONNECT_TIMEOUT_SECONDS = 5
READ_TIMEOUT_SECONDS = 10
CONFIG_SECONDS = 30.0
"""How long a download may take."""
_CONNECTIONS = 200


class PlainHttp:
    """Requests without credentials and without retries. Times are in seconds.

    Proxies and certificates are those of boto3's clients of the default profile.
    """

    def __init__(
        self,
        connect_timeout: float = CONNECT_TIMEOUT_SECONDS,
        read_timeout: float = READ_TIMEOUT_SECONDS,
        seconds: float = CONFIG_SECONDS,
    ) -> None:
        self._timeouts, self._seconds = (connect_timeout, read_timeout), seconds
        self._threads, self._lock = Threads(), Lock()
        self._hosts: dict[tuple[str, str], Transport] = {}

    async def __call__(self, url: str) -> str:
        """Return the UTF-8 text of a config of at most MAX_BYTES bytes.

        Raises RegistryError, which never contains the URL: it is a credential.
        """
        try:
            reply = await self._threads.run(partial(self._send, "GET", url), self._seconds)
        except Exception as error:
            raise RegistryError(
                Code.UNREACHABLE, f"A config's download failed: {type(error).__name__}."
            ) from None
        if reply.status != 200:
            reason = f"A config's URL answers with status {reply.status}."
        elif len(reply.content) > MAX_BYTES:
            reason = f"A config has more than {MAX_BYTES:,} bytes."
        else:
            try:
                return str(reply.content, "utf-8")
            except UnicodeDecodeError:
                reason = "A config is not text."
        raise RegistryError(Code.INCONSISTENT_ANSWER, reason)

    async def head(self, url: str) -> LayerAnswer | RegistryError:
        """Return whether there is a layer at ``url``; its bytes are not downloaded.

        An error contains the host of the URL only: the rest may be a credential.
        """
        if _is_link_local(urlsplit(url).hostname or ""):
            return _not_had(url, "is an address of the machine that asks, and is not asked")
        try:
            reply = await self._threads.run(partial(self._send, "HEAD", url), self._seconds)
        except Exception as error:
            return _not_had(url, f"does not answer ({type(error).__name__})")
        if reply.status == 404:
            return LayerAnswer(Availability.UNAVAILABLE)
        if not 200 <= reply.status < 400:
            return _not_had(url, f"answers with status {reply.status}")
        return LayerAnswer(Availability.AVAILABLE)

    def _send(self, method: str, url: str) -> Reply:
        parts = urlsplit(url)
        with self._lock:
            host = self._hosts.get(parts[:2]) or self._transport(url)
            self._hosts[parts[:2]] = host
        return host.send(method, url, {})

    def _transport(self, url: str) -> Transport:
        from botocore.httpsession import URLLib3Session
        from botocore.utils import get_environ_proxies

        session = URLLib3Session(
            self._verify, get_environ_proxies(url), self._timeouts, _CONNECTIONS
        )
        return Transport(session, url, MAX_BYTES, self._seconds)

    @cached_property
    def _verify(self) -> str | bool:
        # The choice of botocore's own clients.
        from botocore.session import Session

        bundle = Session().get_config_variable("ca_bundle")
        return bundle or os.environ.get("REQUESTS_CA_BUNDLE") or True


def _is_link_local(host: str) -> bool:
    """Tell whether ``host`` is an address that each machine has for itself, in any spelling.

    There are the credentials of machines and tasks of AWS. Source: EC2 user guide, "Access instance
    metadata"; IAM, "Container credential provider".
    """
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        try:
            address = ip_address(inet_aton(host))
        except (OSError, UnicodeError):
            return False
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_link_local or str(address).startswith("fd00:ec2:")


def _not_had(url: str, answer: str) -> RegistryError:
    return RegistryError(
        Code.UPSTREAM,
        f"The manifest says to download a layer from {urlsplit(url).hostname}, which {answer}; "
        "containerd asks there before it asks the registry.",
        "see whether the machines that run the image reach this URL; docker push uploads such "
        "layers to the registry too, where the engine's allow-nondistributable-artifacts names it.",
    )
