"""The ECR client against the sandbox over HTTP: batches, accounting, and every refusal in words."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.config import Config
from layerguard.checking.checker import Checker
from layerguard.discovery import ImageUse
from layerguard.enforcement.finding import Finding
from layerguard.manifest import Index, Manifest, parse_config, parse_manifest
from layerguard.platform import Platform
from layerguard.reference import Digest, ImageId, Repository
from layerguard.registry import Availability, ImageAnswer, LayerAnswer, RegistryError
from layerguard.registry.clients import OrdinaryChain
from layerguard.registry.connections import Connections
from layerguard.registry.download import MAX_BYTES
from layerguard.registry.ecr import Ecr
from layerguard.registry.wire import WireClient
from layerguard.verdict import Code
from layerguard_sandbox.ecr import (
    Answer,
    Fault,
    Image,
    Keys,
    Pushed,
    SandboxEcr,
    docker_image,
    image_index,
    oci_image,
)

from tests.fakes import digest_of, use
from tests.registry.loops import on_a_loop

ACCOUNT, REGION = "123456789012", "eu-west-1"
WEB = Repository(ACCOUNT, REGION, "shop/web")
ONE = ImageId("1", None)


@pytest.fixture
def sandbox() -> Iterator[SandboxEcr]:
    with SandboxEcr() as ecr:
        yield ecr


@pytest.fixture
def pushed(sandbox: SandboxEcr) -> Pushed:
    return sandbox.registry(ACCOUNT, REGION).push("shop/web", oci_image("web"), tag="1")


@pytest.fixture
def ecr(sandbox: SandboxEcr) -> Ecr:
    return Ecr(QuickClient(sandbox.endpoint, sandbox.keys))


class QuickClient:
    """Makes clients of the sandbox that do not wait long and do not retry."""

    def __init__(self, endpoint: str, keys: Keys) -> None:
        self.endpoint, self.keys = endpoint, keys
        self.clients: dict[str, Any] = {}

    async def __call__(self, region: str) -> Any:
        if region not in self.clients:
            self.clients[region] = self.make(region)
        return self.clients[region]

    def make(self, region: str) -> Any:
        client = boto3.Session(self.keys.access_key, self.keys.secret_key).client(
            "ecr",
            region_name=region,
            endpoint_url=self.endpoint,
            config=Config(
                connect_timeout=2,
                read_timeout=1,
                retries={"total_max_attempts": 1},
            ),
        )
        return WireClient(client, Connections(2, 1), lambda: client)


def layers_of(pushed: Pushed) -> list[Digest]:
    return [Digest(text) for text in (*pushed.layers, *pushed.configs)]


async def image(ecr: Ecr, image_id: ImageId = ONE, repository: Repository = WEB) -> Any:
    return (await ecr.images(repository, [image_id]))[image_id]


async def config(ecr: Ecr, digest: Digest, repository: Repository = WEB) -> str | RegistryError:
    return (await ecr.configs(repository, [digest]))[digest]


def judged(ecr: Ecr, *uses: ImageUse) -> tuple[Finding, ...]:
    """Judge by what ``ecr`` says; then its loop is over, and so is its use."""
    checker = Checker.asking(ecr)
    findings = checker.judge(uses)
    checker.close()
    return findings


@on_a_loop
async def test_an_image_is_fetched_by_tag_and_by_digest_and_its_bytes_hash_to_the_digest(
    ecr: Ecr, pushed: Pushed
) -> None:
    by_tag = await image(ecr)
    by_digest = await image(ecr, ImageId(None, Digest(pushed.digest)))
    assert by_tag == by_digest
    assert isinstance(by_tag, ImageAnswer)
    assert isinstance(parse_manifest(by_tag.manifest, Digest(pushed.digest)), Manifest)


@on_a_loop
async def test_every_kind_of_manifest_arrives_as_it_was_pushed(
    ecr: Ecr, sandbox: SandboxEcr
) -> None:
    registry = sandbox.registry(ACCOUNT, REGION)
    registry.push("shop/web", docker_image("docker"), tag="docker")
    registry.push(
        "shop/web",
        image_index([oci_image("a"), oci_image("a", "arm64")], attestations=True),
        tag="index",
    )
    docker = await image(ecr, ImageId("docker", None))
    index = await image(ecr, ImageId("index", None))
    assert isinstance(parse_manifest(docker.manifest, docker.digest), Manifest)
    parsed = parse_manifest(index.manifest, index.digest)
    assert isinstance(parsed, Index)
    assert [str(child.platform) for child in parsed.runnable] == ["linux/amd64", "linux/arm64"]
    assert len(parsed.children) == 4


@on_a_loop
async def test_what_is_not_there_is_told_apart(ecr: Ecr, pushed: Pushed) -> None:
    other = digest_of("another image")
    answers = await ecr.images(
        WEB,
        [
            ONE,
            ImageId("2", None),
            ImageId(None, other),
            ImageId("1", Digest(pushed.digest)),
            ImageId("1", other),
        ],
    )
    assert [type(answer) for answer in answers.values()] == [
        ImageAnswer,
        ImageNotFound,
        ImageNotFound,
        ImageAnswer,
        TagMoved,
    ]
    absent = await image(ecr, repository=Repository(ACCOUNT, REGION, "shop/absent"))
    assert isinstance(absent, RegistryError) and absent.code is Code.REPOSITORY_NOT_FOUND
    assert "shop/absent" in str(absent)


@pytest.mark.usefixtures("pushed")
@on_a_loop
async def test_an_archived_image_is_told_apart_from_one_that_is_not_there(
    ecr: Ecr, sandbox: SandboxEcr
) -> None:
    sandbox.registry(ACCOUNT, REGION).archive_image("shop/web", "1")
    assert isinstance(await image(ecr), ImageArchived)
    sandbox.faults.add(Fault(Answer.DENIED, operation="DescribeImages"))
    assert isinstance(await image(ecr), ImageNotFound)


@pytest.mark.parametrize(
    "answer", [Answer.THROTTLED, Answer.SERVER_ERROR, Answer.CONNECTION_CLOSED]
)
@on_a_loop
async def test_what_only_makes_better_words_does_not_take_the_time_of_the_verdict(
    ecr: Ecr, sandbox: SandboxEcr, pushed: Pushed, answer: Answer
) -> None:
    ecr.set_retry_seconds(600)
    sandbox.faults.add(Fault(answer, operation="DescribeImages"))
    sandbox.faults.add(Fault(answer, operation="DescribeRepositories"))
    sandbox.faults.add(Fault(answer, operation="GetDownloadUrlForLayer"))
    assert isinstance(await image(ecr, ImageId("2", None)), ImageNotFound)
    absent = Repository(ACCOUNT, REGION, "shop/absent")
    assert isinstance(await image(ecr, repository=absent), RepositoryNotFound)
    (digest,) = map(Digest, pushed.configs)
    assert isinstance(await config(ecr, digest), RegistryError)
    asked = [request.operation for request in sandbox.requests]
    # DescribeImages says whether the image is archived, and then which tags there are; what ends a
    # connection that was kept is asked once more on a new one.
    for operation in ("DescribeImages", "DescribeRepositories", "GetDownloadUrlForLayer"):
        assert 1 <= asked.count(operation) <= 2


@pytest.mark.parametrize(
    ("status", "kind"),
    [("ARCHIVED", ImageArchived), ("ACTIVATING", ImageArchived), ("ACTIVE", NotUnderstood)],
)
@on_a_loop
async def test_an_inaccessible_image_may_be_an_archived_one(
    status: str, kind: type[RegistryError]
) -> None:
    said = {"imageId": {"imageTag": "1"}, "failureCode": "ImageInaccessible"}
    answer = {"failures": [said], "imageDetails": [{"imageStatus": status}]}
    assert type(await image(Ecr(Scripted(answer)))) is kind


@on_a_loop
async def test_the_account_and_region_of_the_repository_are_asked(
    ecr: Ecr, sandbox: SandboxEcr
) -> None:
    sandbox.registry("210987654321", "us-east-1").push("shop/web", oci_image("other"), tag="1")
    assert isinstance(await image(ecr), RepositoryNotFound)
    assert isinstance(
        await image(ecr, repository=Repository("210987654321", "us-east-1", "shop/web")),
        ImageAnswer,
    )
    assert [(each.account, each.region) for each in sandbox.requests][-1] == (
        "210987654321",
        "us-east-1",
    )


@on_a_loop
async def test_layers_and_configs_are_available_until_they_are_lost(
    ecr: Ecr, sandbox: SandboxEcr, pushed: Pushed
) -> None:
    answers = await ecr.layers(WEB, layers_of(pushed))
    assert all(
        isinstance(a, LayerAnswer) and a.availability is Availability.AVAILABLE
        for a in answers.values()
    )
    assert all(isinstance(a, LayerAnswer) and a.size for a in answers.values())
    lost = layers_of(pushed)[0]
    sandbox.registry(ACCOUNT, REGION).lose_layer("shop/web", str(lost))
    assert await ecr.layers(WEB, [lost]) == {lost: LayerAnswer(Availability.UNAVAILABLE)}


@pytest.mark.usefixtures("pushed")
@on_a_loop
async def test_at_most_100_digests_go_into_a_call(ecr: Ecr, sandbox: SandboxEcr) -> None:
    digests = [digest_of(str(number)) for number in range(250)]
    assert len(await ecr.layers(WEB, digests)) == 250
    images = [ImageId(None, digest) for digest in digests[:101]]
    sandbox.faults.add(Fault(Answer.DENIED, operation="DescribeImages"))
    assert len(await ecr.images(WEB, images)) == 101
    sent = [len(request.digests) for request in sandbox.requests if request.digests]
    assert sent == [100, 100, 50]
    assert [r.operation for r in sandbox.requests].count("BatchGetImage") == 2


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer.THROTTLED, Throttled),
        (Answer.DENIED, AccessDenied),
        (Answer.DENIED_BY_REPOSITORY, AccessDenied),
        (Answer.SERVER_ERROR, Unreachable),
        (Answer.EMPTY_OBJECT, InconsistentAnswer),
        (Answer.HTML, InconsistentAnswer),
        (Answer.TRUNCATED, InconsistentAnswer),
        (Answer.CONNECTION_CLOSED, Unreachable),
        (Answer.HANG, TimedOut),
    ],
)
@pytest.mark.parametrize("operation", ["BatchGetImage", "BatchCheckLayerAvailability"])
@on_a_loop
async def test_whatever_ecr_does_instead_of_answering_is_an_error_for_each_question(
    ecr: Ecr,
    sandbox: SandboxEcr,
    pushed: Pushed,
    answer: Answer,
    operation: str,
    kind: type[RegistryError],
) -> None:
    sandbox.faults.add(Fault(answer, operation=operation))
    answers: list[object] = (
        [await image(ecr)]
        if operation == "BatchGetImage"
        else list((await ecr.layers(WEB, layers_of(pushed))).values())
    )
    assert answers
    assert {type(each) for each in answers} == {kind}
    assert all(str(each).endswith((".", "!")) for each in answers)


@pytest.mark.usefixtures("pushed")
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer.MANIFEST_NOT_JSON, Code.INCONSISTENT_ANSWER),
        (Answer.MANIFEST_OTHER_BYTES, Code.INCONSISTENT_ANSWER),
        (Answer.LAYERS_DROPPED, Code.INCONSISTENT_ANSWER),
        (Answer.DENIED, Code.ACCESS_DENIED),
        (Answer.TRUE, Code.AVAILABLE),
    ],
)
def test_an_image_with_a_wrong_answer_on_the_way_is_never_available(
    ecr: Ecr, sandbox: SandboxEcr, answer: Answer, code: Code
) -> None:
    sandbox.faults.add(Fault(answer))
    (finding,) = judged(ecr, use("shop/web:1"))
    assert finding.verdict.code is code


def test_each_question_is_sent_once_for_many_images(ecr: Ecr, sandbox: SandboxEcr) -> None:
    registry = sandbox.registry(ACCOUNT, REGION)
    for tag in ("1", "2", "3"):
        registry.push("shop/web", oci_image("same"), tag=tag)
    judged(ecr, *(use(f"shop/web:{tag}") for tag in ("1", "2", "3", "1")))
    digests = [digest for request in sandbox.requests for digest in request.digests]
    assert len(digests) == len(set(digests)) == 4
    assert ecr.calls == len(sandbox.requests)


@pytest.mark.usefixtures("pushed")
@on_a_loop
async def test_access_denied_says_who_asked_for_what(ecr: Ecr, sandbox: SandboxEcr) -> None:
    sandbox.faults.add(Fault(Answer.DENIED))
    assert str(await image(ecr)) == (
        "ECR says AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/sandbox/"
        "session is not authorized to perform: ecr:BatchGetImage on resource: arn:aws:ecr:"
        "eu-west-1:123456789012:repository/shop/web because no identity-based policy allows the "
        "ecr:BatchGetImage action."
    )


@on_a_loop
async def test_nobody_listens_is_unreachable() -> None:
    ecr = Ecr(QuickClient("http://127.0.0.1:1", Keys("nobody", "AKIAIOSFODNN7EXAMPLE", "secret")))
    assert isinstance(await image(ecr), Unreachable)


@on_a_loop
async def test_without_credentials_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_ENDPOINT_URL_ECR", "http://127.0.0.1:1")
    error = await image(Ecr(OrdinaryChain()))
    assert str(error) == "NoCredentialsError: Unable to locate credentials."
    monkeypatch.setenv("AWS_PROFILE", "absent")
    error = await image(Ecr(OrdinaryChain()))
    assert isinstance(error, RegistryError) and error.code is Code.NO_CREDENTIALS
    assert "absent" in str(error)


@pytest.mark.usefixtures("pushed")
@on_a_loop
async def test_the_ordinary_chain_follows_the_environment_and_retries_what_is_transient(
    sandbox: SandboxEcr, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    sandbox.faults.add(Fault(Answer.THROTTLED, first=1))
    patient = Ecr(OrdinaryChain())
    patient.set_retry_seconds(10)
    assert isinstance(await image(patient), ImageAnswer)
    assert [request.operation for request in sandbox.requests] == ["BatchGetImage"] * 2


@on_a_loop
async def test_one_request_that_hangs_costs_none_of_the_images_that_were_asked_about_with_it(
    ecr: Ecr, sandbox: SandboxEcr
) -> None:
    registry = sandbox.registry(ACCOUNT, REGION)
    ids = [ImageId(str(number), None) for number in range(20)]
    for each in ids:
        registry.push("shop/web", oci_image(f"web {each.tag}"), tag=each.tag)
    sandbox.faults.add(Fault(Answer.HANG, operation="BatchGetImage", first=1))
    ecr.set_retry_seconds(10)
    answers = await ecr.images(WEB, ids)
    assert all(isinstance(answers[each], ImageAnswer) for each in ids)
    assert [request.operation for request in sandbox.requests] == ["BatchGetImage"] * 2


class Scripted:
    """A client that answers what it is told to."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.answer = answer

    async def __call__(self, _region: str) -> Scripted:
        return self

    async def batch_check_layer_availability(self, **_: Any) -> dict[str, Any]:
        return self.answer

    batch_get_image = describe_images = batch_check_layer_availability


