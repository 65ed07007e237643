"""The identity of a resource's provider, out of inputs as the engine hands them over."""

from __future__ import annotations

import json

import pytest
from layerguard.discovery.provider import NotKnown, provider_identity
from layerguard.discovery.tree import Mark, SecretText, Tree
from layerguard.identity import ORDINARY, AssumedRole, Identity, StaticKeys, WebIdentity
from layerguard.registry.redaction import Redaction

AWS, NATIVE = "pulumi:providers:aws", "pulumi:providers:aws-native"
ROLE = "arn:aws:iam::210987654321:role/deploy"
HOP = "arn:aws:iam::111111111111:role/hop"
DEPLOY = {
    "roleArn": ROLE,
    "externalId": "x",
    "sessionName": "s",
    "duration": "1h30m",
    "policy": "{}",
    "policyArns": ["arn:p"],
    "tags": {"b": "2", "a": "1"},
    "transitiveTagKeys": ["a"],
    "sourceIdentity": "me",
}
TAGS = (("a", "1"), ("b", "2"))
DEPLOYS = AssumedRole(ROLE, "x", "s", 5400, "{}", ("arn:p",), TAGS, ("a",), "me")
# Settings of a provider that change nothing of who it is.
NO_IDENTITY = {
    "skipRequestingAccountId": "true",
    "skipRegionValidation": "true",
    "skipCredentialsValidation": "true",
    "forbiddenAccountIds": '["210987654321"]',
    "maxRetries": "3",
}


def test_a_text_that_is_a_secret_is_never_shown_wherever_it_stands() -> None:
    roles = json.dumps([{"roleArn": ROLE, "sessionName": "session-1"}])
    inputs: Tree = {"profile": SecretText("profile-1"), "assumeRoles": SecretText(roles)}
    identity = provider_identity(AWS, inputs)
    assert Redaction(identity)(f"profile-1, {ROLE}, session-1, open") == "***, ***, ***, open"
    assert provider_identity(AWS, {"region": SecretText("eu-west-1")}) == ORDINARY


