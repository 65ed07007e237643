"""The principals: each request is signed with keys that the sandbox gave, and STS gives sessions."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError
from layerguard_sandbox.ecr import Answer, Fault, Keys, Samples, SandboxEcr

Connect = Callable[..., Any]
MINE, THEIRS = "123456789012", "210987654321"


def as_(keys: Keys, connect: Connect, service: str = "ecr") -> Any:
    return connect(
        service,
        aws_access_key_id=keys.access_key,
        aws_secret_access_key=keys.secret_key,
        aws_session_token=keys.token,
    )


def assume(client: Any, role: str, **options: Any) -> Keys:
    answer = client.assume_role(RoleArn=role, RoleSessionName="test", **options)
    given = answer["Credentials"]
    return Keys(
        answer["AssumedRoleUser"]["Arn"],
        given["AccessKeyId"],
        given["SecretAccessKey"],
        given["SessionToken"],
    )


def refused(call: Callable[..., Any], **parameters: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return str(caught.value.response["Error"]["Code"])


def test_a_user_is_who_it_is_and_asks_the_registry_of_its_account(
    ecr: SandboxEcr, connect: Connect
) -> None:
    keys = ecr.principals.add_user(THEIRS, "deployer")
    assert ecr.principals.add_user(THEIRS, "deployer") == keys
    caller = as_(keys, connect, "sts").get_caller_identity()
    assert (caller["Arn"], caller["Account"]) == (f"arn:aws:iam::{THEIRS}:user/deployer", THEIRS)
    ecr.registry(THEIRS, "eu-west-1").create_repository("theirs")
    (repository,) = as_(keys, connect).describe_repositories()["repositories"]
    assert repository["repositoryName"] == "theirs"
    (request,) = ecr.requests
    assert (request.access_key, request.principal) == (keys.access_key, caller["Arn"])


def test_unknown_keys_and_wrong_secrets_and_no_signature_are_refused(
    ecr: SandboxEcr, connect: Connect
) -> None:
    ours = ecr.keys
    strange = Keys("unknown", "AKIAIOSFODNN7EXAMPLE", ours.secret_key)
    wrong = Keys("unknown", ours.access_key, "another secret")
    with_token = Keys("unknown", ours.access_key, ours.secret_key, "an unknown token")
    for keys, code in (
        (strange, "UnrecognizedClientException"),
        (wrong, "InvalidSignatureException"),
        (with_token, "UnrecognizedClientException"),
    ):
        assert refused(as_(keys, connect).describe_repositories) == code
        assert refused(as_(keys, connect, "sts").get_caller_identity) == code
    unsigned = connect(config=Config(signature_version=UNSIGNED))
    with pytest.raises(ClientError):
        unsigned.describe_repositories()
    assert not ecr.requests


def test_a_role_is_assumed_by_those_it_trusts_with_its_external_id(
    ecr: SandboxEcr, connect: Connect
) -> None:
    user = ecr.principals.add_user(MINE, "ci")
    other = ecr.principals.add_user(MINE, "other")
    role = ecr.principals.add_role(THEIRS, "reader", trusts=[user.arn], external_id="42")
    sts = as_(user, connect, "sts")
    keys = assume(sts, role, ExternalId="42")
    assert keys.arn == f"arn:aws:sts::{THEIRS}:assumed-role/reader/test"
    assert as_(keys, connect, "sts").get_caller_identity()["Arn"] == keys.arn
    for caller, options in (
        (user, {}),
        (user, {"ExternalId": "77"}),
        (other, {"ExternalId": "42"}),
    ):
        client = as_(caller, connect, "sts")
        assert refused(client.assume_role, RoleArn=role, RoleSessionName="test", **options) == (
            "AccessDenied"
        )
    nowhere = f"arn:aws:iam::{THEIRS}:role/nowhere"
    assert refused(sts.assume_role, RoleArn=nowhere, RoleSessionName="test") == "AccessDenied"


def test_a_role_may_assume_the_next_one(ecr: SandboxEcr, connect: Connect) -> None:
    first = ecr.principals.add_role(MINE, "first")
    second = ecr.principals.add_role(THEIRS, "second", trusts=[first])
    assert refused(connect("sts").assume_role, RoleArn=second, RoleSessionName="test") == (
        "AccessDenied"
    )
    session = assume(connect("sts"), first)
    assert assume(as_(session, connect, "sts"), second).account == THEIRS


def test_a_web_identity_needs_no_signature_and_the_right_token(
    ecr: SandboxEcr, connect: Connect
) -> None:
    role = ecr.principals.add_role(THEIRS, "pod", token="the token")
    sts = connect("sts")
    given = {"RoleArn": role, "RoleSessionName": "pod"}
    answer = sts.assume_role_with_web_identity(**given, WebIdentityToken="the token")
    assert answer["AssumedRoleUser"]["Arn"].endswith(":assumed-role/pod/pod")
    call = sts.assume_role_with_web_identity
    assert refused(call, **given, WebIdentityToken="another") == "InvalidIdentityToken"
    assert refused(sts.assume_role, **given) == "AccessDenied"


def test_an_expired_session_is_refused_and_a_new_one_is_not(
    ecr: SandboxEcr, connect: Connect
) -> None:
    role = ecr.principals.add_role(MINE, "role")
    old = assume(connect("sts"), role)
    ecr.principals.expire_sessions()
    assert refused(as_(old, connect).describe_repositories) == "ExpiredTokenException"
    assert as_(assume(connect("sts"), role), connect).describe_repositories()
    assert connect().describe_repositories()


def test_a_fault_may_be_for_one_principal_alone(
    ecr: SandboxEcr, connect: Connect, samples: Samples
) -> None:
    user = ecr.principals.add_user(MINE, "denied")
    ecr.faults.add(Fault(Answer.DENIED, principal=user.arn))
    asked = {"repositoryName": samples.web.repository, "imageIds": [{"imageTag": "1.4.2"}]}
    assert connect().batch_get_image(**asked)["images"]
    with pytest.raises(ClientError, match=f"User: {user.arn} is not authorized to perform: ecr:"):
        as_(user, connect).batch_get_image(**asked)


def test_what_is_refused_by_sts_is_counted_too(ecr: SandboxEcr, connect: Connect) -> None:
    role = ecr.principals.add_role(THEIRS, "closed", trusts=["arn:aws:iam::123456789012:user/x"])
    sts = connect("sts")
    for _ in range(2):
        code = refused(sts.assume_role, RoleArn=role, RoleSessionName="test")
        assert code == "AccessDenied"
    sts.get_caller_identity()
    operations = [request["Action"] for request in ecr.sts_requests]
    assert operations == ["AssumeRole", "AssumeRole", "GetCallerIdentity"]
    assert [each["RoleArn"] for each in ecr.sts_requests if "RoleArn" in each] == [role] * 2
    ecr.clear_requests()
    assert ecr.sts_requests == ()


def test_sts_has_faults_of_its_own(ecr: SandboxEcr, connect: Connect) -> None:
    once = Config(retries={"total_max_attempts": 1})
    sts = connect("sts", config=once)
    ecr.faults.add(Fault(Answer.SERVER_ERROR))
    assert sts.get_caller_identity()
    ecr.sts_faults.add(Fault(Answer.THROTTLED, operation="AssumeRole"))
    ecr.sts_faults.add(Fault(latency=0.2))
    role = ecr.principals.add_role(MINE, "role")
    assert refused(sts.assume_role, RoleArn=role, RoleSessionName="test") == "ThrottlingException"
    started = time.monotonic()
    assert sts.get_caller_identity()
    assert time.monotonic() - started >= 0.2
    ecr.sts_faults.clear()
    ecr.sts_faults.add(Fault(Answer.HANG))
    impatient = connect("sts", config=once.merge(Config(read_timeout=0.5)))
    with pytest.raises(ReadTimeoutError):
        impatient.get_caller_identity()