A = digest_of("a")


def layer(digest: Digest = A, availability: str = "AVAILABLE") -> dict[str, Any]:
    return {"layerDigest": str(digest), "layerAvailability": availability, "layerSize": 1}


def failure(code: str) -> dict[str, Any]:
    return {"layerDigest": str(A), "failureCode": code, "failureReason": "because"}


THERE = LayerAnswer(Availability.AVAILABLE, 1)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"layers": [layer()], "failures": []}, THERE),
        ({"layers": [layer()], "failures": None}, THERE),
        ({"layers": [layer(), layer()]}, THERE),
        ({"layers": [layer(), layer(digest_of("nobody asked"))]}, THERE),
        ({"failures": [failure("MissingLayerDigest")]}, LayerAnswer(Availability.UNAVAILABLE)),
        ({"layers": [layer(availability="ARCHIVED")]}, LayerAnswer(Availability.ARCHIVED, 1)),
        ({}, InconsistentAnswer),
        ({"layers": None, "failures": None}, InconsistentAnswer),
        ({"layers": [layer(digest_of("another"))]}, InconsistentAnswer),
        ({"layers": [layer(), layer(availability="UNAVAILABLE")]}, InconsistentAnswer),
        ({"layers": [layer()], "failures": [failure("MissingLayerDigest")]}, InconsistentAnswer),
        ({"layers": [layer(availability="HALF")]}, NotUnderstood),
        ({"failures": [failure("InvalidLayerDigest")]}, NotUnderstood),
    ],
)
@on_a_loop
async def test_every_digest_is_accounted_for_exactly_once_or_the_answer_is_inconsistent(
    answer: dict[str, Any], expected: object
) -> None:
    (said,) = (await Ecr(Scripted(answer)).layers(WEB, [A])).values()
    assert said == expected or type(said) is expected


