"""The identity that asks ECR: the principal whose permissions decide what can be known."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

# Every parser ends the authority of a URL at one of these characters, or refuses the URL.
_URL = re.compile(
    r"([a-z][a-z0-9+.-]*://)(?:[^/?#\\]*@)?([^/?#\\@]*(?:/[^?#\\@]*)?)(?:[?#][^@]*)?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class StaticKeys:
    """An access key. No part of it is ever in a text that is made of it."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class AssumedRole:
    """A role to assume. Source: AWS STS API reference, "AssumeRole"."""

    arn: str
    external_id: str | None = field(default=None, repr=False)
    session_name: str | None = None
    duration_seconds: int | None = None
    policy: str | None = None
    policy_arns: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    transitive_tag_keys: tuple[str, ...] = ()
    source_identity: str | None = None


@dataclass(frozen=True, slots=True)
class WebIdentity:
    """A role to assume with a token. Source: AWS STS API reference, "AssumeRoleWithWebIdentity"."""

    arn: str
    token: str | None = field(default=None, repr=False)
    token_file: str | None = None
    session_name: str | None = None
    duration_seconds: int | None = None
    policy: str | None = None
    policy_arns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Identity:
    """The principal that asks, and its endpoints; what is left out is boto3's ordinary chain.

    ``roles`` are assumed one from the other, in their order, after everything else.
    ``region`` is where STS is asked; ECR is always asked in the image's own region. ``hidden`` are
    other texts in it that Pulumi keeps as secrets, such as a profile's name.
    """

    profile: str | None = None
    config_files: tuple[str, ...] = ()
    credentials_files: tuple[str, ...] = ()
    keys: StaticKeys | None = None
    web_identity: WebIdentity | None = None
    roles: tuple[AssumedRole, ...] = ()
    region: str | None = None
    ecr_endpoint: str | None = None
    sts_endpoint: str | None = None
    use_fips: bool | None = None
    use_dual_stack: bool | None = None
    skip_instance_metadata: bool = False
    hidden: tuple[str, ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        """Return what it asks as, without any text that is a secret."""
        keys, web = self.keys, self.web_identity
        first = "static keys" if keys else f"the web identity of {web.arn}" if web else ""
        profile = f"the profile {self.profile}" if self.profile else ""
        files = ", ".join((*self.config_files, *self.credentials_files))
        first = first or profile or "the default credential chain"
        roles = "".join(f" and the role {role.arn}" for role in self.roles)
        shown = f"{first}, the files {files}{roles}" if files else f"{first}{roles}"
        for secret in self.hidden:
            shown = shown.replace(secret, "***")
        return shown

    @property
    def secrets(self) -> tuple[str | None, ...]:
        """Its keys, tokens and external IDs."""
        keys, web = self.keys, self.web_identity
        return (
            *((keys.access_key, keys.secret_key, keys.token) if keys else ()),
            *((web.token,) if web else ()),
            *(role.external_id for role in self.roles),
            *sorted(self.hidden, key=len, reverse=True),
        )


ORDINARY = Identity()
"""boto3's ordinary chain: environment variables, profiles, roles of the machine."""


def without_credentials(url: str) -> str:
    """Return ``url`` without the user, the password and the query that may stand in it.

    In a text that is no URL, anything before an ``@`` may be a password.
    """
    if found := _URL.fullmatch(url):
        return found[1] + found[2]
    return f"***@{url.rpartition('@')[2]}" if "@" in url else url
