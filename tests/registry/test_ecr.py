"""Ecr against the sandbox over HTTP: batches, accounting, listings, and every failure as a value."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import boto3
import pytest
from botocore.config import Config
from layerguard.manifest import Index, Manifest, parse_config, parse_manifest
from layerguard.platform import Platform
from layerguard.reference import Digest, ImageId, Repository
from layerguard.registry import (
    Availability,
    ImageAnswer,
    ImageListing,
    LayerAnswer,
    ListedImage,
    RegistryError,
    RepositoryNames,
)
from layerguard.registry.clients import OrdinaryChain
from layerguard.registry.connections import Connections
from layerguard.registry.ecr import Ecr
from layerguard.registry.wire import WireClient
from layerguard.verdict import Code
from layerguard_sandbox.ecr import (
    Answer,
    Fault,
    Keys,
    Pushed,
    SandboxEcr,
    docker_image,
    image_index,
    oci_image,
)

from tests.fakes import digest_of
from tests.registry.factories import ReadyClients
from tests.registry.loops import on_a_loop

ACCOUNT, REGION = "123456789012", "eu-west-1"
WEB = Repository(ACCOUNT, REGION, "shop/web")
ONE = ImageId("1", None)


@pytest.fixture
def ecr(sandbox: SandboxEcr) -> Ecr:
    return Ecr(quick_clients(sandbox.endpoint, sandbox.keys))


def quick_clients(endpoint: str, keys: Keys) -> ReadyClients:
    """Return clients that do not wait long and do not retry."""
    client = boto3.Session(keys.access_key, keys.secret_key).client(
        "ecr",
        region_name=REGION,
        endpoint_url=endpoint,
        config=Config(connect_timeout=2, read_timeout=1, retries={"total_max_attempts": 1}),
    )
    return ReadyClients(WireClient(client, Connections(2, 1), lambda: client))


def layers_of(pushed: Pushed) -> list[Digest]:
    return [Digest(text) for text in (*pushed.layers, *pushed.configs)]


async def image(ecr: Ecr, image_id: ImageId = ONE, repository: Repository = WEB) -> Any:
    return (await ecr.images(repository, [image_id]))[image_id]


def code_of(answer: object) -> Code | None:
    """Return the code of an error, None for an answer."""
    return answer.code if isinstance(answer, RegistryError) else None


def operations(sandbox: SandboxEcr) -> list[str]:
    return [request.operation for request in sandbox.requests]


async def config(ecr: Ecr, digest: Digest, repository: Repository = WEB) -> str | RegistryError:
    return (await ecr.configs(repository, [digest]))[digest]


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
async def test_an_absent_image_a_moved_tag_and_an_absent_repository_have_their_codes(
    ecr: Ecr, pushed: Pushed
) -> None:
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
    assert list(map(code_of, answers.values())) == [
        None,
        Code.IMAGE_NOT_FOUND,
        Code.IMAGE_NOT_FOUND,
        None,
        Code.INTERNAL_ERROR,
    ]
    absent = await image(ecr, repository=Repository(ACCOUNT, REGION, "shop/absent"))
    assert code_of(absent) is Code.REPOSITORY_NOT_FOUND
    assert "shop/absent" in str(absent)


@on_a_loop
async def test_99_absent_tags_cost_one_call_and_nothing_is_asked_to_explain_them(
    ecr: Ecr, sandbox: SandboxEcr, pushed: Pushed
) -> None:
    ids = [ONE, *(ImageId(f"absent-{number}", None) for number in range(99))]
    codes = list(map(code_of, (await ecr.images(WEB, ids)).values()))
    assert codes == [None, *[Code.IMAGE_NOT_FOUND] * 99]
    await ecr.images(Repository(ACCOUNT, REGION, "shop/absent"), [ONE])
    sandbox.faults.add(Fault(Answer.DENIED))
    await ecr.images(WEB, [ImageId(None, Digest(pushed.digest))])
    assert operations(sandbox) == ["BatchGetImage"] * 3
    assert not sandbox.sts_requests


@on_a_loop
async def test_an_inaccessible_image_is_an_error_that_names_the_failure(
    ecr: Ecr, sandbox: SandboxEcr, pushed: Pushed
) -> None:
    assert pushed
    sandbox.faults.add(Fault(Answer.IMAGES_FAILED, failure_code="ImageInaccessible"))
    answer = await image(ecr)
    assert code_of(answer) is Code.INTERNAL_ERROR
    assert str(answer).startswith("ECR says ImageInaccessible")


@on_a_loop
async def test_a_listing_has_archived_images_too(
    ecr: Ecr, sandbox: SandboxEcr, pushed: Pushed
) -> None:
    registry = sandbox.registry(ACCOUNT, REGION)
    archived = registry.push("shop/web", oci_image("old"), tag="old")
    registry.archive_image("shop/web", "old")
    listing = await ecr.listing(WEB)
    assert isinstance(listing, ImageListing)
    assert listing.complete
    found = {each.tags: (each.digest, each.is_archived) for each in listing.images}
    assert found == {
        ("1",): (Digest(pushed.digest), False),
        ("old",): (Digest(archived.digest), True),
    }
    assert all(each.pushed_at.endswith("+00:00") for each in listing.images)
    assert operations(sandbox) == ["DescribeImages"]


@on_a_loop
async def test_a_listing_that_is_refused_is_an_error(ecr: Ecr, sandbox: SandboxEcr) -> None:
    sandbox.faults.add(Fault(Answer.DENIED, operation="DescribeImages", first=1))
    assert code_of(await ecr.listing(WEB)) is Code.ACCESS_DENIED
    other = await ecr.listing(Repository(ACCOUNT, REGION, "shop/absent"))
    assert code_of(other) is Code.REPOSITORY_NOT_FOUND


class PagedClient:
    """Lists one entry a page, without end; what is listed under ``member`` is up to the test."""

    def __init__(self, member: str, entry: object, end: int = sys.maxsize) -> None:
        self.requests: list[dict[str, Any]] = []
        self._member, self._entry, self._end = member, entry, end

    async def describe_images(self, **parameters: Any) -> dict[str, Any]:
        self.requests.append(parameters)
        if len(self.requests) > self._end:
            raise TimeoutError
        return {self._member: [self._entry], "nextToken": str(len(self.requests))}

    describe_repositories = describe_images


PUSHED_AT = datetime(2026, 3, 1, 12, 30, tzinfo=timezone(timedelta(hours=2)))
ENTRY = {"imageDigest": str(digest_of("a")), "imageTags": ["1", "2"], "imagePushedAt": PUSHED_AT}
LISTED = ListedImage(digest_of("a"), ("1", "2"), False, "2026-03-01T10:30:00.000000+00:00")


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (ENTRY, LISTED),
        ({**ENTRY, "imageStatus": "ACTIVE"}, LISTED),
        ({**ENTRY, "imageStatus": "ARCHIVED"}, replace(LISTED, is_archived=True)),
        ({**ENTRY, "imageStatus": "ACTIVATING"}, replace(LISTED, is_archived=True)),
        ({**ENTRY, "imageStatus": ["ARCHIVED"]}, LISTED),
        ({**ENTRY, "imageTags": None}, replace(LISTED, tags=())),
        ({**ENTRY, "imageTags": ["1", None, 2]}, replace(LISTED, tags=("1",))),
        ({**ENTRY, "imagePushedAt": None}, replace(LISTED, pushed_at="")),
        ({**ENTRY, "imagePushedAt": datetime.max.replace(tzinfo=timezone(timedelta(hours=-2)))}, replace(LISTED, pushed_at="")),
        ({**ENTRY, "imageDigest": "sha256:0"}, None),
        ({}, None),
        (None, None),
    ],
)  # fmt: skip
@on_a_loop
async def test_an_entry_of_a_listing_is_parsed_and_a_malformed_one_is_left_out(
    entry: object, expected: ListedImage | None
) -> None:
    client = PagedClient("imageDetails", entry)
    listing = await Ecr(ReadyClients(client)).listing(WEB)
    assert listing == ImageListing((expected,) * 10 if expected else (), complete=False)


@on_a_loop
async def test_a_listing_ends_after_ten_pages_or_where_a_later_page_fails() -> None:
    endless = PagedClient("imageDetails", ENTRY)
    listing = await Ecr(ReadyClients(endless)).listing(WEB)
    assert listing == ImageListing((LISTED,) * 10, complete=False)
    assert [each.get("nextToken") for each in endless.requests] == [None, *map(str, range(1, 10))]
    assert {each["maxResults"] for each in endless.requests} == {1000}
    assert {each["filter"]["imageStatus"] for each in endless.requests} == {"ANY"}
    broken = PagedClient("imageDetails", ENTRY, end=3)
    listing = await Ecr(ReadyClients(broken)).listing(WEB)
    assert listing == ImageListing((LISTED,) * 3, complete=False)
    assert isinstance(
        await Ecr(ReadyClients(PagedClient("imageDetails", ENTRY, end=0))).listing(WEB),
        RegistryError,
    )


def test_an_image_in_a_listing_is_found_by_its_digest_and_its_tag() -> None:
    listing = ImageListing((LISTED, ListedImage(digest_of("b"), ())), complete=True)
    assert listing.find(ImageId("2", None)) is LISTED
    assert listing.find(ImageId(None, digest_of("a"))) is LISTED
    assert listing.find(ImageId("1", digest_of("a"))) is LISTED
    assert listing.find(ImageId("3", digest_of("a"))) is None
    assert listing.find(ImageId("1", digest_of("b"))) is None
    assert listing.find(ImageId("3", None)) is None
    assert listing.find(ImageId(None, digest_of("c"))) is None


@pytest.mark.usefixtures("pushed")
@on_a_loop
async def test_the_names_of_a_registrys_repositories_are_listed(
    ecr: Ecr, sandbox: SandboxEcr
) -> None:
    absent = Repository(ACCOUNT, REGION, "shop/absent")
    assert await ecr.repository_names(absent) == RepositoryNames(("shop/web",), complete=True)
    sandbox.faults.add(Fault(Answer.DENIED))
    elsewhere = Repository("210987654321", REGION, "shop/web")
    assert code_of(await ecr.repository_names(elsewhere)) is Code.ACCESS_DENIED


@on_a_loop
async def test_names_that_are_no_texts_are_left_out() -> None:
    client = PagedClient("repositories", {"repositoryName": 5})
    names = await Ecr(ReadyClients(client)).repository_names(WEB)
    assert names == RepositoryNames((), complete=False)


@pytest.mark.parametrize(
    "answer", [Answer.THROTTLED, Answer.SERVER_ERROR, Answer.CONNECTION_CLOSED]
)
@on_a_loop
async def test_calls_that_no_verdict_waits_for_are_not_tried_again(
    ecr: Ecr, sandbox: SandboxEcr, pushed: Pushed, answer: Answer
) -> None:
    ecr.set_retry_seconds(600)
    names = ("DescribeImages", "DescribeRepositories", "GetDownloadUrlForLayer")
    for operation in names:
        sandbox.faults.add(Fault(answer, operation=operation))
    assert isinstance(await ecr.listing(WEB), RegistryError)
    assert isinstance(await ecr.repository_names(WEB), RegistryError)
    (digest,) = map(Digest, pushed.configs)
    assert isinstance(await config(ecr, digest), RegistryError)
    # A request on a connection that was reused is sent once more on a new one.
    assert all(1 <= operations(sandbox).count(each) <= 2 for each in names)


@on_a_loop
async def test_the_account_and_region_of_the_repository_are_asked(
    sandbox: SandboxEcr, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    ecr = Ecr(OrdinaryChain())
    sandbox.registry("210987654321", "us-east-1").push("shop/web", oci_image("other"), tag="1")
    assert code_of(await image(ecr)) is Code.REPOSITORY_NOT_FOUND
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
    assert len(await ecr.images(WEB, images)) == 101
    sent = [len(request.digests) for request in sandbox.requests if request.digests]
    assert sent == [100, 100, 50]
    assert operations(sandbox).count("BatchGetImage") == 2


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer.THROTTLED, Code.THROTTLED),
        (Answer.DENIED, Code.ACCESS_DENIED),
        (Answer.DENIED_BY_REPOSITORY, Code.ACCESS_DENIED),
        (Answer.SERVER_ERROR, Code.UNREACHABLE),
        (Answer.EMPTY_OBJECT, Code.INCONSISTENT_ANSWER),
        (Answer.HTML, Code.INCONSISTENT_ANSWER),
        (Answer.TRUNCATED, Code.INCONSISTENT_ANSWER),
        (Answer.CONNECTION_CLOSED, Code.UNREACHABLE),
        (Answer.HANG, Code.TIMED_OUT),
    ],
)
@pytest.mark.parametrize("operation", ["BatchGetImage", "BatchCheckLayerAvailability"])
@on_a_loop
async def test_any_failure_of_a_call_is_an_error_for_each_of_its_questions(
    ecr: Ecr,
    sandbox: SandboxEcr,
    pushed: Pushed,
    answer: Answer,
    operation: str,
    code: Code,
) -> None:
    sandbox.faults.add(Fault(answer, operation=operation))
    answers: list[object] = (
        [await image(ecr)]
        if operation == "BatchGetImage"
        else list((await ecr.layers(WEB, layers_of(pushed))).values())
    )
    assert set(map(code_of, answers)) == {code}
    assert all(str(each).endswith((".", "!")) for each in answers)


@pytest.mark.usefixtures("pushed")
@on_a_loop
async def test_access_denied_names_the_caller_the_action_and_the_policy(
    ecr: Ecr, sandbox: SandboxEcr
) -> None:
    sandbox.faults.add(Fault(Answer.DENIED))
    answer = await image(ecr)
    assert str(answer) == (
        "ECR says AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/sandbox/"
        "session is not authorized to perform: ecr:BatchGetImage on resource: arn:aws:ecr:"
        "eu-west-1:123456789012:repository/shop/web because no identity-based policy allows the "
        "ecr:BatchGetImage action."
    )
    assert answer.next_step.startswith(
        "add to the identity policy of arn:aws:sts::123456789012:assumed-role/sandbox/session: "
    )


@on_a_loop
async def test_a_refused_connection_is_unreachable() -> None:
    keys = Keys("arn", "AKIAIOSFODNN7EXAMPLE", "secret")
    answer = await image(Ecr(quick_clients("http://127.0.0.1:1", keys)))
    assert code_of(answer) is Code.UNREACHABLE


@pytest.mark.usefixtures("pushed")
@on_a_loop
async def test_the_ordinary_chain_uses_the_environment_and_retries_transient_failures(
    sandbox: SandboxEcr, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    sandbox.faults.add(Fault(Answer.THROTTLED, first=1))
    ecr = Ecr(OrdinaryChain())
    ecr.set_retry_seconds(10)
    assert isinstance(await image(ecr), ImageAnswer)
    assert operations(sandbox) == ["BatchGetImage"] * 2


@on_a_loop
async def test_a_request_that_hangs_is_sent_again_for_all_of_its_images(
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
    assert operations(sandbox) == ["BatchGetImage"] * 2


class AnsweringClient:
    """Gives the same answer to each call."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self._answer = answer

    async def batch_check_layer_availability(self, **_: Any) -> dict[str, Any]:
        return self._answer

    batch_get_image = batch_check_layer_availability


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
        ({"layers": [layer(), layer(digest_of("not asked for"))]}, THERE),
        ({"failures": [failure("MissingLayerDigest")]}, LayerAnswer(Availability.UNAVAILABLE)),
        ({"layers": [layer(availability="ARCHIVED")]}, LayerAnswer(Availability.ARCHIVED, 1)),
        ({}, Code.INCONSISTENT_ANSWER),
        ({"layers": None, "failures": None}, Code.INCONSISTENT_ANSWER),
        ({"layers": [layer(digest_of("another"))]}, Code.INCONSISTENT_ANSWER),
        ({"layers": [layer(), layer(availability="UNAVAILABLE")]}, Code.INCONSISTENT_ANSWER),
        (
            {"layers": [layer()], "failures": [failure("MissingLayerDigest")]},
            Code.INCONSISTENT_ANSWER,
        ),
        ({"layers": [layer(availability="HALF")]}, Code.INTERNAL_ERROR),
        ({"failures": [failure("InvalidLayerDigest")]}, Code.INTERNAL_ERROR),
    ],
)
@on_a_loop
async def test_every_digest_is_accounted_for_exactly_once_or_the_answer_is_inconsistent(
    answer: dict[str, Any], expected: object
) -> None:
    (actual,) = (await Ecr(ReadyClients(AnsweringClient(answer))).layers(WEB, [A])).values()
    assert expected in (actual, code_of(actual))