@pytest.mark.parametrize(
    ("provider", "inputs", "expected"),
    [
        (AWS,                           {}, ORDINARY),
        (AWS,                           {"region": "us-east-1"}, ORDINARY),
        (AWS,                           {"region": "us-east-1", "profile": "a"}, Identity("a", region="us-east-1")),
        (AWS,                           {"region": "us-east-1", "stsRegion": "eu-west-1", "profile": "a"}, Identity("a", region="eu-west-1")),
        (AWS,                           {"profile": "team"}, Identity(profile="team")),
        (AWS,                           {"accessKey": "AKIA", "secretKey": "s", "token": "t"}, Identity(keys=StaticKeys("AKIA", "s", "t"))),
        (AWS,                           {"accessKey": "AKIA"}, ORDINARY),
        (AWS,                           {"sharedConfigFiles": '["/a", "/b"]', "sharedCredentialsFiles": '["/c"]'}, Identity(config_files=("/a", "/b"), credentials_files=("/c",))),
        (NATIVE,                        {"sharedCredentialsFile": "/c"}, Identity(credentials_files=("/c",))),
        (AWS,                           {"assumeRoles": json.dumps([{"roleArn": HOP}, DEPLOY])}, Identity(roles=(AssumedRole(HOP), DEPLOYS))),
        (NATIVE,                        {"assumeRole": json.dumps({"roleArn": ROLE, "durationSeconds": 900})}, Identity(roles=(AssumedRole(ROLE, duration_seconds=900),))),
        (AWS,                           {"assumeRoles": [{"roleArn": ROLE}]}, Identity(roles=(AssumedRole(ROLE),))),
        (AWS,                           {"assumeRole": json.dumps({"roleArn": ROLE, "externalId": "x", "sessionName": "s", "duration": "1h"})}, Identity(roles=(AssumedRole(ROLE, "x", "s", 3600),))),
        (AWS,                           {"assumeRoles": json.dumps([{"role_arn": ROLE, "external_id": "x", "tags": {"a_b": "1"}}])}, Identity(roles=(AssumedRole(ROLE, "x", tags=(("a_b", "1"),)),))),
        (NATIVE,                        {"assumeRole": json.dumps({"roleArn": ROLE, "policyArns": ["arn:p"], "tags": {}})}, Identity(roles=(AssumedRole(ROLE, policy_arns=("arn:p",)),))),
        (NATIVE,                        {"endpoints": json.dumps([{"cloudcontrol": "http://c", "sts": "http://sts"}])}, Identity(sts_endpoint="http://sts")),
        # The role that Cloud Control acts as on the server's side does not ask ECR.
        (NATIVE,                        {"roleArn": ROLE}, ORDINARY),
        (AWS,                           {"profile": "team", "sharedConfigFiles": '["/a"]', **NO_IDENTITY}, Identity("team", config_files=("/a",))),
        (AWS,                           {"assumeRoleWithWebIdentity": json.dumps({"role_arn": ROLE, "web_identity_token": "t"})}, Identity(web_identity=WebIdentity(ROLE, "t"))),
        (AWS,                           {"assumeRoleWithWebIdentity": json.dumps({"roleArn": ROLE, "webIdentityTokenFile": "/t", "duration": "15m"})}, Identity(web_identity=WebIdentity(ROLE, None, "/t", None, 900))),
        (AWS,                           {"endpoints": json.dumps([{"s3": "http://s3"}, {"ecr": "http://ecr", "sts": "http://sts"}])}, Identity(ecr_endpoint="http://ecr", sts_endpoint="http://sts")),
        (AWS,                           {"useFipsEndpoint": "true", "useDualstackEndpoint": "false"}, Identity(use_fips=True, use_dual_stack=False)),
        (AWS,                           {"skipMetadataApiCheck": "true", "skipCredentialsValidation": "true"}, Identity(skip_instance_metadata=True)),
        (AWS,                           {"allowedAccountIds": '["210987654321"]'}, ORDINARY),
        (AWS,                           {"assumeRoles": "{", "endpoints": "[", "useFipsEndpoint": "maybe"}, ORDINARY),
        (AWS,                           {"assumeRoles": json.dumps([{"duration": "1x"}, 5, None])}, ORDINARY),
        ("pulumi:providers:kubernetes", {"region": "us-east-1", "profile": "x"}, ORDINARY),
        ("pulumi:providers:docker",     {"accessKey": "a", "secretKey": "b"}, ORDINARY),
    ],
)  # fmt: skip
def test_the_inputs_of_a_provider_are_an_identity(
    provider: str, inputs: Tree, expected: Identity
) -> None:
    assert provider_identity(provider, inputs) == expected


@pytest.mark.parametrize(
    "inputs",
    [
        {"profile": Mark.UNKNOWN},
        {"secretKey": Mark.UNKNOWN},
        {"assumeRoles": Mark.UNKNOWN},
        {"assumeRoles": [{"roleArn": Mark.UNKNOWN}]},
        {"assumeRoles": [Mark.UNKNOWN]},
        {"endpoints": Mark.UNKNOWN},
    ],
)
def test_what_is_not_known_yet_is_not_guessed(inputs: Tree) -> None:
    with pytest.raises(NotKnown):
        provider_identity(AWS, inputs)
    assert provider_identity("pulumi:providers:kubernetes", inputs) == ORDINARY


def test_no_text_that_is_made_of_an_identity_holds_a_secret() -> None:
    inputs: Tree = {
        "accessKey": "AKIASECRETONE",
        "secretKey": "SECRETTWO",
        "token": "SECRETTHREE",
        "assumeRoles": [{"roleArn": ROLE, "externalId": "SECRETFOUR"}],
        "assumeRoleWithWebIdentity": {"roleArn": ROLE, "webIdentityToken": "SECRETFIVE"},
    }
    identity = provider_identity(AWS, inputs)
    assert identity.keys == StaticKeys("AKIASECRETONE", "SECRETTWO", "SECRETTHREE")
    assert "SECRET" not in f"{identity} {identity!r} {identity.keys!r}"
