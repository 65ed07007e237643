"""The AWS credentials that the command line asks with, shown by the sandbox, which checks them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from layerguard_cli import main
from layerguard_sandbox.ecr import SandboxEcr, oci_image

ACCOUNT, REGION = "123456789012", "eu-west-1"
REFERENCE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/shop/web:1"


@pytest.fixture
def sandbox(aws: SandboxEcr) -> SandboxEcr:
    aws.registry(ACCOUNT, REGION).push("shop/web", oci_image("web"), tag="1")
    return aws


def asked_as(sandbox: SandboxEcr, *options: str) -> set[str]:
    """Check the reference with the options; return the principals that ECR saw."""
    sandbox.clear_requests()
    assert main(["check", *options, REFERENCE]) == 0
    return {request.principal for request in sandbox.requests}


def test_without_options_the_ordinary_chain_asks(sandbox: SandboxEcr) -> None:
    assert asked_as(sandbox) == {sandbox.keys.arn}


def test_a_profile_asks(
    sandbox: SandboxEcr, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = sandbox.principals.add_user(ACCOUNT, "auditor")
    (tmp_path / "config").write_text(
        f"[profile audits]\naws_access_key_id = {user.access_key}\n"
        f"aws_secret_access_key = {user.secret_key}\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    assert asked_as(sandbox, "--profile", "audits") == {user.arn}


def test_a_role_that_asks_for_an_external_id_asks(sandbox: SandboxEcr) -> None:
    arn = sandbox.principals.add_role(
        ACCOUNT, "checker", trusts=[sandbox.keys.arn], external_id="the-id"
    )
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/checker/layerguard"
    assert asked_as(sandbox, "--role-arn", arn, "--external-id", "the-id") == {session}


def test_an_endpoint_is_asked(sandbox: SandboxEcr, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_ENDPOINT_URL")]:
        monkeypatch.delenv(name)
    assert asked_as(sandbox, "--endpoint-url", sandbox.endpoint) == {sandbox.keys.arn}


def test_a_role_that_may_not_be_assumed_is_undetermined(
    sandbox: SandboxEcr, capsys: pytest.CaptureFixture[str]
) -> None:
    other = sandbox.principals.add_user(ACCOUNT, "other")
    arn = sandbox.principals.add_role(ACCOUNT, "closed", trusts=[other.arn])
    assert main(["check", "--role-arn", arn, REFERENCE]) == 2
    assert capsys.readouterr().out.startswith(f"access-denied: argument: {REFERENCE}\n")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--profile", " "], "argument --profile: the text is empty"),
        (["--role-arn", "checker"], "argument --role-arn: 'checker' is not the ARN of a role"),
        (["--role-arn", "arn:aws:iam::1:user/me"], "is not the ARN of a role, such as arn:aws:"),
        (["--external-id", "x"], "argument --external-id: only with --role-arn"),
        (["--endpoint-url", "localhost:1"], "'localhost:1' is not a URL that begins with http"),
        (["--endpoint-url", "ftp://user:password@host"], "'ftp://host' is not a URL that begins"),
        (["--timeout", "0"], "argument --timeout: '0' is not a number of seconds above 0"),
        (["--total-timeout", "nan"], "'nan' is not a number of seconds above 0"),
        (["--region", "eu-west-1"], "unrecognized arguments: --region"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_wrong_option_is_wrong_usage(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code: object = main(["check", *options, REFERENCE])
    except SystemExit as ended:
        code = ended.code
    assert code == 64
    assert message in capsys.readouterr().err