@on_a_loop
async def test_a_config_is_downloaded_from_where_ecr_says(ecr: Ecr, pushed: Pushed) -> None:
    (digest,) = map(Digest.parse, pushed.configs)
    text = await config(ecr, digest)
    assert isinstance(text, str)
    assert parse_config(text, digest) == Platform("linux", "amd64")


@on_a_loop
async def test_a_config_that_is_not_there_is_an_error(
    ecr: Ecr, sandbox: SandboxEcr, pushed: Pushed
) -> None:
    (digest,) = map(Digest.parse, pushed.configs)
    sandbox.registry(ACCOUNT, REGION).lose_layer("shop/web", str(digest))
    assert isinstance(await config(ecr, digest), NotUnderstood)


@on_a_loop
async def test_a_registry_that_refuses_one_download_is_not_asked_again(
    ecr: Ecr, sandbox: SandboxEcr, pushed: Pushed
) -> None:
    (digest,) = map(Digest.parse, pushed.configs)
    operation = "GetDownloadUrlForLayer"
    sandbox.faults.add(Fault(Answer.DENIED, operation=operation, first=1))
    for other in (digest, digest_of("other"), digest):
        assert isinstance(await config(ecr, other), AccessDenied)
    assert [request.operation for request in sandbox.requests] == [operation]
    elsewhere = Repository(ACCOUNT, "us-east-1", "shop/web")
    assert not isinstance(await config(ecr, digest, elsewhere), AccessDenied)


