"""Access denied messages of AWS, and the policy change that each asks for."""

from __future__ import annotations

from typing import Any

import pytest
from layerguard.reference import Repository
from layerguard.registry.denial import Denial, Side

WEB = Repository("123456789012", "eu-west-1", "shop/web")
WEB_ARN = "arn:aws:ecr:eu-west-1:123456789012:repository/shop/web"
SESSION = "arn:aws:sts::210987654321:assumed-role/deploy/layerguard"
USER = "arn:aws:iam::123456789012:user/ci"
ROLE = "arn:aws:iam::123456789012:role/reader"
START = (
    f"ECR says AccessDeniedException: User: {SESSION} is not authorized to perform: "
    f"ecr:BatchGetImage on resource: {WEB_ARN} because "
)
STATEMENT = (
    '{"Effect": "Allow", "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", '
    '"ecr:DescribeImages"], '
)
ON_WEB = f'{STATEMENT}"Resource": "{WEB_ARN}"}}'
TRUSTED = (
    '{"Effect": "Allow", "Action": ["sts:AssumeRole"], '
    '"Principal": {"AWS": "arn:aws:iam::210987654321:role/deploy"}}'
)
MAY_ASSUME = f'{{"Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": "{ROLE}"}}'
CONDITIONS = (
    "; where the trust policy has conditions, such as an external ID, what the provider or the "
    "configuration gives must meet them"
)


@pytest.mark.parametrize(
    ("reason", "side", "explicit"),
    [
        ("no identity-based policy allows the ecr:BatchGetImage action",  Side.IDENTITY,                  False),
        ("no resource-based policy allows the ecr:BatchGetImage action",  Side.RESOURCE,                  False),
        ("no session policy allows the ecr:BatchGetImage action",         Side.SESSION,                   False),
        ("no permissions boundary allows the ecr:BatchGetImage action",   Side.BOUNDARY,                  False),
        ("no VPC endpoint policy allows the ecr:BatchGetImage action",    Side.ENDPOINT,                  False),
        ("with an explicit deny in a service control policy",             Side.ORGANIZATION,              True),
        ("with an explicit deny in a resource control policy",            Side.RESOURCES_OF_ORGANIZATION, True),
        ("with an explicit deny in an identity-based policy",             Side.IDENTITY,                  True),
    ],
)  # fmt: skip
def test_a_denial_has_the_action_the_caller_the_resource_and_the_side(
    reason: str, side: Side, *, explicit: bool
) -> None:
    assert Denial.parse(START + reason) == Denial(
        "ecr:BatchGetImage", SESSION, WEB_ARN, side, explicit
    )


def test_what_a_message_does_not_name_is_none() -> None:
    assert Denial.parse("Denied.") == Denial(None, None, None, Side.EITHER, explicit=False)
    of_sts = "Not authorized to perform sts:AssumeRoleWithWebIdentity."
    assert Denial.parse(of_sts) == Denial(
        "sts:AssumeRoleWithWebIdentity", None, None, Side.EITHER, explicit=False
    )


def denial(
    side: Side,
    action: str | None = "ecr:BatchGetImage",
    caller: str | None = SESSION,
    *,
    resource: str | None = WEB_ARN,
    explicit: bool = False,
) -> Denial:
    return Denial(action, caller, resource, side, explicit)


def step(side: Side, *parts: str | None, **more: Any) -> str:
    return denial(side, *parts, **more).next_step(WEB)


@pytest.mark.parametrize(
    ("side", "expected"),
    [
        (Side.RESOURCE,     f'add to the repository policy of shop/web (account 123456789012, eu-west-1): {STATEMENT}"Principal": {{"AWS": "arn:aws:iam::210987654321:role/deploy"}}}}'),
        (Side.IDENTITY,     f"add to the identity policy of {SESSION}: {ON_WEB}; and the repository policy of shop/web (account 123456789012, eu-west-1) must allow it too"),
        (Side.BOUNDARY,     f"allow it in the permissions boundary of {SESSION}: {ON_WEB}"),
        (Side.SESSION,      f"allow it in the session policy with which {SESSION} was assumed: {ON_WEB}"),
        (Side.ORGANIZATION, f"allow it in the service control policy of the organization of {SESSION}: {ON_WEB}"),
        (Side.ENDPOINT,     "allow it in the policy of the VPC endpoint that the request goes through: " + ON_WEB),
    ],
)  # fmt: skip
def test_the_statement_to_add_goes_to_the_side_that_refuses(side: Side, expected: str) -> None:
    assert step(side) == expected


def test_a_repository_of_the_callers_own_account_needs_no_policy_of_its_own() -> None:
    assert step(Side.IDENTITY, caller=USER) == f"add to the identity policy of {USER}: {ON_WEB}"


