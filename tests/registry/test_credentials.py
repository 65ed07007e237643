"""Credentials are resolved once for all callers; their failures have a code, and no secrets."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from layerguard.identity import ORDINARY, AssumedRole, Identity, StaticKeys, WebIdentity
from layerguard.reference import Digest, ImageId, Repository
from layerguard.registry import ImageAnswer, RegistryError
from layerguard.registry.clients import Clients, OrdinaryChain
from layerguard.registry.credentials import Resolved, resolve
from layerguard.registry.ecr import Ecr
from layerguard.registry.translation import translate_credentials
from layerguard.verdict import Code
from layerguard_sandbox.ecr import Answer, Fault, Keys, SandboxEcr, oci_image

from tests.processes import children, command_line, wait_until
from tests.registry.loops import on_a_loop, until
from tests.registry.scripted_ecr import ScriptedEcr

MINE, THEIRS, REGION = "123456789012", "210987654321", "eu-west-1"
WEB = Repository(THEIRS, REGION, "shop/web")
ONE = ImageId("1", None)
MANY = 150


@pytest.fixture
def sandbox(aws: SandboxEcr) -> SandboxEcr:
    aws.registry(THEIRS, REGION).push("shop/web", oci_image("web"), tag="1")
    return aws


@pytest.fixture
def profiles(
    sandbox: SandboxEcr, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[[str], None]:
    """Write the AWS config file of a user who has no keys in the environment."""

    def write(text: str) -> None:
        assert sandbox.endpoint
        (tmp_path / "config").write_text(textwrap.dedent(text))

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    return write


def script(folder: Path, text: str) -> str:
    """Return the command of a credential process that runs a Python script."""
    path = folder / "credentials.py"
    path.write_text(textwrap.dedent(text))
    return f"{sys.executable} {path}"


async def ask(ecr: Ecr, repository: Repository = WEB) -> ImageAnswer | RegistryError:
    return (await ecr.images(repository, [ONE]))[ONE]


async def ask_many(ecr: Ecr) -> list[ImageAnswer | RegistryError]:
    """Ask for many images of different repositories at once."""
    repositories = (replace(WEB, name=f"shop/web-{number}") for number in range(MANY))
    return await asyncio.gather(*(ask(ecr, each) for each in repositories))


async def error_of(identity: Identity = ORDINARY) -> RegistryError:
    answer = await ask(Ecr(OrdinaryChain()).for_identity(identity))
    assert isinstance(answer, RegistryError)
    return answer


def as_process(keys: Keys, **more: object) -> str:
    """Return what a credential process prints that has ``keys``."""
    document = {"Version": 1, "AccessKeyId": keys.access_key, "SecretAccessKey": keys.secret_key}
    return json.dumps(document | more)


@on_a_loop
async def test_a_role_that_sts_refuses_is_asked_for_once_by_many_images(
    sandbox: SandboxEcr,
) -> None:
    role = sandbox.principals.add_role(THEIRS, "reader", trusts=["arn:aws:iam::1:user/other"])
    ecr = Ecr(OrdinaryChain()).for_identity(Identity(roles=(AssumedRole(role),)))
    began = time.monotonic()
    answers = await ask_many(ecr)
    answers.append(await ask(ecr, replace(WEB, region="us-east-1")))
    assert time.monotonic() - began < 10
    assert len(answers) == MANY + 1
    for answer in answers:
        assert isinstance(answer, RegistryError)
        assert answer.code is Code.ACCESS_DENIED
        assert answer.next_step.startswith(f"add to the trust policy of {role}: ")
    assert [request["Action"] for request in sandbox.sts_requests] == ["AssumeRole"]
    assert not sandbox.requests
    assert ecr.calls == 0


@on_a_loop
async def test_a_role_is_assumed_once_by_many_images(sandbox: SandboxEcr) -> None:
    # Roles that last 15 minutes are what botocore would renew for each call.
    role = sandbox.principals.add_role(THEIRS, "reader")
    identity = Identity(roles=(AssumedRole(role, duration_seconds=900),))
    ecr = Ecr(OrdinaryChain()).for_identity(identity)
    # A system may queue 128 connections and lose the others: what comes late is asked again.
    ecr.set_retry_seconds(60)
    answers = await ask_many(ecr)
    assert {answer.code for answer in answers if isinstance(answer, RegistryError)} == {
        Code.REPOSITORY_NOT_FOUND
    }
    assert [request["Action"] for request in sandbox.sts_requests] == ["AssumeRole"]


@on_a_loop
async def test_a_credential_process_that_hangs_is_killed_and_is_no_credentials_for_many_images(
    sandbox: SandboxEcr, profiles: Callable[[str], None], tmp_path: Path
) -> None:
    starts = tmp_path / "starts"
    profiles(f"[default]\ncredential_process = sh -c 'echo x >> {starts}; exec sleep 600'\n")
    ecr = Ecr(Clients(resolve_credentials=partial(resolve, seconds=2)))
    for answer in [*await ask_many(ecr), await ask(ecr)]:
        assert isinstance(answer, RegistryError)
        assert (answer.code, str(answer)) == (
            Code.NO_CREDENTIALS,
            "The AWS credentials did not come within 2 s: the credential process, or the service "
            "that issues them, does not answer.",
        )
    assert starts.read_text() == "x\n"
    assert not sandbox.requests
    wait_until(lambda: not sleeping())


@pytest.mark.usefixtures("sandbox")
def test_a_credential_process_that_hangs_is_killed_when_the_run_ends(
    profiles: Callable[[str], None],
) -> None:
    profiles("[default]\ncredential_process = sleep 600\n")

    @on_a_loop
    async def scenario() -> None:
        asked = asyncio.ensure_future(ask(Ecr(OrdinaryChain())))
        await until(sleeping)
        assert not asked.done()

    scenario()
    wait_until(lambda: not sleeping())


def sleeping() -> list[int]:
    found = []
    for process in children(os.getpid()):
        with suppress(OSError):  # it has just ended
            if command_line(process).startswith("sleep 600"):
                found.append(process)
    return found


@on_a_loop
async def test_a_caller_that_is_cancelled_leaves_the_resolution_to_the_others(
    profiles: Callable[[str], None], sandbox: SandboxEcr, tmp_path: Path
) -> None:
    begun, may_end = tmp_path / "begun", tmp_path / "may-end"
    process = script(
        tmp_path,
        f"""
        import pathlib, time
        with open({str(begun)!r}, "a") as file:
            file.write("x")
        while not pathlib.Path({str(may_end)!r}).exists():
            time.sleep(0.01)
        print('''{as_process(sandbox.keys)}''')
        """,
    )
    profiles(f"[default]\ncredential_process = {process}\n")
    ecr = Ecr(OrdinaryChain())
    first, *others = (asyncio.ensure_future(ask(ecr)) for _ in range(5))
    await until(begun.exists)
    first.cancel()
    may_end.touch()
    for answer in await asyncio.gather(*others):
        assert isinstance(answer, ImageAnswer)
    assert first.cancelled()
    assert begun.read_text() == "x"


FAILED = "The credential process of the profile failed, or printed no valid credentials."
UNREADABLE = (
    "The AWS credentials cannot be read ({}): look at the profile, and at the credential process or "
    "the files that it names."
)
EXPIRED = Keys("arn", "AKIAIOSFODNN7EXAMPLE", "PASSWORD")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import sys; print('PASSWORD', file=sys.stderr); sys.exit(1)", FAILED),
        ("print('{\"Version\": 7, \"SecretAccessKey\": \"PASSWORD\"}')", FAILED),
        ("print('{\"Version\": 1, \"SecretAccessKey\": \"PASSWORD\"}')", FAILED),
        ("print('PASSWORD')", UNREADABLE.format("JSONDecodeError")),
        ("print('[\"PASSWORD\"]')", UNREADABLE.format("AttributeError")),
        (f"print('{as_process(EXPIRED, Expiration='2020-01-01T00:00:00Z')}')", "The AWS credentials have expired, and their source gives no newer ones."),
    ],
)  # fmt: skip
@on_a_loop
async def test_a_credential_process_that_fails_is_no_credentials_and_none_of_its_words(
    profiles: Callable[[str], None], tmp_path: Path, text: str, reason: str
) -> None:
    profiles(f"[default]\ncredential_process = {script(tmp_path, text)} --password PASSWORD\n")
    error = await error_of()
    assert (error.code, str(error), error.next_step) == (Code.NO_CREDENTIALS, reason, "")


@pytest.mark.parametrize("command", ["no-such-program PASSWORD", "PASSWORD=1 program", '"'])
@on_a_loop
async def test_a_credential_process_that_cannot_start_is_no_credentials(
    profiles: Callable[[str], None], command: str
) -> None:
    profiles(f"[default]\ncredential_process = {command}\n")
    error = await error_of()
    assert error.code is Code.NO_CREDENTIALS
    assert "PASSWORD" not in str(error)


SSO = "[sso-session team]\nsso_start_url = https://sso.example\nsso_region = eu-west-1\n"


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ("", "NoCredentialsError: Unable to locate credentials."),
        ("[profile other]\n", "ProfileNotFound: The config profile (team) could not be found."),
        ("[profile team]\nrole_arn = arn:aws:iam::1:role/a\nsource_profile = absent\n", "InvalidConfigError: "),
        (f"[profile team]\nsso_session = team\nsso_account_id = 1\nsso_role_name = a\n{SSO}", "SSOTokenLoadError: Error loading SSO Token: Token for team does not exist."),
        ("[profile team\n", "ConfigParseError: Unable to parse config file: "),
    ],
)  # fmt: skip
@on_a_loop
async def test_a_profile_without_credentials_is_no_credentials_for_many_images(
    profiles: Callable[[str], None],
    sandbox: SandboxEcr,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    config: str,
    reason: str,
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    profiles(config)
    identity = Identity(profile="team") if config else ORDINARY
    answers = await ask_many(Ecr(OrdinaryChain()).for_identity(identity))
    for answer in answers:
        assert isinstance(answer, RegistryError)
        assert answer.code is Code.NO_CREDENTIALS
        assert str(answer).startswith(reason)
    assert not sandbox.requests


def test_without_the_instances_metadata_credentials_are_not_looked_for_there(
    profiles: Callable[[str], None], sandbox: SandboxEcr, monkeypatch: pytest.MonkeyPatch
) -> None:
    profiles("")
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", sandbox.endpoint)
    error = asyncio.run(error_of(Identity(skip_instance_metadata=True)))
    assert error.code is Code.NO_CREDENTIALS
    assert not sandbox.requests


@on_a_loop
async def test_a_refused_role_names_its_trust_policy_and_not_the_repository(
    sandbox: SandboxEcr,
) -> None:
    other = sandbox.principals.add_user(MINE, "other")
    role = sandbox.principals.add_role(THEIRS, "reader", trusts=[other.arn])
    error = await error_of(Identity(roles=(AssumedRole(role, external_id="A-WRONG-ID"),)))
    assert error.code is Code.ACCESS_DENIED
    assert str(error).startswith(
        f"STS says AccessDenied: User: {sandbox.keys.arn} is not authorized to perform: "
        f"sts:AssumeRole on resource: {role}"
    )
    assert error.next_step.startswith(
        f"add to the trust policy of {role}: "
        '{"Effect": "Allow", "Action": ["sts:AssumeRole"], "Principal": '
        f'{{"AWS": "arn:aws:iam::{MINE}:role/sandbox"}}}}; and add to the identity policy of '
        f"{sandbox.keys.arn}: "
        f'{{"Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": "{role}"}}'
    )
    assert "repository" not in error.next_step
    assert "A-WRONG-ID" not in f"{error} {error.next_step}"


@on_a_loop
async def test_a_role_that_refuses_a_web_identity_is_named_although_sts_does_not_name_it(
    sandbox: SandboxEcr,
) -> None:
    role = sandbox.principals.add_role(THEIRS, "no-pod")
    error = await error_of(Identity(web_identity=WebIdentity(role, "the token")))
    assert (error.code, str(error)) == (
        Code.ACCESS_DENIED,
        "STS says AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity. "
        f"The role is {role}.",
    )
    assert error.next_step.startswith(
        f"let the role trust the token: add to the trust policy of {role}: "
    )


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("AssumeRole", (Code.ACCESS_DENIED, "add to the trust policy of arn:aws:iam::1:role/a: ")),
        ("GetRoleCredentials", (Code.NO_CREDENTIALS, "")),
    ],
)
def test_only_a_refused_role_is_a_denial_even_in_other_words(
    operation: str, expected: tuple[Code, str]
) -> None:
    response: Any = {"Error": {"Code": "AccessDenied", "Message": "No."}}
    identity = Identity(roles=(AssumedRole("arn:aws:iam::1:role/a"),))
    error = translate_credentials(ClientError(response, operation), identity, str)
    assert (error.code, error.next_step[: len(expected[1]) or None]) == expected


@on_a_loop
async def test_a_wrong_token_and_an_absent_token_file_are_no_credentials(
    sandbox: SandboxEcr, tmp_path: Path
) -> None:
    role = sandbox.principals.add_role(THEIRS, "pod", token="the token")
    wrong = await error_of(Identity(web_identity=WebIdentity(role, "A-WRONG-TOKEN")))
    assert wrong.code is Code.NO_CREDENTIALS
    assert "A-WRONG-TOKEN" not in str(wrong)
    missing = str(tmp_path / "nowhere")
    absent = await error_of(Identity(web_identity=WebIdentity(role, token_file=missing)))
    assert (absent.code, str(absent)) == (
        Code.NO_CREDENTIALS,
        f"The web identity token file {missing} cannot be read.",
    )


@on_a_loop
async def test_a_session_that_expires_is_renewed_once_for_many_images(sandbox: SandboxEcr) -> None:
    role = sandbox.principals.add_role(THEIRS, "reader")
    ecr = Ecr(OrdinaryChain()).for_identity(Identity(roles=(AssumedRole(role),)))
    assert isinstance(await ask(ecr), ImageAnswer)
    sandbox.principals.expire_sessions()
    for answer in await asyncio.gather(*(ask(ecr) for _ in range(MANY))):
        assert isinstance(answer, ImageAnswer)
    assert [request["Action"] for request in sandbox.sts_requests] == ["AssumeRole"] * 2


@on_a_loop
async def test_credentials_that_are_due_are_renewed_once_for_many_images(
    sandbox: SandboxEcr,
) -> None:
    due: set[int] = set()
    resolved = 0

    async def resolve_and_count(*arguments: Any) -> Resolved | RegistryError:
        nonlocal resolved
        resolved += 1
        number = resolved
        found = await resolve(*arguments)
        assert isinstance(found, Resolved)
        return replace(found, expires_within=lambda _: number in due)

    assert sandbox.endpoint
    ecr = Ecr(Clients(resolve_credentials=resolve_and_count))
    for _ in range(3):
        assert isinstance(await ask(ecr), ImageAnswer)
    assert resolved == 1
    due.add(1)
    for answer in await asyncio.gather(*(ask(ecr) for _ in range(MANY))):
        assert isinstance(answer, ImageAnswer)
    assert resolved == 2


@on_a_loop
async def test_credentials_that_never_last_a_minute_are_used_until_they_expire(
    profiles: Callable[[str], None], sandbox: SandboxEcr, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    process = script(
        tmp_path,
        f"""
        from datetime import datetime, timedelta, timezone
        with open({str(runs)!r}, "a") as file:
            file.write("x")
        expires = (datetime.now(timezone.utc) + timedelta(seconds=50)).isoformat()
        print('''{as_process(sandbox.keys, SessionToken="", Expiration="EXPIRES")}'''
            .replace("EXPIRES", expires))
        """,
    )
    profiles(f"[default]\ncredential_process = {process}\n")
    ecr = Ecr(OrdinaryChain())
    for _ in range(5):
        assert isinstance(await ask(ecr), ImageAnswer)
    # Once for the chain, and once more as botocore renews what expires within 15 minutes.
    assert runs.read_text() == "xx"


def test_credentials_that_stay_expired_are_no_credentials_for_later_calls() -> None:
    @on_a_loop
    async def scenario(scripted: ScriptedEcr) -> None:
        ecr = Ecr(scripted.clients)
        for _ in range(3):
            answer = await ask(ecr)
            assert isinstance(answer, RegistryError)
            assert answer.code is Code.NO_CREDENTIALS
            assert str(answer).startswith("ECR says ExpiredTokenException: ")
            assert str(answer).endswith("The source of the AWS credentials gives no newer ones.")

    with ScriptedEcr() as scripted:
        scripted.refusals["BatchGetImage"] = "ExpiredTokenException"
        scenario(scripted)
        assert scripted.requests == {"BatchGetImage": 1}


def test_new_credentials_that_are_refused_as_expired_are_not_renewed_again_and_again(
    sandbox: SandboxEcr,
) -> None:
    role = sandbox.principals.add_role(THEIRS, "reader")

    @on_a_loop
    async def scenario(scripted: ScriptedEcr) -> None:
        identity = Identity(roles=(AssumedRole(role),), ecr_endpoint=scripted.endpoint)
        ecr = Ecr(Clients(identity))
        for _ in range(5):
            answer = await ask(ecr)
            assert isinstance(answer, RegistryError)
            assert answer.code is Code.NO_CREDENTIALS

    with ScriptedEcr() as scripted:
        scripted.refusals["BatchGetImage"] = "ExpiredTokenException"
        scenario(scripted)
    assert len(sandbox.sts_requests) == 2


UNTRUSTED = (
    "The resource's provider names files with AWS settings, and in these {url} is ECR's endpoint: "
    "the stack itself chose it, so its answers prove nothing."
)


@pytest.mark.parametrize(
    "with_file",
    [
        lambda identity, file: replace(identity, config_files=(file,)),
        lambda identity, file: replace(identity, credentials_files=(file,)),
    ],
)
@on_a_loop
async def test_an_endpoint_in_files_that_the_stack_names_is_untrusted_and_not_asked(
    sandbox: SandboxEcr,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    with_file: Callable[[Identity, str], Identity],
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL_ECR")
    monkeypatch.delenv("AWS_ENDPOINT_URL_STS")
    place = sandbox.endpoint.partition("://")[2]
    file = tmp_path / "settings"
    file.write_text(f"[default]\nendpoint_url = http://user:password@{place}\n")
    role = sandbox.principals.add_role(THEIRS, "reader")
    identity = with_file(Identity(roles=(AssumedRole(role),)), str(file))
    ecr = Ecr(OrdinaryChain()).for_identity(identity)
    for answer in await ask_many(ecr):
        assert isinstance(answer, RegistryError)
        assert (answer.code, str(answer)) == (
            Code.ENDPOINT_UNTRUSTED,
            UNTRUSTED.format(url=f"http://{place}"),
        )
        assert "set AWS_ENDPOINT_URL_ECR to it" in answer.next_step
    listing = await ecr.listing(WEB)
    assert isinstance(listing, RegistryError)
    assert listing.code is Code.ENDPOINT_UNTRUSTED
    assert await ecr.caller(WEB) is None
    assert not sandbox.requests
    assert not sandbox.sts_requests


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL_ECR", "AWS_ENDPOINT_URL"])
@on_a_loop
async def test_an_endpoint_in_the_environment_is_trusted_whatever_is_in_files(
    sandbox: SandboxEcr, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL_ECR")
    monkeypatch.setenv(variable, sandbox.endpoint)
    file = tmp_path / "settings"
    file.write_text("[default]\nendpoint_url = http://127.0.0.1:1\n")
    ecr = Ecr(OrdinaryChain()).for_identity(Identity(config_files=(str(file),)))
    assert isinstance(await ask(ecr), ImageAnswer)


@on_a_loop
async def test_an_endpoint_in_the_users_own_profile_is_trusted(
    sandbox: SandboxEcr, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL_ECR")
    file = tmp_path / "settings"
    keys = sandbox.keys
    file.write_text(
        f"[profile local]\nendpoint_url = {sandbox.endpoint}\n"
        f"aws_access_key_id = {keys.access_key}\naws_secret_access_key = {keys.secret_key}\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    ecr = Ecr(OrdinaryChain()).for_identity(Identity(profile="local"))
    assert isinstance(await ask(ecr), ImageAnswer)
    assert ecr.foreign_endpoints == {f"{sandbox.endpoint}/"}


@on_a_loop
async def test_files_without_an_endpoint_lead_to_aws_own(tmp_path: Path) -> None:
    file = tmp_path / "settings"
    file.write_text("[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = s\n")  # fmt: skip
    client = await Clients(Identity(config_files=(str(file),)))(REGION)
    assert client.url == f"https://api.ecr.{REGION}.amazonaws.com/"


def texts_of(error: BaseException | None) -> Iterator[str]:
    """Yield every text of an error and of the errors that it came from."""
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
def test_no_error_nor_the_errors_that_it_came_from_nor_a_log_holds_a_key(
    sandbox: SandboxEcr, spoil: Callable[[StaticKeys], StaticKeys], caplog: pytest.LogCaptureFixture
) -> None:
    role = sandbox.principals.add_role(MINE, "pipeline")
    session = sandbox.principals.assume(sandbox.keys, {"RoleArn": role, "RoleSessionName": "run"})
    keys = StaticKeys(session.access_key, session.secret_key, session.token)
    with caplog.at_level(logging.DEBUG):
        error = asyncio.run(error_of(Identity(keys=spoil(keys))))
    assert error.code is Code.NO_CREDENTIALS
    # botocore's own debug logs contain requests.
    ours = [each.getMessage() for each in caplog.records if each.name.startswith("layerguard")]
    for text in (*texts_of(error), *ours):
        for secret in (session.access_key, session.secret_key, str(session.token)):
            assert secret not in text


def test_session_keys_that_an_endpoint_repeats_are_taken_out(
    sandbox: SandboxEcr, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    role = sandbox.principals.add_role(THEIRS, "reader", external_id="the-external-id")
    config = tmp_path / "config"
    config.write_text(
        f"[profile team]\nrole_arn = {role}\nexternal_id = the-external-id\n"
        "credential_source = Environment\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    digest = Digest(f"sha256:{'0' * 64}")

    def repeat(request: Mapping[str, str]) -> str:
        key = request["Authorization"].partition("Credential=")[2].partition("/")[0]
        return f"{key} {request['X-Amz-Security-Token']} {sandbox.keys.secret_key} the-external-id"

    @on_a_loop
    async def scenario(scripted: ScriptedEcr) -> None:
        ecr = Ecr(Clients(Identity(profile="team", ecr_endpoint=scripted.endpoint)))
        assert str(await ask(ecr)) == "ECR says KmsError: *** *** *** ***."
        (layer,) = (await ecr.layers(WEB, [digest])).values()
        assert str(layer) == f"ECR says Odd of the layer {digest}: *** *** *** ***."

    def images(parameters: dict[str, Any]) -> object:
        (image_id,) = parameters["imageIds"]
        failure = {"failureCode": "KmsError", "failureReason": repeat(scripted.headers)}
        return {"failures": [{"imageId": image_id, **failure}]}

    def layers(_: dict[str, Any]) -> object:
        failure = {"failureCode": "Odd", "failureReason": repeat(scripted.headers)}
        return {"failures": [{"layerDigest": str(digest), **failure}]}

    with ScriptedEcr(BatchGetImage=images, BatchCheckLayerAvailability=layers) as scripted:
        scenario(scripted)


def test_whatever_a_service_repeats_of_an_identity_is_taken_out() -> None:
    identity = Identity(
        keys=StaticKeys("AKIASECRETONE", "SECRET-TWO\n", "SECRET-THREE"),
        web_identity=WebIdentity("arn", "SECRET-FOUR"),
        roles=(AssumedRole("arn", external_id="SECRET-FIVE"), AssumedRole("arn", "of")),
    )
    text = "AKIASECRETONE, SECRET-TWO, SECRET-THREE, SECRET-FOUR and SECRET-FIVE of arn"
    assert Clients(identity).redact(text) == "***, ***, ***, *** and *** of arn"
    assert Clients().redact(text) == text


@on_a_loop
async def test_credentials_in_the_url_of_an_endpoint_that_cannot_be_reached_are_not_shown(
    sandbox: SandboxEcr,
) -> None:
    error = await error_of(Identity(ecr_endpoint="http://user:PASSWORD@127.0.0.1:1"))
    assert error.code is Code.UNREACHABLE
    assert "http://127.0.0.1:1/" in str(error)
    assert "PASSWORD" not in str(error)
    sts = "http://user:PASSWORD@127.0.0.1:1"
    role = sandbox.principals.add_role(THEIRS, "reader")
    error = await error_of(Identity(roles=(AssumedRole(role),), sts_endpoint=sts))
    assert error.code is Code.UNREACHABLE
    assert "PASSWORD" not in str(error)
    assert error.next_step.startswith("check the network path to the service that issues the cred")


@on_a_loop
async def test_a_denied_image_is_not_a_denied_identity(sandbox: SandboxEcr) -> None:
    sandbox.faults.add(Fault(Answer.DENIED, repository="shop/web-1"))
    ecr = Ecr(OrdinaryChain())
    denied = await ask(ecr, replace(WEB, name="shop/web-1"))
    assert isinstance(denied, RegistryError)
    assert denied.code is Code.ACCESS_DENIED
    assert isinstance(await ask(ecr), ImageAnswer)