ARM64, AMD64 = Platform("linux", "arm64"), Platform("linux", "amd64")
DOWNLOADS = ["GetDownloadUrlForLayer", "GetObject"]


def code(ecr: Ecr, tag: str = "1", wanted: Platform | None = ARM64) -> Code:
    (finding,) = judged(ecr, use(f"shop/web:{tag}", wanted))
    return finding.verdict.code


@pytest.mark.parametrize("build", [oci_image, docker_image])
def test_an_image_of_another_architecture_is_found_out_with_one_url_and_one_download(
    ecr: Ecr, sandbox: SandboxEcr, build: Callable[..., Image]
) -> None:
    sandbox.registry(ACCOUNT, REGION).push("shop/web", build("web"), tag="1")
    arm, amd = judged(ecr, use("shop/web:1", ARM64), use("shop/web:1", AMD64))
    assert (arm.verdict.code, amd.verdict.code) == (Code.PLATFORM_MISSING, Code.AVAILABLE)
    operations = [request.operation for request in sandbox.requests]
    # The config is asked for while the layers are.
    assert operations[0] == "BatchGetImage"
    assert sorted(operations[1:]) == sorted(["BatchCheckLayerAvailability", *DOWNLOADS])
    assert ecr.calls == len(operations)


@pytest.mark.usefixtures("pushed")
@pytest.mark.parametrize(
    ("answer", "operation"),
    [
        *(
            (answer, "GetDownloadUrlForLayer")
            for answer in (
                Answer.DENIED,
                Answer.DENIED_BY_REPOSITORY,
                Answer.THROTTLED,
                Answer.SERVER_ERROR,
                Answer.EMPTY_OBJECT,
                Answer.HTML,
                Answer.TRUNCATED,
                Answer.CONNECTION_CLOSED,
                Answer.HANG,
            )
        ),
        *(
            (answer, "GetObject")
            for answer in (
                Answer.GONE,
                Answer.OTHER_BYTES,
                Answer.HTML,
                Answer.TRUNCATED,
                Answer.SERVER_ERROR,
                Answer.CONNECTION_CLOSED,
            )
        ),
    ],
)
def test_whatever_stands_in_the_way_of_a_config_changes_nothing(
    ecr: Ecr, sandbox: SandboxEcr, answer: Answer, operation: str
) -> None:
    sandbox.faults.add(Fault(answer, operation=operation))
    assert code(ecr) is Code.AVAILABLE
    assert operation in {request.operation for request in sandbox.requests}


