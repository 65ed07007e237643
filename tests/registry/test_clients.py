"""Clients of an identity: the principals that the sandbox sees, which checks every signature."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest
from layerguard.identity import ORDINARY, AssumedRole, Identity, StaticKeys, WebIdentity
from layerguard.reference import ImageId, Repository
from layerguard.registry import ImageAnswer, RegistryError
from layerguard.registry.clients import Clients, OrdinaryChain
from layerguard.registry.ecr import Ecr
from layerguard.verdict import Code
from layerguard_sandbox.ecr import Answer, Fault, Keys, SandboxEcr, oci_image
from layerguard_sandbox.engine import ROOT

from tests.registry.loops import on_a_loop

MINE, THEIRS, REGION = "123456789012", "210987654321", "eu-west-1"
WEB = Repository(THEIRS, REGION, "shop/web")
ONE = ImageId("1", None)
TAGS = (("team", "shop"),)


@pytest.fixture
def sandbox(aws: SandboxEcr) -> SandboxEcr:
    aws.registry(THEIRS, REGION).push("shop/web", oci_image("web"), tag="1")
    return aws


def ask(identity: Identity) -> ImageAnswer | RegistryError:
    return asyncio.run(answer_of(Ecr(OrdinaryChain()).for_identity(identity)))


async def answer_of(ecr: Ecr) -> ImageAnswer | RegistryError:
    return (await ecr.images(WEB, [ONE]))[ONE]


def principal_of(sandbox: SandboxEcr, identity: Identity) -> str:
    """Call ECR once as ``identity``; return the principal that the sandbox saw."""
    sandbox.clear_requests()
    assert isinstance(ask(identity), ImageAnswer)
    (request,) = sandbox.requests
    return request.principal


def role_arn(name: str, session: str = "layerguard") -> str:
    return f"arn:aws:sts::{THEIRS}:assumed-role/{name}/{session}"


def config(path: Path, text: str) -> str:
    path.write_text(textwrap.dedent(text))
    return str(path)


def profile(keys: Keys) -> str:
    return f"aws_access_key_id = {keys.access_key}\naws_secret_access_key = {keys.secret_key}\n"


def test_without_settings_the_ordinary_chain_is_used(sandbox: SandboxEcr) -> None:
    assert principal_of(sandbox, ORDINARY) == sandbox.keys.arn


def test_static_keys_take_precedence_over_the_environment(sandbox: SandboxEcr) -> None:
    user = sandbox.principals.add_user(MINE, "static")
    identity = Identity(keys=StaticKeys(user.access_key, user.secret_key))
    assert principal_of(sandbox, identity) == user.arn


def test_a_role_is_assumed_from_the_ordinary_chain(sandbox: SandboxEcr) -> None:
    arn = sandbox.principals.add_role(THEIRS, "reader", trusts=[sandbox.keys.arn])
    assert principal_of(sandbox, Identity(roles=(AssumedRole(arn),))) == role_arn("reader")


def test_roles_are_assumed_one_from_the_other_with_all_their_settings(
    sandbox: SandboxEcr,
) -> None:
    user = sandbox.principals.add_user(MINE, "ci")
    first = sandbox.principals.add_role(MINE, "first", trusts=[user.arn], external_id="42")
    second = sandbox.principals.add_role(THEIRS, "second", trusts=[first])
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    identity = Identity(
        keys=StaticKeys(user.access_key, user.secret_key),
        roles=(
            AssumedRole(first, external_id="42"),
            AssumedRole(second, None, "deploy", 900, policy, (), TAGS, ("team",), "me"),
        ),
    )
    assert principal_of(sandbox, identity) == role_arn("second", "deploy")
    _, last = sandbox.sts_requests
    assert last == {
        "Action": "AssumeRole",
        "Version": "2011-06-15",
        "RoleArn": second,
        "RoleSessionName": "deploy",
        "DurationSeconds": "900",
        "Policy": policy,
        "Tags.member.1.Key": "team",
        "Tags.member.1.Value": "shop",
        "TransitiveTagKeys.member.1": "team",
        "SourceIdentity": "me",
    }


def test_a_token_in_a_file_or_in_the_inputs_is_a_web_identity(
    sandbox: SandboxEcr, tmp_path: Path
) -> None:
    arn = sandbox.principals.add_role(THEIRS, "pod", token="the token")
    file = tmp_path / "token"
    file.write_text("the token")
    for web in (WebIdentity(arn, "the token"), WebIdentity(arn, token_file=str(file))):
        assert principal_of(sandbox, Identity(web_identity=web)) == role_arn("pod")


def test_a_role_may_follow_a_web_identity(sandbox: SandboxEcr) -> None:
    pod = sandbox.principals.add_role(MINE, "pod", token="the token")
    reader = sandbox.principals.add_role(THEIRS, "reader", trusts=[pod])
    identity = Identity(web_identity=WebIdentity(pod, "the token"), roles=(AssumedRole(reader),))
    assert principal_of(sandbox, identity) == role_arn("reader")


def test_a_profile_comes_from_the_shared_files_that_are_named(
    sandbox: SandboxEcr, tmp_path: Path
) -> None:
    one, two = (sandbox.principals.add_user(MINE, name) for name in ("one", "two"))
    role = sandbox.principals.add_role(THEIRS, "reader", trusts=[two.arn])
    first = config(tmp_path / "first", f"[team]\n{profile(one)}")
    second = config(tmp_path / "second", f"[other]\n{profile(two)}")
    assumes = f"[profile reader]\nrole_arn = {role}\nsource_profile = other\n"
    settings = config(tmp_path / "config", assumes)
    both = (first, second)
    assert principal_of(sandbox, Identity("team", (), both)) == one.arn
    assert principal_of(sandbox, Identity("other", (), both)) == two.arn
    reader = principal_of(sandbox, Identity("reader", (settings,), (second,)))
    assert reader.startswith(f"arn:aws:sts::{THEIRS}:assumed-role/reader/")


@on_a_loop
async def test_the_denial_of_an_identity_is_no_answer_for_another(
    sandbox: SandboxEcr,
) -> None:
    arn = sandbox.principals.add_role(THEIRS, "denied")
    sandbox.faults.add(Fault(Answer.DENIED, principal=role_arn("denied")))
    registry = Ecr(OrdinaryChain())
    denied = await answer_of(registry.for_identity(Identity(roles=(AssumedRole(arn),))))
    assert isinstance(denied, RegistryError)
    assert denied.code is Code.ACCESS_DENIED
    assert role_arn("denied") in str(denied)
    assert isinstance(await answer_of(registry), ImageAnswer)


@on_a_loop
async def test_the_caller_comes_from_sts_which_is_asked_once(sandbox: SandboxEcr) -> None:
    user = sandbox.principals.add_user(MINE, "who")
    clients = Clients(Identity(keys=StaticKeys(user.access_key, user.secret_key)))
    assert await clients.caller(REGION) == user.arn
    assert await asyncio.gather(*(clients.caller(REGION) for _ in range(9))) == [user.arn] * 9
    assert sandbox.sts_requests == ({"Action": "GetCallerIdentity", "Version": "2011-06-15"},)
    unknown = Clients(Identity(keys=StaticKeys("AKIAIOSFODNN7EXAMPLE", "wrong")))
    assert await unknown.caller(REGION) is None


@on_a_loop
async def test_calls_to_ecr_do_not_wait_for_the_caller() -> None:
    asked, may_end = asyncio.Event(), asyncio.Event()

    async def do_not_answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await may_end.wait()
        writer.close()

    sts = await asyncio.start_server(do_not_answer, "127.0.0.1", 0)
    endpoint = f"http://127.0.0.1:{sts.sockets[0].getsockname()[1]}"
    keys = StaticKeys("AKIAIOSFODNN7EXAMPLE", "secret")
    clients = Clients(Identity(keys=keys, sts_endpoint=endpoint))
    caller = asyncio.ensure_future(clients.caller(REGION))
    await asked.wait()
    assert await clients(REGION)
    assert not caller.done()
    may_end.set()
    assert await caller is None
    sts.close()


@on_a_loop
async def test_concurrent_callers_get_the_same_client(
    sandbox: SandboxEcr,
) -> None:
    clients = Clients()
    first, *others = await asyncio.gather(*(clients(REGION) for _ in range(50)))
    assert all(each is first for each in others)
    assert await clients(REGION) is first
    assert await clients("us-east-1") is not first
    assert not sandbox.requests


WHAT_IS_IMPORTED = """
import asyncio
import sys

