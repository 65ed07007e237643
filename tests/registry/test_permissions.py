"""What a denial of AWS says, and what it takes to end it."""

from __future__ import annotations

import pytest
from layerguard.reference import Repository
from layerguard.registry.permissions import Denial, Side

WEB = Repository("123456789012", "eu-west-1", "shop/web")
SESSION = "arn:aws:sts::210987654321:assumed-role/deploy/layerguard"
START = (
    f"ECR says AccessDeniedException: User: {SESSION} is not authorized to perform: "
    "ecr:BatchGetImage on resource: arn:aws:ecr:eu-west-1:123456789012:repository/shop/web because "
)
STATEMENT = (
    '{"Effect": "Allow", "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", '
    '"ecr:DescribeImages"], '
)


@pytest.mark.parametrize(
    ("reason", "side", "explicit"),
    [
        ("no identity-based policy allows the ecr:BatchGetImage action", Side.IDENTITY, False),
        ("no resource-based policy allows the ecr:BatchGetImage action", Side.REPOSITORY, False),
        ("no session policy allows the ecr:BatchGetImage action", Side.SESSION, False),
        ("no permissions boundary allows the ecr:BatchGetImage action", Side.BOUNDARY, False),
        ("no VPC endpoint policy allows the ecr:BatchGetImage action", Side.ENDPOINT, False),
        ("with an explicit deny in a service control policy", Side.ORGANIZATION, True),
        ("with an explicit deny in an identity-based policy", Side.IDENTITY, True),
    ],
)
def test_a_denial_tells_the_action_the_principal_and_the_side(
    reason: str, side: Side, *, explicit: bool
) -> None:
    assert Denial.read(START + reason) == Denial("ecr:BatchGetImage", SESSION, side, explicit)


def test_a_denial_that_says_little_leaves_the_rest_open() -> None:
    assert Denial.read("Denied.") == Denial(None, None, Side.EITHER, explicit=False)


@pytest.mark.parametrize(
    ("side", "expected"),
    [
        (
            Side.REPOSITORY,
            "add to the repository policy of shop/web (account 123456789012, eu-west-1): "
            f'{STATEMENT}"Principal": {{"AWS": "arn:aws:iam::210987654321:role/deploy"}}}}',
        ),
        (
            Side.ENDPOINT,
            "allow it in the policy of the VPC endpoint that the request goes through: "
            f'{STATEMENT}"Resource": '
            '"arn:aws:ecr:eu-west-1:123456789012:repository/shop/web"}',
        ),
    ],
)
def test_the_statement_to_add_goes_to_the_side_that_refuses(side: Side, expected: str) -> None:
    denial = Denial("ecr:BatchGetImage", SESSION, side, explicit=False)
    assert denial.next_step(WEB, None) == expected


def test_an_identity_policy_is_the_callers_own() -> None:
    denial = Denial("ecr:BatchGetImage", None, Side.IDENTITY, explicit=False)
    step = denial.next_step(WEB, "arn:aws:iam::123456789012:user/ci")
    assert step.startswith(
        f"add to the identity policy of arn:aws:iam::123456789012:user/ci: {STATEMENT}"
    )
    assert "repository policy" not in step
    unknown = Denial(None, None, Side.EITHER, explicit=False).next_step(WEB, None)
    assert unknown.startswith("add to the identity policy of the principal that runs Pulumi: ")
    assert "its repository policy must allow it too" in unknown


def test_an_explicit_deny_must_go() -> None:
    denial = Denial("ecr:BatchGetImage", SESSION, Side.ORGANIZATION, explicit=True)
    assert denial.next_step(WEB, None) == (
        "take away the explicit deny of ecr:BatchGetImage in the service control policy of the "
        "account's organization."
    )


@pytest.mark.parametrize(
    ("region", "partition"), [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_the_resource_is_of_the_regions_partition(region: str, partition: str) -> None:
    step = Denial(None, None, Side.IDENTITY, explicit=False).next_step(
        Repository("123456789012", region, "web"), None
    )
    assert f'"arn:{partition}:ecr:{region}:123456789012:repository/web"' in step
