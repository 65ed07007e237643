"""Where a resource is made, as far as its provider's inputs say."""

from __future__ import annotations

import json

import pytest
from layerguard.discovery.placement import Placement, placement_of
from layerguard.discovery.tree import Mark, Tree

ROLE = "arn:aws:iam::210987654321:role/deploy"
HOP = "arn:aws:iam::111111111111:role/hop"


@pytest.mark.parametrize(
    ("provider", "expected"),
    [
        (None, Placement(None, "eu-central-1")),
        ({}, Placement(None, "eu-central-1")),
        ({"region": "us-east-1"}, Placement(None, "us-east-1")),
        ({"region": Mark.UNKNOWN}, Placement(None, "eu-central-1")),
        ({"assumeRoles": json.dumps([{"roleArn": HOP}, {"roleArn": ROLE}])}, Placement("210987654321", "eu-central-1")),
        ({"assumeRoles": [{"roleArn": ROLE}]}, Placement("210987654321", "eu-central-1")),
        ({"assumeRole": json.dumps({"roleArn": ROLE})}, Placement("210987654321", "eu-central-1")),
        ({"assumeRoles": Mark.UNKNOWN}, Placement(None, "eu-central-1")),
        ({"assumeRole": "{"}, Placement(None, "eu-central-1")),
        ({"allowedAccountIds": '["210987654321"]'}, Placement("210987654321", "eu-central-1")),
        ({"allowedAccountIds": '["210987654321", "111111111111"]'}, Placement(None, "eu-central-1")),
    ],
)  # fmt: skip
def test_a_providers_inputs_place_its_resources(provider: Tree, expected: Placement) -> None:
    assert placement_of(provider, {"AWS_REGION": "eu-central-1"}) == expected


def test_the_region_variables_have_an_order() -> None:
    both = {"AWS_REGION": "a", "AWS_DEFAULT_REGION": "b"}
    assert placement_of({}, both).region == "a"
    assert placement_of({}, {"AWS_DEFAULT_REGION": "b"}).region == "b"
    assert placement_of({}, {}).region is None


def test_a_resources_own_region_wins() -> None:
    own = Placement("123456789012", "eu-west-1")
    assert own.of({"region": "us-east-1"}) == Placement("123456789012", "us-east-1")
    assert own.of({"region": Mark.UNKNOWN}) == own
    assert own.of({}) == own