def test_the_caller_may_be_given_where_the_message_does_not_name_it() -> None:
    unnamed = denial(Side.EITHER, caller=None)
    assert unnamed.next_step(WEB, USER) == step(Side.EITHER, caller=USER)
    assert denial(Side.EITHER).next_step(WEB, USER) == step(Side.EITHER)


def test_without_any_part_the_next_step_names_everything_that_may_be_missing() -> None:
    assert step(Side.EITHER, None, None, resource=None) == (
        f"add to the identity policy of the principal that runs Pulumi: {ON_WEB}; for a repository "
        "of another account its repository policy must allow it too (the pull-only policy that AWS "
        "manages lacks ecr:BatchCheckLayerAvailability)"
    )


def test_the_pull_only_policy_is_mentioned_only_where_it_lacks_the_action() -> None:
    layers = step(Side.IDENTITY, "ecr:BatchCheckLayerAvailability", USER)
    assert layers.endswith(
        "(the pull-only policy that AWS manages lacks ecr:BatchCheckLayerAvailability)"
    )
    assert "pull-only" not in step(Side.IDENTITY, "ecr:BatchGetImage", USER)


def test_an_action_that_is_missing_beside_the_known_ones_is_added() -> None:
    assert step(Side.IDENTITY, "ecr:BatchImportUpstreamImage", USER) == (
        f"add to the identity policy of {USER}: "
        + ON_WEB.replace("DescribeImages", 'DescribeImages", "ecr:BatchImportUpstreamImage')
    )
    key = "arn:aws:kms:eu-west-1:123456789012:key/1"
    assert step(Side.IDENTITY, "kms:Decrypt", USER, resource=key) == (
        f"add to the identity policy of {USER}: "
        f'{{"Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": "{key}"}}'
    )


@pytest.mark.parametrize(
    ("side", "where"),
    [
        (Side.IDENTITY, f"the identity policy of {SESSION}"),
        (Side.RESOURCE, "the repository policy of shop/web (account 123456789012, eu-west-1)"),
        (Side.ORGANIZATION, f"the service control policy of the organization of {SESSION}"),
        (
            Side.RESOURCES_OF_ORGANIZATION,
            "the resource control policy of the organization that owns it",
        ),
        (Side.EITHER, "a policy that applies"),
    ],
)
def test_an_explicit_deny_must_go(side: Side, where: str) -> None:
    assert step(side, explicit=True) == f"remove the explicit deny of ecr:BatchGetImage in {where}."


@pytest.mark.parametrize(
    ("side", "expected"),
    [
        (Side.EITHER,   f"add to the trust policy of {ROLE}: {TRUSTED}; and add to the identity policy of {SESSION}: {MAY_ASSUME}{CONDITIONS}"),
        (Side.RESOURCE, f"add to the trust policy of {ROLE}: {TRUSTED}{CONDITIONS}"),
        (Side.IDENTITY, f"add to the identity policy of {SESSION}: {MAY_ASSUME}; and the trust policy of {ROLE} must allow it too"),
        (Side.BOUNDARY, f"allow it in the permissions boundary of {SESSION}: {MAY_ASSUME}"),
    ],
)  # fmt: skip
def test_a_denied_role_needs_policies_of_the_role_and_the_caller_and_none_of_the_repository(
    side: Side, expected: str
) -> None:
    assert denial(side, "sts:AssumeRole", resource=ROLE).next_step_for_role() == expected


def test_an_explicit_deny_of_a_role_is_in_its_trust_policy() -> None:
    denied = denial(Side.RESOURCE, "sts:AssumeRole", resource=ROLE, explicit=True)
    assert denied.next_step_for_role() == (
        f"remove the explicit deny of sts:AssumeRole in the trust policy of {ROLE}."
    )


def test_a_role_that_does_not_trust_a_token_must_trust_its_issuer() -> None:
    action = "sts:AssumeRoleWithWebIdentity"
    assert denial(Side.EITHER, action, None, resource=None).next_step_for_role(ROLE) == (
        f"let the role trust the token: add to the trust policy of {ROLE}: "
        f'{{"Effect": "Allow", "Action": ["{action}"], '
        '"Principal": {"Federated": "the identity provider that issued the token"}}'
    )


@pytest.mark.parametrize(
    "region", ["cn-north-1", "us-gov-west-1", "us-isob-east-1", "eusc-de-east-1"]
)
def test_the_resource_is_of_the_regions_partition(region: str) -> None:
    there = Repository("123456789012", region, "web")
    assert f'"Resource": "{there.arn}"' in denial(Side.IDENTITY).next_step(there)