from layerguard.reference import Digest, ImageId, Repository
from layerguard.registry.ecr import Ecr
from layerguard.registry.clients import OrdinaryChain

WEB = Repository("210987654321", "eu-west-1", "shop/web")

def report(*values):
    print(*values, "botocore" in sys.modules, "boto3" in sys.modules)

async def main():
    ecr = Ecr(OrdinaryChain())
    report("made")
    for tag in ("1", "absent"):
        image_id = ImageId(tag, None)
        answer = (await ecr.images(WEB, [image_id]))[image_id]
        report(type(answer).__name__)
    config = Digest(sys.argv[1])
    (layer,) = (await ecr.layers(WEB, [config])).values()
    report(layer.availability.name)
    (text,) = (await ecr.configs(WEB, [config])).values()
    report(type(text).__name__)
    report(len((await ecr.listing(WEB)).images))

asyncio.run(main())
"""


def test_boto3_is_imported_for_rare_calls_only(sandbox: SandboxEcr) -> None:
    pushed = sandbox.registry(THEIRS, REGION).push("shop/web", oci_image("web"), tag="1")
    ended = subprocess.run(
        [sys.executable, "-c", WHAT_IS_IMPORTED, pushed.configs[0]],
        cwd=ROOT / "policy",
        env=sandbox.isolate(os.environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines() == [
        "made False False",
        "ImageAnswer True False",
        "RegistryError True False",
        "AVAILABLE True False",
        "str True False",
        "1 True True",
    ]


def test_endpoints_of_a_provider_are_asked_and_no_others(
    sandbox: SandboxEcr, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_ECR", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1")
    arn = sandbox.principals.add_role(THEIRS, "reader")
    identity = Identity(
        roles=(AssumedRole(arn),), ecr_endpoint=sandbox.endpoint, sts_endpoint=sandbox.endpoint
    )
    assert principal_of(sandbox, identity) == role_arn("reader")


@pytest.mark.parametrize(
    ("identity", "host"),
    [
        (Identity(use_fips=True), "api.ecr-fips.us-east-1.amazonaws.com"),
        (Identity(use_dual_stack=True), "ecr.us-east-1.api.aws"),
        (Identity(use_fips=True, use_dual_stack=True), "ecr-fips.us-east-1.api.aws"),
        (Identity(use_fips=False), "api.ecr.us-east-1.amazonaws.com"),
    ],
)
def test_fips_and_dual_stack_lead_to_their_endpoints(
    identity: Identity, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL_ECR", raising=False)
    keys = StaticKeys("AKIAIOSFODNN7EXAMPLE", "secret")
    client = asyncio.run(Clients(replace(identity, keys=keys))("us-east-1"))
    assert client.url == f"https://{host}/"


def test_foreign_endpoints_are_those_that_were_asked_without_their_credentials(
    sandbox: SandboxEcr,
) -> None:
    place = sandbox.endpoint.partition("://")[2]
    ecr = Ecr(OrdinaryChain())
    identity = Identity(ecr_endpoint=f"http://user:password@{place}")
    asyncio.run(answer_of(ecr.for_identity(identity)))
    assert ecr.foreign_endpoints == {f"http://{place}/"}


@on_a_loop
async def test_an_endpoint_that_was_not_asked_is_not_among_the_foreign_ones(
    sandbox: SandboxEcr,
) -> None:
    ecr = Ecr(OrdinaryChain())
    other = ecr.for_identity(Identity(ecr_endpoint="http://127.0.0.1:1"))
    assert isinstance(await answer_of(ecr), ImageAnswer)
    assert not other.foreign_endpoints
    assert ecr.foreign_endpoints == {f"{sandbox.endpoint}/"}
