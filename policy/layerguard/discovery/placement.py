"""Where a resource is made: the account and the region, as far as its inputs say."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from layerguard.discovery.tree import Tree, member

_ROLE = re.compile(r"arn:[a-z-]+:iam::(?P<account>[0-9]{12}):role/.+", re.ASCII)
_REGION_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")


@dataclass(frozen=True, slots=True)
class Placement:
    """The account and the region of a resource; None where they are not known."""

    account: str | None = None
    region: str | None = None

    def of(self, inputs: Tree) -> Placement:
        """Return the placement of a resource with ``inputs``, whose own region wins."""
        own = member(inputs, "region")
        return Placement(self.account, own) if isinstance(own, str) and own else self


NOWHERE = Placement()
"""Where a resource is made of which nothing is known."""


def placement(provider: Tree, environment: Mapping[str, str]) -> Placement:
    """Return where a provider with the inputs ``provider`` makes its resources.

    Nested inputs of a provider arrive as JSON text. What the provider does not say comes from
    ``environment``, except the account: credentials tell it to AWS alone.
    """
    region = member(provider, "region")
    from_environment = (environment.get(name) for name in _REGION_VARIABLES)
    roles = [
        account_of_role(member(role, "roleArn") or member(role, "role_arn"))
        for key in ("assumeRoles", "assumeRole")
        for role in _list(member(provider, key))
    ]
    allowed = _list(member(provider, "allowedAccountIds"))
    accounts = roles[-1:] or (allowed if len(allowed) == 1 else [])
    return Placement(
        next((each for each in accounts if isinstance(each, str)), None),
        region
        if isinstance(region, str) and region
        else next(filter(None, from_environment), None),
    )


def account_of_role(arn: Tree) -> str | None:
    """Return the account in the ARN of an IAM role; None in anything else."""
    match = _ROLE.fullmatch(arn) if isinstance(arn, str) else None
    return match["account"] if match else None


def _list(value: Tree) -> list[Tree]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return []
    if isinstance(value, list):
        return value
    return [] if value is None else [value]
