"""botocore sessions for an identity: its profile, files, keys and roles."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from layerguard.identity import AssumedRole, Identity, WebIdentity

_SESSION_NAME = "layerguard"
_DEFAULT_PROFILE = "default"
_PROCESS_PROVIDER = "custom-process"
_ENDPOINT_VARIABLES = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_ECR")


def make_session(identity: Identity) -> Any:
    """Return a session with the profile and files of ``identity``; it asks no service."""
    import botocore.session

    session = botocore.session.Session(profile=identity.profile)
    for variable, files in (
        ("config_file", identity.config_files),
        ("credentials_file", identity.credentials_files),
    ):
        if files:
            session.set_config_variable(variable, _deciding(files, identity.profile))
    return session


def load_credentials(
    session: Any, identity: Identity, region: str, popen: Callable[..., Any]
) -> Any:
    """Return botocore's credentials for ``identity``.

    May start a credential process, with ``popen``, and ask services. Roles are assumed when the
    credentials are read. Raises botocore's errors.
    """
    from botocore.credentials import Credentials
    from botocore.exceptions import NoCredentialsError

    sts = _StsClients(session, identity.region or region, identity.sts_endpoint)
    if identity.web_identity:
        credentials = _with_token(sts, identity.web_identity)
    elif identity.keys:
        keys = identity.keys
        credentials = Credentials(keys.access_key, keys.secret_key, keys.token)
    else:
        credentials = _chain(session, identity, popen).load_credentials()
    if credentials is None:
        raise NoCredentialsError
    for role in identity.roles:
        credentials = _assumed(sts, credentials, role)
    return credentials


def endpoint_of_files(session: Any, identity: Identity, region: str) -> str | None:
    """Return ECR's endpoint where files that ``identity`` names may have set it, None otherwise.

    Environment variables and the endpoint of the identity itself take precedence over files.
    """
    has_files = identity.config_files or identity.credentials_files
    if not has_files or identity.ecr_endpoint or any(map(os.environ.get, _ENDPOINT_VARIABLES)):
        return None
    # With keys, since a client without them would resolve credentials.
    unused = {"aws_access_key_id": "unused", "aws_secret_access_key": "unused"}
    client = session.create_client("ecr", region_name=region, **unused)
    return str(client.meta.endpoint_url)


def _chain(session: Any, identity: Identity, popen: Callable[..., Any]) -> Any:
    """Return the providers of credentials that botocore asks one after the other."""
    from botocore.credentials import ProcessProvider

    chain = session.get_component("credential_provider")
    if identity.skip_instance_metadata:
        chain.remove("iam-role")
    profile = session.get_config_variable("profile") or _DEFAULT_PROFILE
    process = ProcessProvider(profile, lambda: session.full_config, popen)
    chain.insert_after(_PROCESS_PROVIDER, process)
    chain.remove(_PROCESS_PROVIDER)  # the first of this name
    return chain


def _deciding(files: Sequence[str], profile: str | None) -> str:
    """Return the last of ``files`` that has the profile: botocore reads one file of each kind.

    Settings of the profile in the other files are ignored.
    """
    from botocore.configloader import raw_config_parse
    from botocore.exceptions import ConfigNotFound

    name = profile or _DEFAULT_PROFILE
    # Sections of a config file begin with "profile", those of a credentials file do not.
    sections = {name, f"profile {name}", f'profile "{name}"'}
    for file in reversed(files):
        with suppress(ConfigNotFound):
            if sections & raw_config_parse(file).keys():
                return file
    return files[-1]


class _StsClients:
    """What botocore's fetchers call for a client of STS."""

    def __init__(self, session: Any, region: str, endpoint: str | None) -> None:
        self._session, self._region, self._endpoint = session, region, endpoint

    def __call__(self, service: str, **options: Any) -> Any:
        return self._session.create_client(
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
        sts, source, role.arn, extra_args=_arguments(role) | _present(extra)
    )
    return DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")


def _arguments(role: AssumedRole | WebIdentity) -> dict[str, Any]:
    return _present(
        {
            "RoleSessionName": role.session_name or _SESSION_NAME,
            "DurationSeconds": role.duration_seconds,
            "Policy": role.policy,
            "PolicyArns": [{"arn": arn} for arn in role.policy_arns],
        }
    )


def _present(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value}
