"""The options that ``check`` and ``audit`` share: the gate's configuration, limits, credentials."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from layerguard.checking.limits import Limits
from layerguard.errors import PlatformInvalid
from layerguard.identity import ORDINARY, AssumedRole, Identity, without_credentials
from layerguard.platform import Platform
from layerguard.settings import DEFAULT_ACCOUNT, RuleLevel, Settings

if TYPE_CHECKING:
    from layerguard.checking.backend import CheckBackend
    from layerguard.checking.checker import Checker


def add_platform_options(parser: argparse.ArgumentParser, *, one: str, every: str) -> None:
    """Add the two options, of which one may be given; ``one`` and ``every`` are their help."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--platform", type=_platform, metavar="OS/ARCHITECTURE", help=one)
    group.add_argument("--all-platforms", action="store_true", help=every)


def add_gate_options(parser: argparse.ArgumentParser) -> None:
    """Add the gate's configuration, and how long ECR may take; ``settings_of`` reads them."""
    defaults = Limits()
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="the configuration of the gates, as pulumi takes it with --policy-pack-config, whose "
        "exemptions, identities and rules then count here too; other options win over it",
    )
    parser.add_argument(
        "--timeout",
        type=_seconds,
        metavar="SECONDS",
        help=f"the time for one image, retries included (default: {defaults.image:g})",
    )
    parser.add_argument(
        "--total-timeout",
        type=_seconds,
        metavar="SECONDS",
        help=f"the time for all images together (default: {defaults.total:g})",
    )


def add_log_option(parser: argparse.ArgumentParser) -> None:
    """Add the option for a log, which ``main`` reads."""
    parser.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="log every step and every call to ECR on standard error; LAYERGUARD_LOG=debug:FILE "
        "logs to a file",
    )


def settings_of(arguments: argparse.Namespace) -> Settings:
    """Return the settings in the configuration file, with those of the other options in them.

    The user's own endpoint is trusted. Raises argparse.ArgumentTypeError for a file that is no
    configuration, and for options that make no sense together.
    """
    from layerguard_cli.gate_configuration import settings_in

    identity = identity_of(arguments)
    settings = settings_in(arguments.config) if arguments.config else Settings()
    own: dict[str, Any] = {}
    if identity != ORDINARY:
        own["identities"] = {DEFAULT_ACCOUNT: identity}
    if arguments.endpoint_url:
        own["trusted_endpoints"] = (*settings.trusted_endpoints, arguments.endpoint_url)
    if arguments.all_platforms:
        own["platform_rules"] = RuleLevel.OFF
    if arguments.timeout is not None:
        own["timeout_seconds"] = arguments.timeout
    if arguments.total_timeout is not None:
        own["total_timeout_seconds"] = arguments.total_timeout
    return replace(settings, **own)


@contextmanager
def checker_of(settings: Settings, *, lean: bool = False) -> Iterator[Checker]:
    """Yield a checker that asks ECR within the limits in ``settings``.

    Where ``lean``, the verdict on an available image does not list its layers.
    """
    from layerguard.checking.checker import Checker
    from layerguard.checking.in_process_backend import InProcessBackend
    from layerguard.registry.clients import OrdinaryChain
    from layerguard.registry.ecr import Ecr

    limits = Limits(
        settings.timeout_seconds,
        settings.total_timeout_seconds,
        settings.wait_seconds,
        settings.concurrency,
    )
    backend: CheckBackend = InProcessBackend(Ecr(OrdinaryChain()), settings.concurrency)
    if lean:
        from layerguard_cli.audit.lean_backend import LeanBackend

        backend = LeanBackend(backend)
    with closing(Checker(backend)) as checker:
        checker.limit(limits, settings.pull_through_cache_prefixes)
        yield checker


def add_identity_options(parser: argparse.ArgumentParser, *, otherwise: str) -> None:
    """Add the options for AWS credentials; ``otherwise`` names those that are used without them.

    There is none for a region: each reference has its own. ``identity_of`` reads them.
    """
    group = parser.add_argument_group(
        "identity", f"The AWS credentials to ask ECR with; without these {otherwise}."
    )
    group.add_argument(
        "--profile", type=_text, metavar="NAME", help="the profile of the AWS configuration"
    )
    group.add_argument(
        "--role-arn",
        type=_role,
        metavar="ARN",
        help="the role to assume, from the profile or boto3's default credential chain",
    )
    group.add_argument(
        "--external-id",
        type=_text,
        metavar="ID",
        help="the external ID that the role requires; only with --role-arn",
    )
    group.add_argument("--endpoint-url", type=_url, metavar="URL", help="ask ECR at this URL")


def identity_of(arguments: argparse.Namespace) -> Identity:
    """Return the identity in the options.

    Raises argparse.ArgumentTypeError for an external ID without a role.
    """
    if arguments.external_id and not arguments.role_arn:
        raise argparse.ArgumentTypeError("argument --external-id: only with --role-arn")
    role = AssumedRole(arguments.role_arn, arguments.external_id) if arguments.role_arn else None
    identity = Identity(
        profile=arguments.profile,
        roles=(role,) if role else (),
        ecr_endpoint=arguments.endpoint_url,
    )
    return ORDINARY if identity == ORDINARY else identity


def _platform(text: str) -> Platform:
    try:
        return Platform.parse(text)
    except PlatformInvalid as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return seconds


def _text(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("the text is empty")
    return text


def _role(text: str) -> str:
    """Source: AWS IAM user guide, "IAM ARNs"."""
    parts = text.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or parts[2] != "iam" or parts[5][:5] != "role/":
        raise argparse.ArgumentTypeError(
            f"{text!r} is not the ARN of a role, such as arn:aws:iam::123456789012:role/checker"
        )
    return text


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise argparse.ArgumentTypeError(
            f"{without_credentials(text)!r} is not a URL that begins with http or https"
        )
    return text
