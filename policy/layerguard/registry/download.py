"""Plain HTTP: configs from ECR's presigned URLs, and layers that are elsewhere than in ECR."""

from __future__ import annotations

from ipaddress import ip_address
from socket import inet_aton
from urllib.parse import urlsplit

from layerguard.registry.answers import Availability, LayerAnswer, RegistryError
from layerguard.registry.connections import Connections
from layerguard.verdict import Code

# A config has a few kilobytes; anything larger than this is none.
MAX_BYTES = 4_000_000
CONNECT_TIMEOUT_SECONDS = 5
READ_TIMEOUT_SECONDS = 10


class PlainHttp:
    """Requests without credentials and without retries. Times are in seconds."""

    def __init__(
        self,
        connect_timeout: float = CONNECT_TIMEOUT_SECONDS,
        read_timeout: float = READ_TIMEOUT_SECONDS,
        bundle: str | None = None,
    ) -> None:
        self._connections = Connections(connect_timeout, read_timeout, bundle)

    async def __call__(self, url: str) -> str:
        """Return the UTF-8 text of a config of at most MAX_BYTES bytes.

        Raises RegistryError, which never contains the URL: it is a credential.
        """
        try:
            return str(await self._get(url), "utf-8")
        except RegistryError:
            raise
        except UnicodeDecodeError:
            raise RegistryError(Code.INCONSISTENT_ANSWER, "A config is not text.") from None
        except Exception as error:
            raise RegistryError(
                Code.UNREACHABLE, f"A config's download failed: {type(error).__name__}."
            ) from None

    async def head(self, url: str) -> LayerAnswer | RegistryError:
        """Return whether there is a layer at ``url``; its bytes are not downloaded.

        An error contains the host of the URL only: the rest may be a credential.
        """
        if _is_link_local(urlsplit(url).hostname or ""):
            return _not_had(url, "is an address of the machine that asks, and is not asked")
        try:
            reply = await self._connections.send("HEAD", url, {})
        except Exception as error:
            return _not_had(url, f"does not answer ({type(error).__name__})")
        if reply.status == 404:
            return LayerAnswer(Availability.UNAVAILABLE)
        if not 200 <= reply.status < 400:
            return _not_had(url, f"answers with status {reply.status}")
        return LayerAnswer(Availability.AVAILABLE)

    async def _get(self, url: str) -> bytes:
        reply = await self._connections.send("GET", url, {}, most=MAX_BYTES)
        if reply.status != 200:
            raise RegistryError(
                Code.INCONSISTENT_ANSWER, f"A config's URL answers with status {reply.status}."
            )
        if len(reply.content) > MAX_BYTES:
            raise RegistryError(
                Code.INCONSISTENT_ANSWER, f"A config has more than {MAX_BYTES:,} bytes."
            )
        return reply.content


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
