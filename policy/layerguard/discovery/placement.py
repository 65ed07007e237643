"""Where a resource is made: the account and the region, as far as its inputs say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from layerguard.discovery.provider_inputs import elements_of
from layerguard.discovery.tree import Tree, member, text_of

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


def placement_of(provider: Tree, environment: Mapping[str, str]) -> Placement:
    """Return where a provider with the inputs ``provider`` makes its resources.

    Nested inputs of a provider arrive as JSON text. What the provider does not say comes from
    ``environment``, except the account: only AWS knows which one credentials belong to.
    """
    return Placement(_account(provider), _region(provider, environment))


def _account(provider: Tree) -> str | None:
    """Return the account of the last role that the provider assumes, or the only one allowed."""
    roles = [*elements_of(provider, "assumeRoles"), *elements_of(provider, "assumeRole")]
    if roles:
        return account_of_role(member(roles[-1], "roleArn") or member(roles[-1], "role_arn"))
    allowed = elements_of(provider, "allowedAccountIds")
    only = allowed[0] if len(allowed) == 1 else None
    return only if isinstance(only, str) else None


def _region(provider: Tree, environment: Mapping[str, str]) -> str | None:
    region = member(provider, "region")
    if isinstance(region, str) and region:
        return region
    return next(filter(None, map(environment.get, _REGION_VARIABLES)), None)


def account_of_role(arn: Tree) -> str | None:
    """Return the account in the ARN of an IAM role; None for any other value."""
    match = _ROLE.fullmatch(arn) if isinstance(arn, str) else None
    return text_of(match["account"], arn) if match else None
