"""The sandbox's ECR as an HTTP server on 127.0.0.1, for as long as a `with` block lasts."""

import logging
import os
from collections.abc import Mapping
from http import HTTPStatus

from moto.core.request import Request as HttpRequest

from layerguard_sandbox.ecr import downloads
from layerguard_sandbox.ecr.faults import ConnectionCut, CutShort, Faults, Reply, refusal
from layerguard_sandbox.ecr.http_server import HttpServer
from layerguard_sandbox.ecr.journal import Journal, Request
from layerguard_sandbox.ecr.principals import Keys, Principals, Refused
from layerguard_sandbox.ecr.registry import Registry
from layerguard_sandbox.ecr.responses import (
    EcrResponse,
    Registries,
    credential_scope,
    unknown_operation,
)
from layerguard_sandbox.ecr.sts import OPERATIONS as STS_OPERATIONS
from layerguard_sandbox.ecr.sts import Sts

_log = logging.getLogger(__name__)

_OWN = Keys(
    "arn:aws:sts::123456789012:assumed-role/sandbox/session",
    "AKIALAYERGUARDSANDBX",
    "no-secret-but-the-sandboxs-own",
)


class SandboxEcr:
    """A local ECR that starts empty, shares nothing, and is gone when its `with` block ends.

    `faults` are those of ECR and of its downloads, `sts_faults` those of STS (which roles may
    be assumed is decided by `principals`). It listens at `port` of 127.0.0.1, or at one that the
    system chooses. Raises OSError where the port is taken or not allowed.
    """

    def __init__(self, region: str = "eu-west-1", port: int = 0) -> None:
        self.faults, self.sts_faults = Faults(), Faults()
        self.principals = Principals(_OWN)
        self._region = region
        self._journal = Journal()
        self._registries = Registries()
        self._sts = Sts(self.principals, self.sts_faults)
        service = _Service(self._registries, self.faults, self._journal, self.principals, self._sts)
        self._server = HttpServer(service.reply, port)

    def __enter__(self) -> "SandboxEcr":
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.faults.end()
        self.sts_faults.end()
        self._server.stop()

    @property
    def keys(self) -> Keys:
        """The keys in the `environment`."""
        return _OWN

    @property
    def endpoint(self) -> str:
        """The URL of the server."""
        return self._server.url

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that send an AWS SDK here, and nowhere else."""
        return {
            "AWS_ENDPOINT_URL_ECR": self.endpoint,
            "AWS_ENDPOINT_URL_STS": self.endpoint,
            "AWS_ACCESS_KEY_ID": _OWN.access_key,
            "AWS_SECRET_ACCESS_KEY": _OWN.secret_key,
            "AWS_REGION": self._region,
            "AWS_DEFAULT_REGION": self._region,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }

    def isolate(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return `environment` without the user's own AWS variables, and with the sandbox's."""
        others = {key: value for key, value in environment.items() if not key.startswith("AWS_")}
        return {**others, **self.environment}

    @property
    def requests(self) -> tuple[Request, ...]:
        """The requests since the start or since `clear_requests`, those refused included.

        To ECR, and to the URLs that it gives for downloads.
        """
        return self._journal.requests()

    @property
    def sts_requests(self) -> tuple[Mapping[str, str], ...]:
        """The requests to STS since then, those refused included: the parameters of each.

        `Action` is the operation.
        """
        return tuple(self._sts.requests)

    def clear_requests(self) -> None:
        """Forget the requests."""
        self._journal.clear()
        self._sts.requests.clear()

    def registry(self, account: str, region: str) -> Registry:
        """Return the registry of `account` in `region`, to fill or damage it."""
        return Registry(self._registries, account, region)


class _Service:
    """ECR with its downloads, and the sessions of STS; everything else is refused by name.

    This is where moto's backend is swapped: its own servers look an ECR backend up in a table of
    the whole process, this one hands each request the registries of its sandbox.
    """

    def __init__(
        self,
        registries: Registries,
        faults: Faults,
        journal: Journal,
        principals: Principals,
        sts: Sts,
    ) -> None:
        self._registries, self._faults, self._journal = registries, faults, journal
        self._principals, self._sts = principals, sts

    def reply(self, request: HttpRequest) -> Reply:
        """Answer any request; raise ConnectionCut or CutShort where a fault says so."""
        request.get_data()  # reading a form first would leave nothing of the body that was signed
        _, _, service = credential_scope(request.headers.get("Authorization", ""))
        target = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
        operation = target or request.form.get("Action") or f"{request.method} {request.path}"
        try:
            if operation == f"GET {downloads.PATH}":
                return self._download(request)
            if service == "ecr" and target:
                return self._ask_ecr(request)
            if service in ("sts", "") and operation in STS_OPERATIONS:
                return self._sts.reply(request, operation)
        except (ConnectionCut, CutShort):
            raise
        except Exception as error:
            _log.exception("the sandbox could not answer %s:%s", service, operation)
            return refusal(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                "ServerException",
                f"a bug in the sandbox: {error!r}",
            )
        return unknown_operation(service or "unsigned", operation, is_json=bool(target))

    def _ask_ecr(self, request: HttpRequest) -> Reply:
        try:
            caller = self._principals.signer(request)
        except Refused as error:
            return refusal(HTTPStatus.BAD_REQUEST, error.code, str(error))
        return EcrResponse(self._registries, self._faults, self._journal, caller).reply(request)

    def _download(self, request: HttpRequest) -> Reply:
        place = request.args
        backend = self._registries.backend(place.get("account", ""), place.get("region", ""))
        return downloads.Downloads(self._faults, self._journal).reply(request, backend)
