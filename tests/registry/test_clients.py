"""Clients of an identity: who asks, shown by the sandbox, which checks every signature."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError
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
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxEcr]:
    with SandboxEcr() as ecr:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        for name, value in ecr.environment.items():
            monkeypatch.setenv(name, value)
        ecr.registry(THEIRS, REGION).push("shop/web", oci_image("web"), tag="1")
        yield ecr


def ask(identity: Identity) -> ImageAnswer | RegistryError:
    return asyncio.run(answer_of(Ecr(OrdinaryChain()).for_identity(identity)))


async def answer_of(ecr: Ecr) -> ImageAnswer | RegistryError:
    return (await ecr.images(WEB, [ONE]))[ONE]


def asked_as(sandbox: SandboxEcr, identity: Identity) -> str:
    """Ask one question as ``identity``; return the principal that the sandbox saw."""
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


def test_nothing_said_is_the_ordinary_chain(sandbox: SandboxEcr) -> None:
    assert asked_as(sandbox, ORDINARY) == sandbox.keys.arn


def test_static_keys_win_over_the_environment(sandbox: SandboxEcr) -> None:
    user = sandbox.principals.add_user(MINE, "static")
    identity = Identity(keys=StaticKeys(user.access_key, user.secret_key))
    assert asked_as(sandbox, identity) == user.arn


def test_a_role_is_assumed_from_the_ordinary_chain(sandbox: SandboxEcr) -> None:
    arn = sandbox.principals.add_role(THEIRS, "reader", trusts=[sandbox.keys.arn])
    assert asked_as(sandbox, Identity(roles=(AssumedRole(arn),))) == role_arn("reader")


def test_roles_are_assumed_one_from_the_other_with_all_that_is_said_of_each(
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
    assert asked_as(sandbox, identity) == role_arn("second", "deploy")
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


def test_a_role_that_does_not_trust_is_a_denial_in_words(sandbox: SandboxEcr) -> None:
    arn = sandbox.principals.add_role(THEIRS, "reader", external_id="expected")
    answer = ask(Identity(roles=(AssumedRole(arn, external_id="A-WRONG-ID"),)))
    assert isinstance(answer, RegistryError) and answer.code is Code.ACCESS_DENIED
    assert "is not authorized to perform: sts:AssumeRole" in str(answer)
    assert "A-WRONG-ID" not in f"{answer!r} {answer} {answer.next_step}"
    assert not sandbox.requests


def test_who_may_not_assume_a_role_is_told_what_the_role_must_trust(sandbox: SandboxEcr) -> None:
    other = sandbox.principals.add_user(MINE, "other")
    arn = sandbox.principals.add_role(THEIRS, "reader", trusts=[other.arn])
    answer = ask(Identity(roles=(AssumedRole(arn),)))
    assert isinstance(answer, RegistryError) and answer.code is Code.ACCESS_DENIED
    assert sandbox.keys.arn in str(answer)
    assert answer.next_step.startswith(
        f"add to the trust policy of {arn}: "
        '{"Effect": "Allow", "Action": ["sts:AssumeRole"], "Principal": '
        f'{{"AWS": "arn:aws:iam::{MINE}:role/sandbox"}}}}; and add to the identity policy of '
        f"{sandbox.keys.arn}: "
        f'{{"Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": "{arn}"}}'
    )
    assert "repository" not in answer.next_step


def test_a_role_that_takes_no_token_is_named_although_sts_does_not_name_it(
    sandbox: SandboxEcr,
) -> None:
    arn = sandbox.principals.add_role(THEIRS, "no-pod")
    answer = ask(Identity(web_identity=WebIdentity(arn, "the token")))
    assert isinstance(answer, RegistryError) and answer.code is Code.ACCESS_DENIED
    assert str(answer) == (
        "ECR says AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity. "
        f"The role is {arn}."
    )
    assert answer.next_step.startswith(
        f"let the role trust the token: add to the trust policy of {arn}: "
    )
    assert [request["Action"] for request in sandbox.sts_requests] == ["AssumeRoleWithWebIdentity"]


def test_a_token_in_a_file_or_in_the_inputs_is_a_web_identity(
    sandbox: SandboxEcr, tmp_path: Path
) -> None:
    arn = sandbox.principals.add_role(THEIRS, "pod", token="the token")
    file = tmp_path / "token"
    file.write_text("the token")
    for web in (WebIdentity(arn, "the token"), WebIdentity(arn, token_file=str(file))):
        assert asked_as(sandbox, Identity(web_identity=web)) == role_arn("pod")


def test_a_role_may_follow_a_web_identity(sandbox: SandboxEcr) -> None:
    pod = sandbox.principals.add_role(MINE, "pod", token="the token")
    reader = sandbox.principals.add_role(THEIRS, "reader", trusts=[pod])
    identity = Identity(web_identity=WebIdentity(pod, "the token"), roles=(AssumedRole(reader),))
    assert asked_as(sandbox, identity) == role_arn("reader")


def test_a_wrong_token_and_a_token_file_that_is_not_there_are_told(
    sandbox: SandboxEcr, tmp_path: Path
) -> None:
    arn = sandbox.principals.add_role(THEIRS, "pod", token="the token")
    wrong = ask(Identity(web_identity=WebIdentity(arn, "A-WRONG-TOKEN")))
    assert isinstance(wrong, RegistryError) and wrong.code is Code.NO_CREDENTIALS
    assert "A-WRONG-TOKEN" not in f"{wrong!r} {wrong}"
    missing = tmp_path / "nowhere"
    lost = ask(Identity(web_identity=WebIdentity(arn, token_file=str(missing))))
    assert isinstance(lost, RegistryError)
    assert str(missing) in str(lost)


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
    assert asked_as(sandbox, Identity("team", (), both)) == one.arn
    assert asked_as(sandbox, Identity("other", (), both)) == two.arn
    reader = asked_as(sandbox, Identity("reader", (settings,), (second,)))
    assert reader.startswith(f"arn:aws:sts::{THEIRS}:assumed-role/reader/")


def test_a_profile_that_does_not_exist_is_named(sandbox: SandboxEcr) -> None:
    answer = ask(Identity(profile="nobodys"))
    assert isinstance(answer, RegistryError) and answer.code is Code.NO_CREDENTIALS
    assert "nobodys" in str(answer)
    assert not sandbox.requests


@on_a_loop
async def test_an_expired_session_is_renewed_and_the_question_asked_again(
    sandbox: SandboxEcr,
) -> None:
    arn = sandbox.principals.add_role(THEIRS, "reader")
    registry = Ecr(OrdinaryChain()).for_identity(Identity(roles=(AssumedRole(arn),)))
    assert isinstance(await answer_of(registry), ImageAnswer)
    sandbox.principals.expire_sessions()
    assert isinstance(await answer_of(registry), ImageAnswer)
    assert len({request.access_key for request in sandbox.requests}) == 2


@on_a_loop
async def test_a_denied_identity_does_not_poison_the_answers_of_another(
    sandbox: SandboxEcr,
) -> None:
    arn = sandbox.principals.add_role(THEIRS, "denied")
    sandbox.faults.add(Fault(Answer.DENIED, principal=role_arn("denied")))
    registry = Ecr(OrdinaryChain())
    denied = await answer_of(registry.for_identity(Identity(roles=(AssumedRole(arn),))))
    assert isinstance(denied, RegistryError) and denied.code is Code.ACCESS_DENIED
    assert role_arn("denied") in str(denied)
    assert isinstance(await answer_of(registry), ImageAnswer)


@on_a_loop
async def test_sts_says_who_asks_and_is_asked_once(sandbox: SandboxEcr) -> None:
    user = sandbox.principals.add_user(MINE, "who")
    clients = Clients(Identity(keys=StaticKeys(user.access_key, user.secret_key)))
    assert await clients.caller(REGION) == user.arn
    assert await asyncio.gather(*(clients.caller(REGION) for _ in range(9))) == [user.arn] * 9
    assert sandbox.sts_requests == ({"Action": "GetCallerIdentity", "Version": "2011-06-15"},)
    nobody = Clients(Identity(keys=StaticKeys("AKIAIOSFODNN7EXAMPLE", "wrong")))
    assert await nobody.caller(REGION) is None


@on_a_loop
async def test_while_sts_does_not_say_who_asks_the_others_go_on_asking_ecr() -> None:
    asked, may_end = asyncio.Event(), asyncio.Event()

    async def be_silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await may_end.wait()
        writer.close()

    silent = await asyncio.start_server(be_silent, "127.0.0.1", 0)
    endpoint = f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}"
    keys = StaticKeys("AKIAIOSFODNN7EXAMPLE", "secret")
    clients = Clients(Identity(keys=keys, sts_endpoint=endpoint))
    caller = asyncio.ensure_future(clients.caller(REGION))
    await asked.wait()
    assert await clients(REGION)
    assert not caller.done()
    may_end.set()
    assert await caller is None
    silent.close()


@on_a_loop
async def test_many_who_ask_for_a_client_at_the_same_time_get_the_same_one(
    sandbox: SandboxEcr,
) -> None:
    clients = Clients()
    first, *others = await asyncio.gather(*(clients(REGION) for _ in range(50)))
    assert all(each is first for each in others)
    assert await clients(REGION) is first
    assert await clients("us-east-1") is not first
    assert not sandbox.requests


@on_a_loop
async def test_a_client_that_could_not_be_made_is_made_when_it_is_asked_for_again(
    sandbox: SandboxEcr, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = sandbox.principals.add_role(THEIRS, "reader", trusts=[sandbox.keys.arn])
    clients = Clients(Identity(roles=(AssumedRole(arn),)))
    with monkeypatch.context() as without:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            without.delenv(name)
        failed = await asyncio.gather(*(clients(REGION) for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in failed] == [NoCredentialsError] * 3
    assert isinstance(await answer_of(Ecr(clients)), ImageAnswer)
    assert [request.principal for request in sandbox.requests] == [role_arn("reader")]


WHAT_IS_IMPORTED = """
import asyncio
import sys

