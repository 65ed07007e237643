"""The check of one image: what is proven, what is not known, and the words of the verdict."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest
from layerguard.checking.call_queue import CallQueue
from layerguard.checking.image import check_image
from layerguard.checking.questions import Questions, RegistryLoaders
from layerguard.manifest import ManifestForm
from layerguard.platform import Platform
from layerguard.reference import ImageId, Repository
from layerguard.registry import (
    Availability,
    ImageListing,
    LayerAnswer,
    ListedImage,
    RegistryError,
)
from layerguard.verdict import Code, State, Verdict

from tests.fakes import (
    OCI_CONFIG,
    OCI_LAYER,
    OCI_MANIFEST,
    WEB,
    Document,
    FakeRegistry,
    digest_of,
    index,
    manifest,
    reference,
)
from tests.processes import PATIENCE

AMD64 = Platform("linux", "amd64")
ARM64 = Platform("linux", "arm64")


def check(
    registry: FakeRegistry,
    wanted: Platform | None = None,
    rest: str = "shop/web:1",
    patience: float = PATIENCE,
) -> Verdict:
    async def run() -> Verdict:
        loaders = RegistryLoaders(registry, CallQueue(2))
        questions = Questions(loaders, patience=patience)
        return await asyncio.wait_for(check_image(reference(rest), wanted, questions), PATIENCE)

    return asyncio.run(run())


def asked(registry: FakeRegistry) -> list[str]:
    return [question for _, question in registry.questions]


def test_an_image_is_available_when_every_digest_is() -> None:
    registry = FakeRegistry()
    image = registry.put(manifest("one", "two"), "1")
    verdict = check(registry)
    assert (verdict.code, verdict.digest) == (Code.AVAILABLE, image.digest)
    assert len(verdict.manifests[0].blobs) == 3


def test_a_missing_layer_is_named_with_its_place_and_size() -> None:
    registry = FakeRegistry()
    image = registry.put(manifest("one", "second", "three"), "1")
    lost = registry.lose("second")
    verdict = check(registry, AMD64)
    assert verdict.code is Code.LAYER_MISSING
    assert verdict.lines == (
        "The image's manifest is in ECR, and at least one of its layers (or its config) is not.",
        f"digest: {image.digest}",
        "platform: linux/amd64",
        "layers: 1 of 4 is not available:",
        f"  {lost} UNAVAILABLE (layer 2 of 3, 6 bytes)",
        "next step: push the image again, which uploads what is missing: "
        "docker push 123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:1",
    )


def test_a_missing_config_is_a_missing_layer() -> None:
    registry = FakeRegistry()
    registry.put(manifest("one", config="the config"), "1")
    lost = registry.lose("the config")
    verdict = check(registry)
    assert verdict.code is Code.LAYER_MISSING
    assert f"  {lost} UNAVAILABLE (config, 10 bytes)" in verdict.lines


def test_an_archived_layer_is_not_a_missing_one() -> None:
    registry = FakeRegistry()
    registry.put(manifest("one"), "1")
    registry.lose("one", Availability.ARCHIVED)
    assert check(registry).code is Code.LAYER_ARCHIVED


def test_every_bad_layer_is_reported_and_a_missing_one_decides() -> None:
    registry = FakeRegistry()
    registry.put(manifest("one", "two", "three"), "1")
    registry.lose("one", Availability.ARCHIVED)
    registry.lose("three")
    registry.layer_answers[digest_of("two")] = RegistryError(
        Code.INCONSISTENT_ANSWER, "Not accounted for."
    )
    verdict = check(registry)
    assert verdict.code is Code.LAYER_MISSING
    assert [bad.state.value for bad in verdict.manifests[0].bad] == [
        "ARCHIVED",
        "not accounted for",
        "UNAVAILABLE",
    ]
    assert verdict.reason.endswith("Not accounted for.")


def test_of_an_index_only_the_wanted_platform_is_asked_about() -> None:
    registry = FakeRegistry()
    amd64, arm64 = registry.put(manifest("a")), registry.put(manifest("b"))
    top = registry.put(index(amd64.child("linux/amd64"), arm64.child("linux/arm64")), "1")
    registry.lose("a")
    assert check(registry, ARM64).code is Code.AVAILABLE
    assert asked(registry) == [
        ":1",
        f"@{arm64.digest}",
        *sorted([str(digest_of("b")), str(digest_of("config"))]),
    ]
    verdict = check(registry, AMD64)
    assert (verdict.code, verdict.digest) == (Code.LAYER_MISSING, top.digest)
    assert (
        f"layers: 1 of 2 is not available in its manifest {amd64.digest} for linux/amd64:"
        in verdict.lines
    )


def test_without_a_platform_every_runnable_child_must_be_there() -> None:
    registry = FakeRegistry()
    amd64, arm64 = registry.put(manifest("a")), registry.put(manifest("b"))
    registry.put(index(amd64.child("linux/amd64"), arm64.child("linux/arm64")), "1")
    assert check(registry).code is Code.AVAILABLE
    registry.lose("a")
    assert check(registry).code is Code.LAYER_MISSING


def test_an_attestation_is_not_asked_about() -> None:
    registry = FakeRegistry()
    image, attestation = registry.put(manifest("a")), manifest("attestation")
    registry.put(index(image.child("linux/amd64"), attestation.child("unknown/unknown")), "1")
    registry.lose("attestation")
    assert check(registry).code is Code.AVAILABLE
    assert f"@{attestation.digest}" not in asked(registry)


def test_a_platform_that_an_index_lacks_is_reported_with_those_that_it_has() -> None:
    registry = FakeRegistry()
    amd64, arm64 = registry.put(manifest("a")), registry.put(manifest("b"))
    registry.put(index(amd64.child("linux/amd64"), arm64.child("linux/arm64")), "1")
    verdict = check(registry, Platform("windows", "amd64"))
    assert verdict.code is Code.PLATFORM_MISSING
    assert verdict.reason == (
        "The image has no manifest for windows/amd64; it has linux/amd64, linux/arm64."
    )
    assert "docker buildx build --platform windows/amd64 --push ..." in verdict.next_step


def test_an_index_without_anything_runnable_lacks_every_platform() -> None:
    registry = FakeRegistry()
    registry.put(index(manifest("a").child("unknown/unknown")), "1")
    verdict = check(registry)
    assert verdict.code is Code.PLATFORM_MISSING
    assert verdict.reason == (
        "The image has no manifest for any platform; it has no runnable manifest at all."
    )


def test_a_child_without_a_platform_may_be_the_wanted_one() -> None:
    registry = FakeRegistry()
    child = registry.put(manifest("a"))
    registry.put(index(child.child()), "1")
    registry.lose("a")
    assert check(registry, ARM64).code is Code.LAYER_MISSING


def test_an_index_in_an_index_is_followed() -> None:
    registry = FakeRegistry()
    amd64 = registry.put(manifest("a"))
    inner = registry.put(index(amd64.child("linux/amd64")))
    registry.put(index(inner.child()), "1")
    assert check(registry, AMD64).code is Code.AVAILABLE
    registry.lose("a")
    assert check(registry, AMD64).code is Code.LAYER_MISSING
    assert check(registry, ARM64).code is Code.PLATFORM_MISSING


def test_a_child_that_is_gone_is_named() -> None:
    registry = FakeRegistry()
    gone, there = manifest("a"), registry.put(manifest("b"))
    registry.put(index(gone.child("linux/amd64"), there.child("linux/arm64")), "1")
    verdict = check(registry)
    assert verdict.code is Code.IMAGE_NOT_FOUND
    assert verdict.reason == (
        "ECR says ImageNotFound: Requested image not found. "
        f"It is the index's manifest {gone.digest} for linux/amd64."
    )


def test_a_tag_that_does_not_exist_is_not_a_missing_layer() -> None:
    verdict = check(FakeRegistry())
    assert verdict.code is Code.IMAGE_NOT_FOUND
    assert verdict.next_step == (
        "push the image, or correct the tag or digest; the tags that are there: "
        "aws ecr describe-images --registry-id 123456789012 --region eu-west-1 "
        "--repository-name shop/web --query 'imageDetails[].imageTags[]'"
    )


@pytest.mark.parametrize("code", [Code.REPOSITORY_NOT_FOUND, Code.KMS, Code.ACCESS_DENIED], ids=str)
def test_a_refusal_of_ecr_is_the_verdict(code: Code) -> None:
    registry = FakeRegistry()
    registry.image_answers[ImageId("1", None)] = RegistryError(code, "No.")
    verdict = check(registry)
    assert (verdict.code, verdict.reason) == (code, "No.")


def test_a_denial_reports_no_layer_as_bad() -> None:
    registry = FakeRegistry()
    registry.put(manifest("one"), "1")
    for content in ("one", "config"):
        registry.layer_answers[digest_of(content)] = RegistryError(Code.ACCESS_DENIED, "No.")
    verdict = check(registry)
    assert (verdict.code, verdict.reason) == (Code.ACCESS_DENIED, "No.")
    assert verdict.manifests[0].bad == ()


def test_a_manifest_that_is_not_json_is_never_available() -> None:
    registry = FakeRegistry()
    registry.put(Document("<html>", ""), "1")
    verdict = check(registry)
    assert verdict.code is Code.MANIFEST_UNREADABLE
    assert verdict.state is State.UNDETERMINED


def test_the_next_step_of_a_reference_by_digest_is_not_to_push_a_tag() -> None:
    registry = FakeRegistry()
    image = registry.put(manifest("one"))
    registry.lose("one")
    verdict = check(registry, rest=f"shop/web@{image.digest}")
    assert verdict.code is Code.LAYER_MISSING
    assert verdict.next_step == (
        "push this image again under a tag of this repository, which uploads what is missing, "
        "or refer to a newer image."
    )


ONE_LAYER = {"rootfs": {"diff_ids": ["one"]}}


def config(architecture: str, os: str = "linux") -> str:
    return json.dumps(ONE_LAYER | {"os": os, "architecture": architecture})


def single(registry: FakeRegistry, text: str) -> Document:
    """Put an image without an index into ``registry``, with a config that can be read."""
    registry.config_texts[digest_of(text)] = text
    return registry.put(manifest("one", config=text), "1")


def test_the_platform_of_an_image_without_an_index_is_in_its_config() -> None:
    registry = FakeRegistry()
    image = single(registry, config("arm64"))
    verdict = check(registry, AMD64)
    assert verdict.lines[:3] == (
        "The image is for linux/arm64 only, and it is to run on linux/amd64.",
        f"digest: {image.digest}",
        "platform: linux/amd64",
    )
    assert verdict.code is Code.PLATFORM_MISSING
    verdict = check(registry, ARM64)
    assert verdict.code is Code.AVAILABLE
    assert [report.platform for report in verdict.manifests] == [ARM64]


def test_a_config_is_read_only_of_what_runs_on_the_wanted_platform() -> None:
    registry = FakeRegistry()
    children = [registry.put(manifest("one", config=config(name))) for name in ("amd64", "arm64")]
    registry.put(index(children[0].child("linux/amd64"), children[1].child("linux/arm64")), "1")
    assert check(registry, None).code is Code.AVAILABLE
    assert registry.config_questions == []
    assert check(registry, AMD64).code is Code.AVAILABLE
    assert registry.config_questions == [digest_of(config("amd64"))]


@pytest.mark.parametrize(
    "platform",
    [
        {"os": "linux", "architecture": "amd64"},
        {"os": "Linux", "architecture": "x86_64"},
        {"architecture": "amd64"},
    ],
)
def test_a_config_that_contradicts_its_index_is_a_notice(platform: dict[str, str]) -> None:
    registry = FakeRegistry()
    registry.config_texts[digest_of(config("arm64"))] = config("arm64")
    child = registry.put(manifest("one", config=config("arm64")))
    registry.put(index(child.child() | {"platform": platform}), "1")
    verdict = check(registry, AMD64)
    assert (verdict.code, verdict.is_certain) == (Code.PLATFORM_MISSING, False)
    assert verdict.reason == (
        f"The index has the manifest {child.digest} for linux/amd64, and its config is for "
        "linux/arm64."
    )
    del registry.config_texts[digest_of(config("arm64"))]
    assert check(registry, AMD64).code is Code.AVAILABLE


def test_a_lost_layer_decides_over_the_platform_in_the_config() -> None:
    registry = FakeRegistry()
    single(registry, config("arm64"))
    registry.lose("one")
    assert check(registry, AMD64).code is Code.LAYER_MISSING


def test_a_config_that_was_read_proves_its_platform_although_its_layer_was_denied() -> None:
    registry = FakeRegistry()
    single(registry, config("arm64"))
    registry.layer_answers[digest_of(config("arm64"))] = RegistryError(Code.ACCESS_DENIED, "No.")
    assert check(registry, AMD64).code is Code.PLATFORM_MISSING
    assert check(registry, ARM64).code is Code.ACCESS_DENIED


def with_config(**members: object) -> Document:
    document = json.loads(manifest("one", config=config("arm64")).text)
    document["config"] |= members
    return Document(json.dumps(document), OCI_MANIFEST)


def test_a_platform_in_the_manifest_itself_counts_without_a_config() -> None:
    registry = FakeRegistry()
    platform = {"os": "linux", "architecture": "arm64"}
    registry.put(with_config(platform=platform), "1")
    assert check(registry, AMD64).code is Code.PLATFORM_MISSING
    assert check(registry, ARM64).code is Code.AVAILABLE


@pytest.mark.parametrize(
    "platform", ["linux/arm64", {"os": "linux"}, {"architecture": None}, 1, {}]
)
def test_a_malformed_platform_beside_a_config_is_ignored(platform: object) -> None:
    registry = FakeRegistry()
    registry.put(with_config(platform=platform), "1")
    assert check(registry, AMD64).code is Code.AVAILABLE


def odd(
    registry: FakeRegistry, config_type: str = OCI_CONFIG, layer_type: str = OCI_LAYER, **more: Any
) -> Document:
    """Put a manifest of other media types into ``registry``."""
    document = json.loads(manifest("one").text) | more
    document["config"]["mediaType"] = config_type
    document["layers"][0]["mediaType"] = layer_type
    return registry.put(Document(json.dumps(document), OCI_MANIFEST), "1")


def test_a_chart_is_no_image_and_its_config_is_not_read() -> None:
    registry = FakeRegistry()
    odd(registry, "application/vnd.cncf.helm.config.v1+json")
    verdict = check(registry, AMD64)
    assert (verdict.code, verdict.is_certain) == (Code.NOT_AN_IMAGE, True)
    assert verdict.reason == (
        "The reference leads to something other than a container image, such as a chart, a "
        "signature or a build cache. Its config has the type "
        "'application/vnd.cncf.helm.config.v1+json', which is not that of an image."
    )
    assert registry.config_questions == []


def test_a_layer_that_an_artifact_lacks_goes_before_what_it_is() -> None:
    registry = FakeRegistry()
    odd(registry, "application/vnd.cncf.helm.config.v1+json")
    registry.lose("one")
    assert check(registry, AMD64).code is Code.LAYER_MISSING


def test_what_some_runtimes_run_is_not_certain_and_hides_nothing() -> None:
    registry = FakeRegistry()
    odd(registry, "application/vnd.wasm.config.v0+json", "application/wasm")
    verdict = check(registry, AMD64)
    assert (verdict.code, verdict.is_certain) == (Code.NOT_AN_IMAGE, False)
    registry.layer_answers[digest_of("one")] = RegistryError(Code.ACCESS_DENIED, "No.")
    verdict = check(registry, AMD64)
    assert (verdict.code, verdict.is_certain) == (Code.ACCESS_DENIED, True)


@pytest.mark.parametrize(
    ("text", "layers", "listed"),
    [
        (config("amd64"), ("one", "two"), 1),
        (config("amd64"), (), 1),
        ('{"os": "linux", "architecture": "amd64"}', ("one",), 0),
        ('{"name": "a chart"}', ("one",), 0),
        ("no JSON", ("one",), 0),
    ],
)
def test_a_config_that_lists_other_layers_than_the_manifest_is_a_notice(
    text: str, layers: tuple[str, ...], listed: int
) -> None:
    registry = FakeRegistry()
    registry.config_texts[digest_of(text)] = text
    registry.put(manifest(*layers, config=text), "1")
    verdict = check(registry, AMD64)
    assert (verdict.code, verdict.is_certain) == (Code.NOT_AN_IMAGE, False)
    assert verdict.reason.endswith(
        f" Its config lists {listed} layers and its manifest {len(layers)}, which runtimes do not "
        "unpack."
    )


def test_the_config_of_an_image_without_layers_is_read_in_an_index_too() -> None:
    registry = FakeRegistry()
    registry.config_texts[digest_of(config("amd64"))] = config("amd64")
    child = registry.put(manifest(config=config("amd64")))
    registry.put(index(child.child("linux/amd64")), "1")
    assert check(registry, AMD64).code is Code.NOT_AN_IMAGE


def test_an_empty_list_of_layers_in_a_config_says_nothing() -> None:
    registry = FakeRegistry()
    text = '{"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": []}}'
    registry.config_texts[digest_of(text)] = text
    registry.put(manifest("one", config=text), "1")
    verdict = check(registry, AMD64)
    assert (verdict.code, verdict.is_certain) == (Code.AVAILABLE, True)


ROCKET = "application/vnd.acme.rocket.config.v1+json"


@pytest.mark.parametrize("config_type", [ROCKET, "application/octet-stream"])
def test_a_config_of_another_type_that_is_an_images_is_run_by_some_runtimes(
    config_type: str,
) -> None:
    registry = FakeRegistry()
    registry.config_texts[digest_of(config("amd64"))] = config("amd64")
    document = json.loads(manifest("one", config=config("amd64")).text)
    document["config"]["mediaType"] = config_type
    registry.put(Document(json.dumps(document), OCI_MANIFEST), "1")
    verdict = check(registry, None)
    assert (verdict.code, verdict.is_certain) == (Code.AVAILABLE, False)
    assert verdict.reason == (
        f"Every layer is in ECR. Its config has the type '{config_type}', which is not that of an "
        "image. Its content is, so containerd runs it, and other runtimes may not."
    )


@pytest.mark.parametrize(("text", "is_certain"), [('{"name": "rocket"}', True), (None, False)])
def test_a_config_of_another_type_is_no_images_where_its_content_is_none(
    text: str | None, is_certain: bool
) -> None:
    registry = FakeRegistry()
    odd(registry, ROCKET)
    if text:
        document = json.loads(manifest("one", config=text).text)
        document["config"]["mediaType"] = ROCKET
        registry.config_texts[digest_of(text)] = text
        registry.put(Document(json.dumps(document), OCI_MANIFEST), "1")
    verdict = check(registry, None)
    assert (verdict.code, verdict.is_certain) == (Code.NOT_AN_IMAGE, is_certain)


URL, MIRROR = "https://layers.example.com/one", "https://mirror.example.com/one"
GONE = LayerAnswer(Availability.UNAVAILABLE)
BROKEN = RegistryError(Code.UPSTREAM, "The URL does not answer.")


@pytest.mark.parametrize(
    ("at_url", "at_mirror", "is_in_ecr", "code"),
    [
        (None, None, False, Code.AVAILABLE),
        (None, BROKEN, False, Code.AVAILABLE),
        (GONE, None, False, Code.AVAILABLE),
        (GONE, GONE, True, Code.AVAILABLE),
        (GONE, GONE, False, Code.LAYER_MISSING),
        (BROKEN, None, True, Code.UPSTREAM),
        (GONE, BROKEN, True, Code.UPSTREAM),
    ],
)
def test_the_first_url_of_a_layer_that_does_not_lack_it_decides_and_then_ecr(
    at_url: LayerAnswer | RegistryError | None,
    at_mirror: LayerAnswer | RegistryError | None,
    is_in_ecr: bool,
    code: Code,
) -> None:
    registry = FakeRegistry()
    document = json.loads(manifest("one").text)
    document["layers"][0]["urls"] = ["ftp://ignored.example.com", URL, MIRROR]
    registry.put(Document(json.dumps(document), OCI_MANIFEST), "1")
    there = LayerAnswer(Availability.AVAILABLE)
    registry.url_answers = {URL: at_url or there, MIRROR: at_mirror or there}
    if not is_in_ecr:
        registry.lose("one")
    verdict = check(registry)
    assert verdict.code is code
    assert registry.calls_made.count("at_url") == 2


def test_more_urls_than_any_image_has_are_not_all_asked() -> None:
    registry = FakeRegistry()
    document = json.loads(manifest("one").text)
    document["layers"][0]["urls"] = [f"http://127.0.0.1/{number}" for number in range(5_000)]
    registry.put(Document(json.dumps(document), OCI_MANIFEST), "1")
    registry.url_answers = dict.fromkeys(document["layers"][0]["urls"], GONE)
    verdict = check(registry)
    assert verdict.code is Code.UPSTREAM
    assert "more than 100 URLs" in verdict.reason
    assert registry.calls_made.count("at_url") == 100


def with_content(content: str) -> Document:
    """An image whose manifest holds this content of its config, for linux/arm64."""
    document = json.loads(manifest("one", config=config("arm64")).text)
    document["config"]["data"] = content
    return Document(json.dumps(document), OCI_MANIFEST)


def in_base64(content: str) -> str:
    return base64.b64encode(content.encode()).decode()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (in_base64(config("arm64")), Code.AVAILABLE),
        (in_base64(config("arm64"))[:8] + "\r\n" + in_base64(config("arm64"))[8:], Code.AVAILABLE),
        (in_base64(config("amd64")), Code.LAYER_MISSING),  # of other bytes, and as long
        ("", Code.LAYER_MISSING),
        ("bäse64==", Code.MANIFEST_UNREADABLE),
        ("no base64", Code.MANIFEST_UNREADABLE),
    ],
)
def test_content_in_the_descriptor_itself_is_not_looked_for(content: str, code: Code) -> None:
    registry = FakeRegistry()
    registry.put(with_content(content), "1")
    registry.lose(config("arm64"))
    assert check(registry).code is code


def test_a_config_in_the_manifest_itself_names_the_platform() -> None:
    registry = FakeRegistry()
    registry.put(with_content(in_base64(config("arm64"))), "1")
    assert check(registry, ARM64).code is Code.AVAILABLE
    assert check(registry, AMD64).code is Code.PLATFORM_MISSING
    assert registry.config_questions == []


def test_an_oci_manifest_that_its_index_says_is_dockers_is_an_inconsistent_answer() -> None:
    registry = FakeRegistry()
    child = registry.put(manifest("one"))
    docker = {"mediaType": "application/vnd.docker.distribution.manifest.v2+json"}
    registry.put(index(child.child("linux/amd64") | docker), "1")
    verdict = check(registry, AMD64)
    assert verdict.code is Code.INCONSISTENT_ANSWER
    assert verdict.reason == (
        f"The index gives its manifest {child.digest} a type of Docker's, and it is an OCI "
        "manifest; a registry may refuse to return it as the former."
    )
    document = Document(json.dumps(json.loads(child.text) | docker), docker["mediaType"])
    registry.put(document)
    registry.put(index(document.child("linux/amd64") | {"mediaType": OCI_MANIFEST}), "2")
    assert check(registry, AMD64, "shop/web:2").code is Code.AVAILABLE


@pytest.mark.parametrize("size", [None, 0])
def test_a_descriptor_without_a_size_is_an_inconsistent_answer(size: int | None) -> None:
    registry = FakeRegistry()
    document = json.loads(manifest("one").text)
    document["layers"][0]["size"] = size
    child = registry.put(Document(json.dumps(document), OCI_MANIFEST), "1")
    registry.layer_answers[digest_of("one")] = LayerAnswer(Availability.AVAILABLE, 3)
    verdict = check(registry)
    assert verdict.code is Code.INCONSISTENT_ANSWER
    assert f"gives {digest_of('one')} 0 bytes, and in ECR it has 3" in verdict.reason
    del registry.layer_answers[digest_of("one")]
    registry.put(index(child.child("linux/amd64") | {"size": size}), "2")
    assert check(registry, AMD64, "shop/web:2").code is Code.INCONSISTENT_ANSWER


def test_a_size_that_differs_from_ecrs_is_an_inconsistent_answer_with_both() -> None:
    registry = FakeRegistry()
    registry.put(manifest("one"), "1")
    registry.layer_answers[digest_of("one")] = LayerAnswer(Availability.AVAILABLE, 3)
    assert check(registry).code is Code.AVAILABLE
    registry.layer_answers[digest_of("one")] = LayerAnswer(Availability.AVAILABLE, 4_000)
    verdict = check(registry)
    assert verdict.code is Code.INCONSISTENT_ANSWER
    assert f"gives {digest_of('one')} 3 bytes, and in ECR it has 4,000" in verdict.reason


def test_a_child_of_another_size_than_its_index_gives_is_an_inconsistent_answer() -> None:
    registry = FakeRegistry()
    child = registry.put(manifest("one"))
    registry.put(index(child.child("linux/amd64", size=7)), "1")
    verdict = check(registry, AMD64)
    assert verdict.code is Code.INCONSISTENT_ANSWER
    assert f"7 bytes, and in ECR it has {len(child.text):,}" in verdict.reason


def entries(registry: FakeRegistry, *platforms: dict[str, str] | None, lost: str = "") -> None:
    """Put an index with a manifest for each of ``platforms``, of which layer ``lost`` is gone."""
    children = []
    for number, platform in enumerate(platforms):
        child = registry.put(manifest(str(number))).child()
        children.append(child | ({"platform": platform} if platform is not None else {}))
    registry.put(index(*children), "1")
    for each in lost:
        registry.lose(each)


LINUX = {"os": "linux", "architecture": "amd64"}
V3 = LINUX | {"variant": "v3"}
I386, ARM_V7 = LINUX | {"architecture": "i386"}, {"os": "linux", "architecture": "armhf"}


@pytest.mark.parametrize(
    ("platforms", "lost", "code", "is_certain"),
    [
        ([V3, LINUX], "0", Code.AVAILABLE, True),
        ([V3, LINUX], "1", Code.LAYER_MISSING, True),
        ([V3], "", Code.PLATFORM_MISSING, True),
        ([{"architecture": "x86_64"}], "", Code.AVAILABLE, True),
        ([{}], "", Code.PLATFORM_MISSING, True),
        ([None], "", Code.AVAILABLE, True),
        ([None, LINUX], "1", Code.LAYER_MISSING, True),
        # The first decides, and what is not certain is what some runtimes download beside it.
        ([LINUX, LINUX], "0", Code.LAYER_MISSING, True),
        ([LINUX, LINUX], "1", Code.AVAILABLE, False),
        ([LINUX, LINUX], "", Code.AVAILABLE, True),
        ([None, LINUX], "0", Code.AVAILABLE, False),
        ([None, None], "0", Code.LAYER_MISSING, True),
        # The processor runs it, and not every runtime takes it.
        ([I386], "", Code.AVAILABLE, False),
        ([I386], "0", Code.LAYER_MISSING, True),
        ([I386, LINUX], "0", Code.AVAILABLE, True),
        ([ARM_V7], "", Code.PLATFORM_MISSING, True),
    ],
)
def test_of_an_index_the_child_is_checked_that_containerd_takes(
    platforms: list[dict[str, str] | None], lost: str, code: Code, is_certain: bool
) -> None:
    registry = FakeRegistry()
    entries(registry, *platforms, lost=lost)
    verdict = check(registry, AMD64)
    assert (verdict.code, verdict.is_certain) == (code, is_certain)


def test_what_some_runtimes_download_too_is_named_with_what_it_lacks() -> None:
    registry = FakeRegistry()
    entries(registry, LINUX, LINUX, lost="1")
    assert check(registry, AMD64).reason == (
        "Every layer is in ECR. The index has several manifests for the platform. The first is "
        f"whole, and another is not ({manifest('1').digest}: The image's manifest is in ECR, and "
        "at least one of its layers (or its config) is not.); containerd from 2.1 on downloads "
        "them all."
    )


def test_of_many_that_some_runtimes_download_too_one_is_named() -> None:
    registry = FakeRegistry()
    entries(registry, LINUX, LINUX, LINUX, LINUX, lost="123")
    assert "; and 2 more); containerd" in check(registry, AMD64).reason


def test_a_soci_index_beside_an_image_is_not_checked() -> None:
    registry = FakeRegistry()
    image = registry.put(manifest("a"))
    soci = odd(registry, "application/vnd.amazon.soci.index.v2+json")
    registry.put(index(image.child("linux/amd64"), soci.child("linux/amd64")), "1")
    registry.lose("one")
    assert check(registry, AMD64).is_certain
    assert check(registry).code is Code.AVAILABLE


@pytest.mark.parametrize(
    ("architecture", "wanted"), [("386", AMD64), ("arm", ARM64)], ids=["386", "arm"]
)
def test_32_bit_code_on_a_64_bit_processor_is_not_certain(
    architecture: str, wanted: Platform
) -> None:
    registry = FakeRegistry()
    single(registry, config(architecture))
    verdict = check(registry, wanted)
    assert (verdict.code, verdict.is_certain) == (Code.AVAILABLE, False)


@pytest.mark.parametrize("media_type", ["", "application/vnd.example.manifest+json"])
def test_a_child_that_is_asked_for_as_no_manifest_is_unreadable(media_type: str) -> None:
    registry = FakeRegistry()
    child = registry.put(manifest("a"))
    registry.put(index(child.child("linux/amd64", mediaType=media_type)), "1")
    assert check(registry, AMD64).code is Code.MANIFEST_UNREADABLE


def test_a_tag_beside_a_digest_decides_nothing_and_where_it_leads_is_noted() -> None:
    registry = FakeRegistry()
    old, new = registry.put(manifest("old")), registry.put(manifest("new"), "1")
    verdict = check(registry, rest=f"shop/web:1@{old.digest}")
    assert (verdict.code, verdict.digest, verdict.is_certain) == (Code.AVAILABLE, old.digest, True)
    assert verdict.reason == (
        f"Every layer is in ECR. The tag 1 points to {new.digest}; runtimes pull the digest of "
        "the reference."
    )
    assert registry.calls_made == ["images", "layers"]
    assert check(registry, rest=f"shop/web:1@{new.digest}").reason == "Every layer is in ECR."
    gone = check(registry, rest=f"shop/web:2@{new.digest}")
    assert gone.code is Code.AVAILABLE
    assert "The tag 2 is not there; runtimes pull the digest" in gone.reason
    absent = check(registry, rest=f"shop/web:1@{digest_of('absent')}")
    assert absent.code is Code.IMAGE_NOT_FOUND
    assert f"The tag 1 points to {new.digest}" in absent.reason


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(ONE_LAYER),
        json.dumps(ONE_LAYER | {"os": "linux"}),
        json.dumps(ONE_LAYER | {"os": 5, "architecture": None}),
        json.dumps(ONE_LAYER | {"os": "linux", "architecture": "amd64", "variant": ["v1"]}),
        config("amd64"),
        config("x86_64"),
        config("amd64", "Linux"),
        config("unknown", "unknown"),
    ],
)
def test_a_config_without_another_platform_changes_nothing(text: str) -> None:
    registry = FakeRegistry()
    single(registry, text)
    assert check(registry, AMD64).code is Code.AVAILABLE


def test_a_config_with_other_bytes_than_its_digest_changes_nothing() -> None:
    registry = FakeRegistry()
    single(registry, config("amd64"))
    registry.config_texts[digest_of(config("amd64"))] = config("arm64")
    assert check(registry, AMD64).code is Code.AVAILABLE


def test_children_without_a_platform_are_read_and_one_that_serves_is_enough() -> None:
    registry = FakeRegistry()
    children = [manifest("one", config=config(name)) for name in ("amd64", "arm64")]
    for child, name in zip(children, ("amd64", "arm64"), strict=True):
        registry.put(child)
        registry.config_texts[digest_of(config(name))] = config(name)
    registry.put(index(*(child.child() for child in children)), "1")
    assert check(registry, AMD64).code is Code.AVAILABLE
    assert check(registry, Platform("windows", "amd64")).code is Code.PLATFORM_MISSING


def test_a_variant_that_a_config_leaves_out_is_not_compared() -> None:
    registry = FakeRegistry()
    single(registry, config("arm"))
    assert check(registry, Platform("linux", "arm", "v7")).is_certain
    assert check(registry, AMD64).code is Code.PLATFORM_MISSING


def test_a_child_that_could_not_be_read_may_be_the_wanted_one() -> None:
    registry = FakeRegistry()
    hidden, other = manifest("a"), manifest("b", config=config("arm64"))
    registry.put(other)
    registry.config_texts[digest_of(config("arm64"))] = config("arm64")
    registry.image_answers[ImageId(None, hidden.digest)] = RegistryError(Code.THROTTLED, "No.")
    registry.put(index(hidden.child("linux/amd64"), other.child()), "1")
    assert check(registry, AMD64).code is Code.THROTTLED


def test_the_platforms_of_an_index_include_those_in_configs() -> None:
    registry = FakeRegistry()
    first, other = registry.put(manifest("a")), registry.put(manifest("b", config=config("arm64")))
    registry.config_texts[digest_of(config("arm64"))] = config("arm64")
    registry.put(index(first.child("windows/amd64"), other.child()), "1")
    assert check(registry, AMD64).reason == (
        "The image has no manifest for linux/amd64; it has windows/amd64, linux/arm64."
    )


@pytest.mark.parametrize(
    ("document", "form"),
    [
        (manifest("one"), ManifestForm.OCI_MANIFEST),
        (index(manifest("one").child("linux/amd64")), ManifestForm.OCI_INDEX),
    ],
)
def test_the_verdict_has_the_form_of_the_manifest_that_the_reference_names(
    document: Document, form: ManifestForm
) -> None:
    registry = FakeRegistry()
    registry.put(manifest("one"))
    registry.put(document, "1")
    assert check(registry).form is form


NOT_KNOWN = (
    "Whether the repository is a pull-through cache, which a first pull would fill, is not known: "
    "that takes ecr:DescribePullThroughCacheRules, or the option pullThroughCachePrefixes."
)
MISSING = "ECR says ImageNotFound: Requested image not found."


def test_where_the_caches_are_not_known_the_reason_says_so() -> None:
    registry = FakeRegistry()
    registry.prefixes = None
    verdict = check(registry)
    assert (verdict.code, verdict.reason) == (Code.IMAGE_NOT_FOUND, f"{MISSING} {NOT_KNOWN}")


@pytest.mark.parametrize("trouble", ["hangs", "raises", "denied"])
def test_a_missing_image_is_proven_although_the_listing_and_the_caches_are_not_known(
    trouble: str,
) -> None:
    registry = FakeRegistry()
    for name in ("listing", "cache_prefixes"):
        if trouble == "hangs":
            registry.hanging.add(name)
        elif trouble == "raises":
            registry.failures[name] = ZeroDivisionError("oh")
    if trouble == "denied":
        registry.listings[WEB] = RegistryError(Code.ACCESS_DENIED, "No.")
        registry.prefixes = None
    verdict = check(registry, patience=0.1)
    assert (verdict.code, verdict.reason) == (Code.IMAGE_NOT_FOUND, f"{MISSING} {NOT_KNOWN}")


@pytest.mark.parametrize("code", [Code.IMAGE_NOT_FOUND, Code.INTERNAL_ERROR], ids=str)
@pytest.mark.parametrize("is_by_digest", [False, True])
def test_an_image_that_the_listing_has_as_archived_is_archived(
    code: Code, is_by_digest: bool
) -> None:
    registry = FakeRegistry()
    digest = digest_of("archived")
    registry.list(ListedImage(digest, ("1",), is_archived=True))
    image_id = ImageId(None, digest) if is_by_digest else ImageId("1", None)
    registry.image_answers[image_id] = RegistryError(code, "ECR does not give it.")
    verdict = check(registry, rest=f"shop/web@{digest}" if is_by_digest else "shop/web:1")
    assert verdict.code is Code.IMAGE_ARCHIVED
    assert "aws ecr update-image-storage-class" in verdict.next_step
    assert registry.calls_made.count("images") == 1


def test_an_image_that_the_listing_has_not_is_gone_and_asked_for_once() -> None:
    registry = FakeRegistry()
    registry.list(ListedImage(digest_of("other"), ("2",), is_archived=True))
    assert check(registry).code is Code.IMAGE_NOT_FOUND
    assert registry.calls_made.count("images") == 1


def test_an_index_whose_child_is_archived_is_archived() -> None:
    registry = FakeRegistry()
    archived, there = manifest("a"), registry.put(manifest("b"))
    registry.put(index(archived.child("linux/amd64"), there.child("linux/arm64")), "1")
    registry.list(ListedImage(archived.digest, (), is_archived=True))
    assert check(registry).code is Code.IMAGE_ARCHIVED
    assert check(registry, AMD64).code is Code.IMAGE_ARCHIVED
    assert check(registry, ARM64).code is Code.AVAILABLE


class PushedMeanwhile(FakeRegistry):
    """Has an image in its listing, which was pushed after it was asked for it."""

    def __init__(self, document: Document, *, is_given: bool) -> None:
        super().__init__()
        self.document, self.is_given = document, is_given

    async def listing(self, repository: Repository) -> ImageListing | RegistryError:
        self.list(ListedImage(self.document.digest, ("1",)))
        if self.is_given:
            self.put(self.document, "1")
        return await super().listing(repository)


def test_an_image_that_is_pushed_in_between_is_asked_for_once_more() -> None:
    registry = PushedMeanwhile(manifest("a"), is_given=True)
    assert check(registry).code is Code.AVAILABLE
    assert registry.calls_made == ["images", "listing", "cache_prefixes", "images", "layers"]


def test_an_image_that_is_listed_and_never_given_is_an_inconsistent_answer() -> None:
    registry = PushedMeanwhile(manifest("a"), is_given=False)
    verdict = check(registry)
    assert verdict.code is Code.INCONSISTENT_ANSWER
    assert verdict.reason == (
        "ECR's DescribeImages has the image and its BatchGetImage does not; it may be of a kind "
        "that no runtime pulls."
    )
    assert registry.calls_made.count("images") == 2


def test_an_image_that_ecr_refuses_for_another_reason_is_not_listed() -> None:
    registry = FakeRegistry()
    registry.image_answers[ImageId("1", None)] = RegistryError(Code.ACCESS_DENIED, "No.")
    assert check(registry).code is Code.ACCESS_DENIED
    assert registry.calls_made == ["images"]
