"""The principals of a sandbox: users, roles and sessions, their keys, and which may assume which.

    keys = ecr.principals.add_user("123456789012", "deployer")
    role = ecr.principals.add_role("210987654321", "reader", trusts=[keys.arn], external_id="7")

Every request is authenticated against these (AWS Signature Version 4). What AWS leaves open is the
stand-in's choice: a role without `trusts` may be assumed by any principal.
"""

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from itertools import count
from threading import Lock
from typing import Final

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.core.request import Request as HttpRequest

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/,\s]+)/[^/]+/(?P<region>[^/]+)/(?P<service>[^/]+)/"
    r"aws4_request, *SignedHeaders=(?P<headers>[^,\s]+), *Signature=(?P<signature>[0-9a-f]+)"
)
_ARN = re.compile(r"arn:aws[a-z-]*:iam::(?P<account>[0-9]{12}):role/(?P<name>.+)")
_DEFAULT_SECONDS: Final = 3600


class Refused(Exception):
    """A request of an unknown principal, or one to STS that the principal is not allowed."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Keys:
    """The credentials of a principal: its own, or those of a session, with a token."""

    arn: str
    access_key: str
    secret_key: str
    token: str | None = None
    expires: datetime | None = None

    @property
    def account(self) -> str:
        """The account that the principal belongs to."""
        return self.arn.split(":")[4]


@dataclass(frozen=True, slots=True)
class Role:
    """A role: the ARNs that may assume it, and its conditions; `token` is of a web identity."""

    arn: str
    trusts: tuple[str, ...] = ()
    external_id: str | None = None
    token: str | None = field(default=None, repr=False)


class Principals:
    """The users, roles and sessions of one sandbox. Safe to use from many threads."""

    def __init__(self, first: Keys) -> None:
        self._lock = Lock()
        self._keys = {first.access_key: first}
        self._roles: dict[str, Role] = {}
        self._expired: set[str] = set()
        self._numbers = count(1)

    def add_user(self, account: str, name: str) -> Keys:
        """Return the keys of a new user; the same names give the same keys."""
        return self._add(f"arn:aws:iam::{account}:user/{name}", f"{account}/{name}")

    def add_role(
        self,
        account: str,
        name: str,
        *,
        trusts: Collection[str] = (),
        external_id: str | None = None,
        token: str | None = None,
    ) -> str:
        """Add a role; return its ARN.

        `trusts` are ARNs of users, roles and sessions that may assume it.
        """
        role = Role(f"arn:aws:iam::{account}:role/{name}", tuple(trusts), external_id, token)
        with self._lock:
            self._roles[role.arn] = role
        return role.arn

    def expire_sessions(self) -> None:
        """Expire every session that STS gave out so far."""
        with self._lock:
            self._expired |= {each.access_key for each in self._keys.values() if each.token}

    def signer(self, request: HttpRequest) -> Keys:
        """Return the keys that signed a request; raise Refused where they are unknown or wrong."""
        parts = _AUTHORIZATION.fullmatch(request.headers.get("Authorization", "").strip())
        if parts is None:
            raise Refused("MissingAuthenticationTokenException", "Missing Authentication Token")
        with self._lock:
            keys = self._keys.get(parts["key"])
            expired = parts["key"] in self._expired
        if keys is None or (keys.token or "") != request.headers.get("X-Amz-Security-Token", ""):
            raise Refused(
                "UnrecognizedClientException",
                "The security token included in the request is invalid.",
            )
        if expired:
            raise Refused(
                "ExpiredTokenException", "The security token included in the request is expired"
            )
        signature, canonical = _signature(request, parts, keys)
        if parts["signature"] != signature:
            # AWS repeats the request, session token included.
            raise Refused(
                "InvalidSignatureException",
                "The request signature we calculated does not match the signature you provided. "
                f"The Canonical String for this request should have been\n'{canonical}'",
            )
        return keys

    def assume(self, caller: Keys, form: Mapping[str, str]) -> Keys:
        """Answer AssumeRole; raise Refused where the role does not trust the caller."""
        arn = form.get("RoleArn", "")
        with self._lock:
            role = self._roles.get(arn)
        if role is None:  # AWS does not reveal that there is none
            raise _not_authorized(caller.arn, arn)
        trusted = not role.trusts or _as_trusted(caller.arn) & set(role.trusts)
        if role.token or not trusted or role.external_id != form.get("ExternalId"):
            raise _not_authorized(caller.arn, role.arn)
        return self._session(role, form)

    def assume_with_token(self, form: Mapping[str, str]) -> Keys:
        """Answer AssumeRoleWithWebIdentity, which is not signed."""
        with self._lock:
            role = self._roles.get(form.get("RoleArn", ""))
        if role is None or role.token is None:
            raise Refused("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
        if role.token != form.get("WebIdentityToken"):
            raise Refused("InvalidIdentityToken", "The token is not one that the role trusts")
        return self._session(role, form)

    def _session(self, role: Role, form: Mapping[str, str]) -> Keys:
        match = _ARN.fullmatch(role.arn)
        if match is None:
            raise ValueError(f"'{role.arn}' is not the ARN of a role")
        session = form["RoleSessionName"]
        arn = f"arn:aws:sts::{match['account']}:assumed-role/{match['name']}/{session}"
        lasts = timedelta(seconds=int(form.get("DurationSeconds") or _DEFAULT_SECONDS))
        return self._add(arn, f"{arn} {next(self._numbers)}", datetime.now(timezone.utc) + lasts)

    def _add(self, arn: str, seed: str, expires: datetime | None = None) -> Keys:
        chance = hashlib.sha256(seed.encode()).hexdigest()
        keys = Keys(
            arn,
            f"{'ASIA' if expires else 'AKIA'}{chance[:16].upper()}",
            f"secret-{chance[16:48]}",
            f"token-{chance[48:]}" if expires else None,
            expires,
        )
        with self._lock:
            self._keys[keys.access_key] = keys
        return keys


def _signature(request: HttpRequest, parts: re.Match[str], keys: Keys) -> tuple[str, str]:
    """Return the signature of the request with these keys, and the canonical request."""
    names = [name for name in parts["headers"].split(";") if name != "host"]
    signed = AWSRequest(
        request.method,
        request.url,
        {name: request.headers[name] for name in names},
        request.data,
    )
    signed.context["timestamp"] = request.headers["X-Amz-Date"]
    auth = SigV4Auth(
        Credentials(keys.access_key, keys.secret_key), parts["service"], parts["region"]
    )
    canonical = auth.canonical_request(signed)
    return str(auth.signature(auth.string_to_sign(signed, canonical), signed)), str(canonical)


def _as_trusted(arn: str) -> set[str]:
    """Return the ARNs under which a trust policy may name a principal: a session is its role."""
    match = re.fullmatch(r"(arn:aws[a-z-]*):sts::([0-9]{12}):assumed-role/(.+)/[^/]+", arn)
    return {arn} | ({f"{match[1]}:iam::{match[2]}:role/{match[3]}"} if match else set())


def _not_authorized(caller: str, role: str) -> Refused:
    return Refused(
        "AccessDenied",
        f"User: {caller} is not authorized to perform: sts:AssumeRole on resource: {role}",
    )