from layerguard.reference import Digest, ImageId, Repository
from layerguard.registry import ImageAnswer, LayerAnswer
from layerguard.registry.ecr import Ecr
from layerguard.registry.clients import OrdinaryChain

WEB = Repository("210987654321", "eu-west-1", "shop/web")

async def main():
    ecr = Ecr(OrdinaryChain())
    print("botocore" in sys.modules, "boto3" in sys.modules)
    for tag in ("1", "absent"):
        image_id = ImageId(tag, None)
        answer = (await ecr.images(WEB, [image_id]))[image_id]
        print(type(answer).__name__)
        if isinstance(answer, ImageAnswer):
            print(*(await ecr.layers(WEB, [answer.digest])).values())
            print(*map(len, (await ecr.configs(WEB, [Digest(sys.argv[1])])).values()))
        print("botocore" in sys.modules, "boto3" in sys.modules)

asyncio.run(main())
"""


def test_boto3_is_imported_for_what_is_asked_seldom_only(sandbox: SandboxEcr) -> None:
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
    before, found, layers, config_, after, absent, described = ended.stdout.splitlines()
    assert before == "False False"
    assert (found, after) == ("ImageAnswer", "True False")
    assert layers.startswith("LayerAnswer")
    assert int(config_)
    assert (absent, described) == ("ImageNotFound", "True True")


def test_endpoints_of_a_provider_are_asked_and_no_others(
    sandbox: SandboxEcr, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_ECR", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1")
    arn = sandbox.principals.add_role(THEIRS, "reader")
    identity = Identity(
        roles=(AssumedRole(arn),), ecr_endpoint=sandbox.endpoint, sts_endpoint=sandbox.endpoint
    )
    assert asked_as(sandbox, identity) == role_arn("reader")


@pytest.mark.parametrize(
    ("identity", "host"),
    [
        (Identity(use_fips=True), "ecr-fips.us-east-1.amazonaws.com"),
        (Identity(use_dual_stack=True), "ecr.us-east-1.api.aws"),
        (Identity(use_fips=True, use_dual_stack=True), "ecr-fips.us-east-1.api.aws"),
        (Identity(use_fips=False), "api.ecr.us-east-1.amazonaws.com"),
    ],
)
def test_fips_and_dual_stack_lead_to_their_endpoints(
    identity: Identity, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL_ECR", raising=False)
    client: Any = asyncio.run(Clients(identity)("us-east-1"))
    assert client.url == f"https://{host}/"


def test_without_the_instances_metadata_no_credentials_are_looked_for_there(
    sandbox: SandboxEcr, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_EC2_METADATA_DISABLED"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", sandbox.endpoint)
    answer = ask(Identity(skip_instance_metadata=True))
    assert isinstance(answer, RegistryError) and answer.code is Code.NO_CREDENTIALS
    assert not sandbox.requests


def chain(error: BaseException | None) -> Iterator[str]:
    """Every text of an error and of the errors that it came from."""
    while error:
        yield f"{error!r} {error} {getattr(error, 'next_step', '')} {vars(error)}"
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize(
    "spoil",
    [
        lambda keys: replace(keys, secret_key=f"{keys.secret_key}-but-wrong"),
        lambda keys: replace(keys, token=f"{keys.token}-but-wrong"),
        lambda keys: replace(keys, token=f"{keys.token}\n"),
        lambda keys: replace(keys, access_key=f"{keys.access_key}\n"),
    ],
)
def test_no_error_nor_the_errors_that_it_came_from_nor_a_log_of_ours_holds_a_key(
    sandbox: SandboxEcr, spoil: Callable[[StaticKeys], StaticKeys], caplog: pytest.LogCaptureFixture
) -> None:
    role = sandbox.principals.add_role(MINE, "pipeline")
    session = sandbox.principals.assume(sandbox.keys, {"RoleArn": role, "RoleSessionName": "run"})
    keys = StaticKeys(session.access_key, session.secret_key, session.token)
    with caplog.at_level(logging.DEBUG):
        answer = ask(Identity(keys=spoil(keys)))
    assert isinstance(answer, RegistryError) and answer.code is Code.NO_CREDENTIALS
    # botocore's own records for debugging hold requests: only ours are ours to keep clean.
    ours = [each.getMessage() for each in caplog.records if each.name.startswith("layerguard")]
    for text in (*chain(answer), *ours):
        for secret in (session.access_key, session.secret_key, str(session.token)):
            assert secret not in text


def test_whatever_a_service_repeats_of_what_it_was_shown_is_taken_out() -> None:
    identity = Identity(
        keys=StaticKeys("AKIASECRETONE", "SECRET-TWO\n", "SECRET-THREE"),
        web_identity=WebIdentity("arn", "SECRET-FOUR"),
        roles=(AssumedRole("arn", external_id="SECRET-FIVE"), AssumedRole("arn", "of")),
    )
    said = "AKIASECRETONE, SECRET-TWO, SECRET-THREE, SECRET-FOUR and SECRET-FIVE of arn"
    assert identity.without_secrets(said) == "***, ***, ***, *** and *** of arn"
    assert ORDINARY.without_secrets(said) == said