def test_a_config_that_is_too_large_is_not_read(ecr: Ecr, sandbox: SandboxEcr) -> None:
    image = oci_image("web")
    config = image.blobs[0]
    large = replace(config, content=config.content + b" " * MAX_BYTES)
    manifest = json.loads(image.manifest) | {"config": large.descriptor}
    image = replace(image, manifest=json.dumps(manifest), blobs=(large, *image.blobs[1:]))
    sandbox.registry(ACCOUNT, REGION).push("shop/web", image, tag="1")
    assert code(ecr) is Code.AVAILABLE
    assert "GetObject" in {request.operation for request in sandbox.requests}


def test_a_denied_download_costs_one_call_for_all_the_images_of_a_registry(
    ecr: Ecr, sandbox: SandboxEcr
) -> None:
    tags = ("1", "2", "3")
    for tag in tags:
        sandbox.registry(ACCOUNT, REGION).push("shop/web", oci_image(f"web{tag}"), tag=tag)
    sandbox.faults.add(Fault(Answer.DENIED, operation="GetDownloadUrlForLayer"))
    checker = Checker.asking(ecr)
    for tag in tags:
        (finding,) = checker.judge([use(f"shop/web:{tag}", ARM64)])
        assert finding.verdict.code is Code.AVAILABLE
    checker.close()
    operations = [request.operation for request in sandbox.requests]
    assert operations.count("GetDownloadUrlForLayer") == 1


