"""Checks of images with the real client over HTTP to the sandbox: verdicts, and what they cost."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import pytest
from layerguard.checking.checker import Checker
from layerguard.discovery import ImageUse
from layerguard.identity import Identity, StaticKeys
from layerguard.platform import Platform
from layerguard.registry.clients import Clients
from layerguard.registry.download import MAX_BYTES
from layerguard.registry.ecr import Ecr
from layerguard.verdict import Code, Verdict
from layerguard_sandbox.ecr import (
    Answer,
    Fault,
    Image,
    Pushed,
    SandboxEcr,
    docker_image,
    image_index,
    oci_image,
)

from tests.fakes import digest_of, use

ACCOUNT, REGION = "123456789012", "eu-west-1"


@pytest.fixture
def ecr(sandbox: SandboxEcr) -> Ecr:
    keys = StaticKeys(sandbox.keys.access_key, sandbox.keys.secret_key)
    endpoint = sandbox.endpoint
    return Ecr(Clients(Identity(keys=keys, ecr_endpoint=endpoint, sts_endpoint=endpoint)))


def checked(ecr: Ecr, *uses: ImageUse) -> tuple[Verdict, ...]:
    """Check with ``ecr``, whose event loop ends with this."""
    with closing(Checker.in_process(ecr)) as checker:
        return checker.check(uses)


def test_an_archived_image_by_tag_or_by_digest_is_distinguished_from_an_absent_one(
    ecr: Ecr, sandbox: SandboxEcr, pushed: Pushed
) -> None:
    sandbox.registry(ACCOUNT, REGION).archive_image("shop/web", "1")
    by_tag, by_digest, absent = checked(
        ecr,
        use("shop/web:1"),
        use(f"shop/web@{pushed.digest}"),
        use(f"shop/web@{digest_of('absent')}"),
    )
    assert by_tag.code is by_digest.code is Code.IMAGE_ARCHIVED
    assert absent.code is Code.IMAGE_NOT_FOUND


ARM64, AMD64 = Platform("linux", "arm64"), Platform("linux", "amd64")
DOWNLOADS = ["GetDownloadUrlForLayer", "GetObject"]


def code_of(ecr: Ecr, tag: str = "1", wanted: Platform | None = ARM64) -> Code:
    (verdict,) = checked(ecr, use(f"shop/web:{tag}", wanted))
    return verdict.code


@pytest.mark.parametrize("build", [oci_image, docker_image])
def test_the_platform_of_an_image_without_an_index_costs_one_url_and_one_download(
    ecr: Ecr, sandbox: SandboxEcr, build: Callable[..., Image]
) -> None:
    sandbox.registry(ACCOUNT, REGION).push("shop/web", build("web"), tag="1")
    arm, amd = checked(ecr, use("shop/web:1", ARM64), use("shop/web:1", AMD64))
    assert (arm.code, amd.code) == (Code.PLATFORM_MISSING, Code.AVAILABLE)
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
def test_a_config_that_cannot_be_read_changes_nothing(
    ecr: Ecr, sandbox: SandboxEcr, answer: Answer, operation: str
) -> None:
    sandbox.faults.add(Fault(answer, operation=operation))
    assert code_of(ecr) is Code.AVAILABLE
    assert operation in {request.operation for request in sandbox.requests}


def test_a_config_that_is_too_large_is_not_read(ecr: Ecr, sandbox: SandboxEcr) -> None:
    image = oci_image("web")
    config = image.blobs[0]
    large = replace(config, content=config.content + b" " * MAX_BYTES)
    manifest = json.loads(image.manifest) | {"config": large.descriptor}
    image = replace(image, manifest=json.dumps(manifest), blobs=(large, *image.blobs[1:]))
    sandbox.registry(ACCOUNT, REGION).push("shop/web", image, tag="1")
    assert code_of(ecr) is Code.AVAILABLE
    assert "GetObject" in {request.operation for request in sandbox.requests}


def test_a_denied_download_costs_one_call_for_all_the_images_of_a_registry(
    ecr: Ecr, sandbox: SandboxEcr
) -> None:
    tags = ("1", "2", "3")
    for tag in tags:
        sandbox.registry(ACCOUNT, REGION).push("shop/web", oci_image(f"web{tag}"), tag=tag)
    sandbox.faults.add(Fault(Answer.DENIED, operation="GetDownloadUrlForLayer"))
    with closing(Checker.in_process(ecr)) as checker:
        for tag in tags:
            (verdict,) = checker.check([use(f"shop/web:{tag}", ARM64)])
            assert verdict.code is Code.AVAILABLE
    operations = [request.operation for request in sandbox.requests]
    assert operations.count("GetDownloadUrlForLayer") == 1


def test_an_unknown_platform_or_one_that_is_not_there_costs_no_download(
    ecr: Ecr, sandbox: SandboxEcr
) -> None:
    registry = sandbox.registry(ACCOUNT, REGION)
    both = image_index([oci_image("a"), oci_image("a", "arm64")], attestations=True)
    registry.push("shop/web", both, tag="index")
    registry.push("shop/web", oci_image("single"), tag="single")
    verdicts = checked(
        ecr,
        use("shop/web:index", None),
        use("shop/web:index", Platform("windows", "amd64")),
        use("shop/web:single", None),
    )
    assert [each.code for each in verdicts] == [
        Code.AVAILABLE,
        Code.PLATFORM_MISSING,
        Code.AVAILABLE,
    ]
    assert not {request.operation for request in sandbox.requests} & {*DOWNLOADS}


@pytest.mark.parametrize(
    ("version", "code"), [("10.0.20348", Code.AVAILABLE), ("10.0.17763", Code.PLATFORM_MISSING)]
)
def test_the_version_of_a_windows_image_without_an_index_is_compared(
    ecr: Ecr, sandbox: SandboxEcr, version: str, code: Code
) -> None:
    image = docker_image("web", os="windows", os_version="10.0.20348.2031")
    sandbox.registry(ACCOUNT, REGION).push("shop/web", image, tag="1")
    assert code_of(ecr, "1", Platform("windows", "amd64", None, version)) is code
