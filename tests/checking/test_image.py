"""The check of one image: what is proven, what is not known, and what is said of it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerguard.checking.image import check_image
from layerguard.checking.questions import Questions, RegistryLoaders
from layerguard.manifest import ManifestForm
from layerguard.platform import Platform
from layerguard.reference import Digest, ImageId
from layerguard.registry import Availability, ImageAnswer, RegistryError
from layerguard.verdict import Code, State, Verdict

from tests.checking.running import to_its_end
from tests.fakes import OCI_MANIFEST, Document, FakeRegistry, digest_of, index, manifest, reference

AMD64 = Platform("linux", "amd64")
ARM64 = Platform("linux", "arm64")


def inspect(
    registry: FakeRegistry, wanted: Platform | None = None, rest: str = "shop/web:1"
) -> Verdict:
    return to_its_end(
        lambda line: check_image(
            reference(rest), wanted, Questions(RegistryLoaders(registry, line))
        )
    )


def asked(registry: FakeRegistry) -> list[str]:
    return [question for _, question in registry.questions]


def test_an_image_is_available_when_every_digest_is() -> None:
    registry = FakeRegistry()
    image = registry.put(manifest("one", "two"), "1")
    verdict = inspect(registry)
    assert (verdict.code, verdict.digest) == (Code.AVAILABLE, image.digest)
    assert len(verdict.manifests[0].blobs) == 3


def test_a_missing_layer_is_named_with_its_place_and_size() -> None:
    registry = FakeRegistry()
    image = registry.put(manifest("one", "second", "three"), "1")
    lost = registry.lose("second")
    verdict = inspect(registry, AMD64)
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
    verdict = inspect(registry)
    assert verdict.code is Code.LAYER_MISSING
    assert f"  {lost} UNAVAILABLE (config, 10 bytes)" in verdict.lines


def test_an_archived_layer_is_told_apart_from_a_missing_one() -> None:
    registry = FakeRegistry()
    registry.put(manifest("one"), "1")
    registry.lose("one", Availability.ARCHIVED)
    assert inspect(registry).code is Code.LAYER_ARCHIVED


def test_every_bad_layer_is_reported_and_a_missing_one_decides() -> None:
    registry = FakeRegistry()
    registry.put(manifest("one", "two", "three"), "1")
    registry.lose("one", Availability.ARCHIVED)
    registry.lose("three")
    registry.layer_answers[digest_of("two")] = RegistryError(
        Code.INCONSISTENT_ANSWER, "Not accounted for."
    )
    verdict = inspect(registry)
    assert verdict.code is Code.LAYER_MISSING
    assert [bad.state.value for bad in verdict.manifests[0].bad] == [
        "ARCHIVED",
        "not accounted for",
        "UNAVAILABLE",
    ]
    assert verdict.reason.endswith("Not accounted for.")


def test_a_layer_that_ecr_omits_is_inconsistent_not_available() -> None:
    registry = FakeRegistry()
    registry.put(manifest("one"), "1")
    registry.layer_answers[digest_of("one")] = RegistryError(
        Code.INCONSISTENT_ANSWER, "It is omitted."
    )
    assert inspect(registry).code is Code.INCONSISTENT_ANSWER


def test_of_an_index_only_the_wanted_platform_is_asked_about() -> None:
    registry = FakeRegistry()
    amd64, arm64 = registry.put(manifest("a")), registry.put(manifest("b"))
    top = registry.put(index(amd64.child("linux/amd64"), arm64.child("linux/arm64")), "1")
    registry.lose("a")
    assert inspect(registry, ARM64).code is Code.AVAILABLE
    assert asked(registry) == [
        ":1",
        f"@{arm64.digest}",
        *sorted([str(digest_of("b")), str(digest_of("config"))]),
    ]
    verdict = inspect(registry, AMD64)
    assert (verdict.code, verdict.digest) == (Code.LAYER_MISSING, top.digest)
    assert (
        f"layers: 1 of 2 is not available in its manifest {amd64.digest} for linux/amd64:"
        in verdict.lines
    )


def test_without_a_platform_every_runnable_child_must_be_there() -> None:
    registry = FakeRegistry()
    amd64, arm64 = registry.put(manifest("a")), registry.put(manifest("b"))
    registry.put(index(amd64.child("linux/amd64"), arm64.child("linux/arm64")), "1")
    assert inspect(registry).code is Code.AVAILABLE
    registry.lose("a")
    assert inspect(registry).code is Code.LAYER_MISSING


def test_an_attestation_is_not_asked_about() -> None:
    registry = FakeRegistry()
    image, attestation = registry.put(manifest("a")), manifest("attestation")
    registry.put(index(image.child("linux/amd64"), attestation.child("unknown/unknown")), "1")
    registry.lose("attestation")
    assert inspect(registry).code is Code.AVAILABLE
    assert f"@{attestation.digest}" not in asked(registry)


def test_a_platform_that_an_index_lacks_is_said_with_those_that_it_has() -> None:
    registry = FakeRegistry()
    amd64, arm64 = registry.put(manifest("a")), registry.put(manifest("b"))
    registry.put(index(amd64.child("linux/amd64"), arm64.child("linux/arm64")), "1")
    verdict = inspect(registry, Platform("windows", "amd64"))
    assert verdict.code is Code.PLATFORM_MISSING
    assert verdict.reason == (
        "The image has no manifest for windows/amd64; it has linux/amd64, linux/arm64."
    )
    assert "docker buildx build --platform windows/amd64 --push ..." in verdict.next_step


def test_an_index_without_anything_runnable_is_no_image() -> None:
    registry = FakeRegistry()
    registry.put(index(manifest("a").child("unknown/unknown")), "1")
    verdict = inspect(registry)
    assert verdict.code is Code.PLATFORM_MISSING
    assert verdict.reason == (
        "The image has no manifest for any platform; it has no runnable manifest at all."
    )


def test_a_child_without_a_platform_may_be_the_wanted_one() -> None:
    registry = FakeRegistry()
    child = registry.put(manifest("a"))
    registry.put(index(child.child()), "1")
    registry.lose("a")
    assert inspect(registry, ARM64).code is Code.LAYER_MISSING


def test_an_index_in_an_index_is_followed() -> None:
    registry = FakeRegistry()
    amd64 = registry.put(manifest("a"))
    inner = registry.put(index(amd64.child("linux/amd64")))
    registry.put(index(inner.child()), "1")
    assert inspect(registry, AMD64).code is Code.AVAILABLE
    registry.lose("a")
    assert inspect(registry, AMD64).code is Code.LAYER_MISSING
    assert inspect(registry, ARM64).code is Code.PLATFORM_MISSING


def test_indexes_nested_too_deep_are_not_followed_for_ever() -> None:
    registry = FakeRegistry()
    document = registry.put(manifest("a"))
    for _ in range(6):
        document = registry.put(index(document.child()))
    registry.put(document, "1")
    verdict = inspect(registry)
    assert verdict.code is Code.MANIFEST_UNREADABLE
    assert verdict.reason == "The image's indexes are nested more than 3 deep."


def test_a_child_that_is_gone_is_named() -> None:
    registry = FakeRegistry()
    gone, there = manifest("a"), registry.put(manifest("b"))
    registry.put(index(gone.child("linux/amd64"), there.child("linux/arm64")), "1")
    verdict = inspect(registry)
    assert verdict.code is Code.IMAGE_NOT_FOUND
    assert verdict.reason == (
        "ECR says ImageNotFound: Requested image not found. "
        f"It is the index's manifest {gone.digest} for linux/amd64."
    )


def test_a_tag_that_does_not_exist_is_told_apart_from_a_missing_layer() -> None:
    verdict = inspect(FakeRegistry())
    assert verdict.code is Code.IMAGE_NOT_FOUND
    assert verdict.next_step == (
        "push the image, or correct the tag or digest; the tags that are there: "
        "aws ecr describe-images --registry-id 123456789012 --region eu-west-1 "
        "--repository-name shop/web --query 'imageDetails[].imageTags[]'"
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RegistryError(Code.REPOSITORY_NOT_FOUND, "No."), Code.REPOSITORY_NOT_FOUND),
        (RegistryError(Code.TAG_MOVED, "No."), Code.TAG_MOVED),
        (RegistryError(Code.ACCESS_DENIED, "No."), Code.ACCESS_DENIED),
    ],
)
def test_what_ecr_refuses_to_answer_is_the_verdict(error: Exception, code: Code) -> None:
    registry = FakeRegistry()
    registry.image_answers[ImageId("1", None)] = error  # type: ignore[assignment]
    verdict = inspect(registry)
    assert (verdict.code, verdict.reason) == (code, "No.")


def test_denied_layers_say_nothing_about_the_layers() -> None:
    registry = FakeRegistry()
    registry.put(manifest("one"), "1")
    for content in ("one", "config"):
        registry.layer_answers[digest_of(content)] = RegistryError(Code.ACCESS_DENIED, "No.")
    verdict = inspect(registry)
    assert (verdict.code, verdict.reason) == (Code.ACCESS_DENIED, "No.")
    assert verdict.manifests[0].bad == ()


def test_a_manifest_that_is_not_what_its_digest_says_is_never_available() -> None:
    registry = FakeRegistry()
    registry.image_answers[ImageId("1", None)] = ImageAnswer(
        digest_of("something else"), manifest("one").text
    )
    assert inspect(registry).code is Code.INCONSISTENT_ANSWER


def test_a_manifest_that_is_not_json_is_never_available() -> None:
    registry = FakeRegistry()
    registry.put(Document("<html>", ""), "1")
    verdict = inspect(registry)
    assert verdict.code is Code.MANIFEST_UNREADABLE
    assert verdict.state is State.UNDETERMINED


def test_a_reference_by_digest_is_not_told_to_push_a_tag() -> None:
    registry = FakeRegistry()
    image = registry.put(manifest("one"))
    registry.lose("one")
    verdict = inspect(registry, rest=f"shop/web@{image.digest}")
    assert verdict.code is Code.LAYER_MISSING
    assert verdict.next_step == (
        "push this image again under a tag of this repository, which uploads what is missing, "
        "or refer to a newer image."
    )


_CONTENTS = ["a", "b", "c", "config"]


@given(
    st.dictionaries(
        st.sampled_from(_CONTENTS),
        st.sampled_from([*Availability, None]),
    )
)
def test_available_means_that_every_digest_came_back_as_available(
    said: dict[str, Availability | None],
) -> None:
    registry = FakeRegistry()
    amd64, arm64 = registry.put(manifest("a", "b")), registry.put(manifest("b", "c"))
    registry.put(index(amd64.child("linux/amd64"), arm64.child("linux/arm64")), "1")
    for content, availability in said.items():
        if availability is None:
            registry.layer_answers[digest_of(content)] = RegistryError(
                Code.INCONSISTENT_ANSWER, "Omitted."
            )
        else:
            registry.lose(content, availability)
    all_there = set(said.values()) <= {Availability.AVAILABLE}
    verdict = inspect(registry)
    assert (verdict.code is Code.AVAILABLE) is all_there
    proven = {Availability.UNAVAILABLE, Availability.ARCHIVED} & set(said.values())
    assert (verdict.state is State.UNAVAILABLE) is bool(proven)
    assert isinstance(verdict.digest, Digest)


def config(architecture: str, os: str = "linux") -> str:
    return json.dumps({"os": os, "architecture": architecture, "rootfs": {}})


def single(registry: FakeRegistry, text: str) -> Document:
    """Put an image without an index into ``registry``, with a config that can be read."""
    registry.config_texts[digest_of(text)] = text
    return registry.put(manifest("one", config=text), "1")


def test_the_config_says_what_an_image_without_an_index_runs_on() -> None:
    registry = FakeRegistry()
    image = single(registry, config("arm64"))
    verdict = inspect(registry, AMD64)
    assert verdict.lines[:3] == (
        "The image is for linux/arm64 only, and it is to run on linux/amd64.",
        f"digest: {image.digest}",
        "platform: linux/amd64",
    )
    assert verdict.code is Code.PLATFORM_MISSING
    verdict = inspect(registry, ARM64)
    assert verdict.code is Code.AVAILABLE
    assert [report.platform for report in verdict.manifests] == [ARM64]


def test_a_config_is_read_only_when_nothing_else_says_the_platform() -> None:
    registry = FakeRegistry()
    single(registry, config("arm64"))
    inspect(registry, None)
    assert registry.config_questions == []
    child = manifest("one", config=config("arm64"))
    registry.put(child)
    registry.put(index(child.child("linux/amd64")), "2")
    assert inspect(registry, AMD64, "shop/web:2").code is Code.AVAILABLE
    assert registry.config_questions == []


def test_a_lost_layer_decides_over_the_platform_that_the_config_says() -> None:
    registry = FakeRegistry()
    single(registry, config("arm64"))
    registry.lose("one")
    assert inspect(registry, AMD64).code is Code.LAYER_MISSING


def test_a_config_that_was_read_proves_its_platform_whatever_ecr_says_of_it() -> None:
    registry = FakeRegistry()
    single(registry, config("arm64"))
    registry.layer_answers[digest_of(config("arm64"))] = RegistryError(Code.ACCESS_DENIED, "No.")
    assert inspect(registry, AMD64).code is Code.PLATFORM_MISSING
    assert inspect(registry, ARM64).code is Code.ACCESS_DENIED


def with_config(**members: object) -> Document:
    document = json.loads(manifest("one", config=config("arm64")).text)
    document["config"] |= members
    return Document(json.dumps(document), OCI_MANIFEST)


def test_a_platform_that_the_manifest_itself_says_needs_no_config() -> None:
    registry = FakeRegistry()
    said = {"os": "linux", "architecture": "arm64"}
    registry.put(with_config(platform=said), "1")
    assert inspect(registry, AMD64).code is Code.PLATFORM_MISSING
    assert inspect(registry, ARM64).code is Code.AVAILABLE
    assert registry.config_questions == []


@pytest.mark.parametrize("said", ["linux/arm64", {"os": "linux"}, {"architecture": None}, 1, {}])
def test_an_odd_platform_beside_a_config_says_nothing(said: object) -> None:
    registry = FakeRegistry()
    registry.put(with_config(platform=said), "1")
    assert inspect(registry, AMD64).code is Code.AVAILABLE


def test_only_the_config_of_an_image_is_read() -> None:
    registry = FakeRegistry()
    document = json.loads(manifest("one").text)
    document["config"]["mediaType"] = "application/vnd.cncf.helm.config.v1+json"
    registry.put(Document(json.dumps(document), "application/vnd.oci.image.manifest.v1+json"), "1")
    assert inspect(registry, AMD64).code is Code.AVAILABLE
    assert registry.config_questions == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"os": "linux"}',
        '{"os": 5, "architecture": null}',
        '{"os": "linux", "architecture": "amd64", "variant": ["v1"]}',
        config("amd64"),
        config("x86_64"),
        config("amd64", "Linux"),
        config("unknown", "unknown"),
    ],
)
def test_a_config_that_says_nothing_or_the_right_thing_changes_nothing(text: str) -> None:
    registry = FakeRegistry()
    single(registry, text)
    assert inspect(registry, AMD64).code is Code.AVAILABLE


def test_a_config_with_other_bytes_than_its_digest_changes_nothing() -> None:
    registry = FakeRegistry()
    single(registry, config("amd64"))
    registry.config_texts[digest_of(config("amd64"))] = config("arm64")
    assert inspect(registry, AMD64).code is Code.AVAILABLE


def test_a_child_of_unknown_platform_is_looked_into_and_one_that_serves_is_enough() -> None:
    registry = FakeRegistry()
    children = [manifest("one", config=config(name)) for name in ("amd64", "arm64")]
    for child, name in zip(children, ("amd64", "arm64"), strict=True):
        registry.put(child)
        registry.config_texts[digest_of(config(name))] = config(name)
    registry.put(index(*(child.child() for child in children)), "1")
    assert inspect(registry, AMD64).code is Code.AVAILABLE
    assert inspect(registry, Platform("windows", "amd64")).code is Code.PLATFORM_MISSING


def test_a_variant_that_a_config_leaves_out_is_not_compared() -> None:
    registry = FakeRegistry()
    single(registry, config("arm"))
    assert inspect(registry, Platform("linux", "arm", "v7")).code is Code.AVAILABLE
    assert inspect(registry, ARM64).code is Code.PLATFORM_MISSING


def test_beside_a_child_that_serves_no_config_is_read() -> None:
    registry = FakeRegistry()
    served, other = registry.put(manifest("a")), registry.put(manifest("b", config=config("arm64")))
    registry.put(index(served.child("linux/amd64"), other.child()), "1")
    assert inspect(registry, AMD64).code is Code.AVAILABLE
    assert registry.config_questions == []


def test_a_child_that_could_not_be_read_may_be_the_wanted_one() -> None:
    registry = FakeRegistry()
    hidden, other = manifest("a"), manifest("b", config=config("arm64"))
    registry.put(other)
    registry.config_texts[digest_of(config("arm64"))] = config("arm64")
    registry.image_answers[ImageId(None, hidden.digest)] = RegistryError(Code.THROTTLED, "No.")
    registry.put(index(hidden.child("linux/amd64"), other.child()), "1")
    assert inspect(registry, AMD64).code is Code.THROTTLED


def test_of_an_index_every_platform_is_named_those_that_configs_say_included() -> None:
    registry = FakeRegistry()
    said, other = registry.put(manifest("a")), registry.put(manifest("b", config=config("arm64")))
    registry.config_texts[digest_of(config("arm64"))] = config("arm64")
    registry.put(index(said.child("windows/amd64"), other.child()), "1")
    assert inspect(registry, AMD64).reason == (
        "The image has no manifest for linux/amd64; it has windows/amd64, linux/arm64."
    )


@pytest.mark.parametrize(
    ("document", "form"),
    [
        (manifest("one"), ManifestForm.OCI_MANIFEST),
        (index(manifest("one").child("linux/amd64")), ManifestForm.OCI_INDEX),
    ],
)
def test_the_verdict_says_what_form_the_reference_leads_to(
    document: Document, form: ManifestForm
) -> None:
    registry = FakeRegistry()
    registry.put(manifest("one"))
    registry.put(document, "1")
    assert inspect(registry).form is form


def test_where_nobody_may_ask_about_caches_what_is_missing_says_so() -> None:
    registry = FakeRegistry()
    registry.prefixes = None
    verdict = inspect(registry)
    assert verdict.code is Code.IMAGE_NOT_FOUND
    assert verdict.reason.endswith(
        "Whether the repository is a pull-through cache, which a first pull would fill, could not "
        "be asked: that takes ecr:DescribePullThroughCacheRules, or the option "
        "pullThroughCachePrefixes."
    )