@on_a_loop
async def test_a_config_is_downloaded_from_ecrs_url(ecr: Ecr, pushed: Pushed) -> None:
    (digest,) = map(Digest.parse, pushed.configs)
    text = await config(ecr, digest)
    assert isinstance(text, str)
    assert parse_config(text, digest).platform == Platform("linux", "amd64")


@on_a_loop
async def test_an_absent_config_is_an_error(ecr: Ecr, sandbox: SandboxEcr, pushed: Pushed) -> None:
    (digest,) = map(Digest.parse, pushed.configs)
    sandbox.registry(ACCOUNT, REGION).lose_layer("shop/web", str(digest))
    assert code_of(await config(ecr, digest)) is Code.INTERNAL_ERROR


@on_a_loop
async def test_a_registry_that_denies_a_download_url_is_not_asked_again(
    ecr: Ecr, sandbox: SandboxEcr, pushed: Pushed
) -> None:
    (digest,) = map(Digest.parse, pushed.configs)
    operation = "GetDownloadUrlForLayer"
    sandbox.faults.add(Fault(Answer.DENIED, operation=operation, first=1))
    for other in (digest, digest_of("other"), digest):
        assert code_of(await config(ecr, other)) is Code.ACCESS_DENIED
    assert operations(sandbox) == [operation]
    elsewhere = Repository("210987654321", REGION, "shop/web")
    assert code_of(await config(ecr, digest, elsewhere)) is Code.REPOSITORY_NOT_FOUND


@on_a_loop
async def test_a_failed_download_does_not_stop_later_ones(
    ecr: Ecr, sandbox: SandboxEcr, pushed: Pushed
) -> None:
    (digest,) = map(Digest, pushed.configs)
    sandbox.faults.add(Fault(Answer.SERVER_ERROR, operation="GetObject", first=1))
    assert code_of(await config(ecr, digest)) is Code.INCONSISTENT_ANSWER
    assert isinstance(await config(ecr, digest), str)


@on_a_loop
async def test_a_storage_that_cannot_be_reached_is_tried_once(
    sandbox: SandboxEcr, pushed: Pushed
) -> None:
    (digest,) = map(Digest, pushed.configs)
    sandbox.faults.add(Fault(Answer.CONNECTION_CLOSED, operation="GetObject"))
    ecr = Ecr(quick_clients(sandbox.endpoint, sandbox.keys))
    assert code_of(await config(ecr, digest)) is Code.UNREACHABLE
    asked = len(sandbox.requests)
    assert isinstance(await config(ecr, digest), RegistryError)
    assert len(sandbox.requests) == asked