@on_a_loop
async def test_a_download_that_s3_refuses_is_no_denial_of_the_registry(
    ecr: Ecr, sandbox: SandboxEcr, pushed: Pushed
) -> None:
    (digest,) = map(Digest, pushed.configs)
    sandbox.faults.add(Fault(Answer.SERVER_ERROR, operation="GetObject", first=1))
    assert isinstance(await config(ecr, digest), InconsistentAnswer)
    assert isinstance(await config(ecr, digest), str)


@on_a_loop
async def test_a_storage_that_cannot_be_reached_is_tried_once(
    sandbox: SandboxEcr, pushed: Pushed
) -> None:
    (digest,) = map(Digest, pushed.configs)
    tried: list[str] = []

    async def nobody(url: str) -> str:
        tried.append(url)
        raise RegistryError(Code.UNREACHABLE, "There is no route to the storage.")

    ecr = Ecr(QuickClient(sandbox.endpoint, sandbox.keys), nobody)
    assert isinstance(await config(ecr, digest), Unreachable)
    assert isinstance(await config(ecr, digest), RegistryError)
    assert len(tried) == 1


def test_an_image_of_an_index_or_for_no_known_machine_costs_no_download(
    ecr: Ecr, sandbox: SandboxEcr
) -> None:
    registry = sandbox.registry(ACCOUNT, REGION)
    both = image_index([oci_image("a"), oci_image("a", "arm64")], attestations=True)
    registry.push("shop/web", both, tag="index")
    registry.push("shop/web", oci_image("single"), tag="single")
    findings = judged(
        ecr,
        use("shop/web:index", ARM64),
        use("shop/web:index", Platform("windows", "amd64")),
        use("shop/web:single", None),
    )
    assert [each.verdict.code for each in findings] == [
        Code.AVAILABLE,
        Code.PLATFORM_MISSING,
        Code.AVAILABLE,
    ]
    assert not {request.operation for request in sandbox.requests} & {*DOWNLOADS}


@pytest.mark.parametrize(
    ("version", "code_"), [("10.0.20348", Code.AVAILABLE), ("10.0.17763", Code.PLATFORM_MISSING)]
)
def test_the_version_of_a_windows_image_without_an_index_is_compared(
    ecr: Ecr, sandbox: SandboxEcr, version: str, code_: Code
) -> None:
    image = docker_image("web", os="windows", os_version="10.0.20348.2031")
    sandbox.registry(ACCOUNT, REGION).push("shop/web", image, tag="1")
    assert code(ecr, "1", Platform("windows", "amd64", None, version)) is code_
