"""Reading a provider's SDK: what vanishes from it is noticed, and new images are listed."""

from __future__ import annotations

from pathlib import Path

import pytest
from layerguard.discovery.catalog import Row
from layerguard.discovery.path import steps

from tools.new_image_properties import unlisted
from tools.provider_sdks import ProviderSdk, Vanished

TOKEN = "made:up/thing:Thing"
RESOURCE = '''
class ThingArgs:
    @_builtins.property
    @pulumi.getter(name="imageUri")
    def image_uri(self) -> pulumi.Input[Optional[_builtins.str]]:
        """
        The container image to run.
        """
        return pulumi.get(self, "image_uri")

    @_builtins.property
    @pulumi.getter
    @_utilities.deprecated("""No longer
    in use.""")
    def containers(self) -> pulumi.Input[Optional[Sequence[pulumi.Input['ContainerArgs']]]]:
        return pulumi.get(self, "containers")

    @_builtins.property
    @pulumi.getter
    def settings(self) -> pulumi.Input[Optional[Mapping[str, pulumi.Input[_builtins.str]]]]:
        return pulumi.get(self, "settings")

    @_builtins.property
    @pulumi.getter
    def anything(self) -> Optional[Any]:
        return pulumi.get(self, "anything")

    @_builtins.property
    @pulumi.getter
    def size(self) -> pulumi.Input[_builtins.int]:
        return pulumi.get(self, "size")

    @_builtins.property
    @pulumi.getter
    def pod(self) -> pulumi.Input['_core.v1.PodArgs']:
        return pulumi.get(self, "pod")


class Thing(pulumi.CustomResource):
    def _internal_init(__self__):
        super(Thing, __self__).__init__(
            'made:up/thing:Thing',
            resource_name)
'''
NESTED = """
class ContainerArgsDict(TypedDict):
    other: str

class ContainerArgs:
    @_builtins.property
    @pulumi.getter
    def image(self) -> pulumi.Input[_builtins.str]:
        return pulumi.get(self, "image")

    @_builtins.property
    @pulumi.getter
    def inner(self) -> pulumi.Input[Optional['ContainerArgs']]:
        return pulumi.get(self, "inner")
"""
POD = '''
class PodArgs:
    @_builtins.property
    @pulumi.getter(name="imageId")
    def image_id(self) -> pulumi.Input[_builtins.str]:
        """
        The AMI.
        """
        return pulumi.get(self, "image_id")
'''


@pytest.fixture
def sdk(tmp_path: Path) -> ProviderSdk:
    for name, text in {
        "up/thing.py": RESOURCE,
        "up/_inputs.py": NESTED,
        "core/v1/_inputs.py": POD,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return ProviderSdk(tmp_path)


@pytest.mark.parametrize(
    "path",
    [
        "imageUri",
        "imageUri:json[].image",
        "containers[].image",
        "containers[].inner.inner.image",
        "containers[name=x].image",
        "settings{*}",
        "settings.key",
        'settings["a.b"]',
        "anything.at.all[]",
        "pod.imageId",
    ],
)
def test_a_path_that_the_sdk_has_is_followed(sdk: ProviderSdk, path: str) -> None:
    sdk.follow(TOKEN, steps(path))


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("image", "There is no property image at step 1 of made:up/thing:Thing's image."),
        ("image_uri", "There is no property image_uri"),
        ("containers[].other", "There is no property other at step 3"),
        ("containers.image", "There is no property image at step 2"),
        ("imageUri[]", "There is no Sequence for [] at step 2"),
        ("containers{*}.image", "There is no Mapping for {*} at step 2"),
        ("imageUri.image", "There is no property image at step 2"),
        ("pod.image", "There is no property image at step 2"),
    ],
)
def test_a_path_that_the_sdk_has_not_has_vanished(sdk: ProviderSdk, path: str, words: str) -> None:
    with pytest.raises(Vanished) as caught:
        sdk.follow(TOKEN, steps(path))
    assert str(caught.value).startswith(words)


def test_a_resource_type_that_the_sdk_has_not_has_vanished(sdk: ProviderSdk) -> None:
    with pytest.raises(Vanished, match=r"There is no resource type made:up/gone:Gone\."):
        sdk.follow("made:up/gone:Gone", ("image",))


def test_a_package_that_is_not_there_is_named() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"pulumi_nothing is not installed\."):
        ProviderSdk.installed("pulumi_nothing")


def test_properties_that_look_like_images_are_listed_until_they_have_a_row(
    sdk: ProviderSdk,
) -> None:
    found = [
        (TOKEN, "imageUri", "The container image to run."),
        (TOKEN, "containers[].image", ""),
    ]
    assert list(unlisted(sdk, [])) == found
    assert list(unlisted(sdk, [Row(TOKEN, "containers[].image")])) == found[:1]
    assert list(unlisted(sdk, [Row(TOKEN, "containers"), Row(TOKEN, "imageUri:json[].x")])) == []
