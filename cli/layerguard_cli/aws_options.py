"""The options that say as whom ECR is asked, shared by the commands that judge images."""

from __future__ import annotations

import argparse
from urllib.parse import urlsplit

from layerguard.identity import ORDINARY, AssumedRole, Identity


def add_identity_options(parser: argparse.ArgumentParser, *, otherwise: str) -> None:
    """Add the options to ``parser``; ``otherwise`` says as whom is asked without them.

    There is none for a region: each reference has its own.
    """
    group = parser.add_argument_group("identity", f"As whom to ask; without these {otherwise}.")
    group.add_argument(
        "--profile",
        type=_text,
        metavar="NAME",
        help="the profile of the AWS configuration to ask with",
    )
    group.add_argument(
        "--role-arn",
        type=_role,
        metavar="ARN",
        help="the role to assume, from the profile or the ordinary chain, and to ask as",
    )
    group.add_argument(
        "--external-id",
        type=_text,
        metavar="ID",
        help="the external ID that the role asks for; only with --role-arn",
    )
    group.add_argument("--endpoint-url", type=_url, metavar="URL", help="ask ECR at this URL")


def identity_of(arguments: argparse.Namespace) -> Identity:
    """Return the identity that the options say.

    Raises argparse.ArgumentTypeError for an external ID without a role.
    """
    if arguments.external_id and not arguments.role_arn:
        raise argparse.ArgumentTypeError("argument --external-id: only with --role-arn")
    role = AssumedRole(arguments.role_arn, arguments.external_id) if arguments.role_arn else None
    said = Identity(
        profile=arguments.profile,
        roles=(role,) if role else (),
        ecr_endpoint=arguments.endpoint_url,
    )
    return ORDINARY if said == ORDINARY else said


def _text(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("an empty text says nothing")
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
        raise argparse.ArgumentTypeError(f"{text!r} is not a URL that begins with http or https")
    return text
