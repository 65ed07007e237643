"""Resources without inputs of their own: what they are stands in their outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerguard.discovery import ImageUse, Naming
from layerguard.discovery.catalog import ROWS, Role, Row
from layerguard.discovery.outputs import as_inputs
from layerguard.discovery.resources import DiscoveredResources
from layerguard.discovery.tree import Mark
from layerguard.gates import SENTINELS
from pulumi_policy import proxy

from tests.discovery.engine_inputs import targets, uses
from tests.discovery.engine_resources import Provider, Resource
from tests.discovery.smallest import smallest
from tests.discovery.test_spellings import SPLIT
from tests.fakes import HOST

IMAGE = f"{HOST}/shop/web:1"
FUNCTION = "aws:lambda/function:Function"
COMPONENTS = ("awsx",)
PULLED = [
    row
    for row in ROWS
    if row.role is Role.PULL and row.resource_type.partition(":")[0] not in COMPONENTS
]


def at_the_end(
    resource_type: str,
    inputs: Mapping[str, Any] | None,
    outputs: Mapping[str, Any],
    *,
    read_unseen: bool = True,
    **fields: Any,
) -> list[ImageUse]:
    """What the stack brings after a resource came up with ``inputs``, if it did, and was made."""
    discovered = DiscoveredResources(SENTINELS, {})

    def resource(props: Mapping[str, Any]) -> Resource:
        return Resource("urn", proxy.unknown_checking_proxy(dict(props)), resource_type, **fields)

    if inputs is not None:
        discovered.discover(resource(inputs))
    stack = discovered.of_stack([resource(outputs)], read_unseen=read_unseen)
    return list(stack.uses())


@pytest.mark.parametrize("row", PULLED, ids=lambda row: f"{row.resource_type} {row.path}")
def test_every_row_finds_its_image_in_outputs(row: Row) -> None:
    outputs, _ = smallest(row, "shop/web" if row.reference in SPLIT else IMAGE)
    own = uses(row.resource_type, outputs)
    assert at_the_end(row.resource_type, {}, outputs, provider=Provider("pulumi:providers:x")) == [
        *own
    ]
    assert [use.naming for use in own].count(Naming.PULLED) == 1


@pytest.mark.parametrize(
    "inputs",
    [{}, {"__defaults": []}, {"region": "eu-west-1"}, {"region": "eu-west-1", "__defaults": []}],
)
def test_inputs_that_nobody_declared_are_none(inputs: dict[str, Any]) -> None:
    (use,) = at_the_end(FUNCTION, inputs, {"imageUri": IMAGE, "arn": "arn:aws:lambda:x"})
    assert (use.path, use.text) == ("imageUri", IMAGE)


def test_inputs_win_over_outputs() -> None:
    (use,) = at_the_end(FUNCTION, {"imageUri": IMAGE}, {"imageUri": f"{HOST}/shop/old:1"})
    assert use.text == IMAGE


def test_an_update_reads_only_what_it_makes() -> None:
    assert at_the_end(FUNCTION, {}, {"imageUri": IMAGE}, read_unseen=False) == []


def test_the_outputs_of_a_component_are_its_own_affair() -> None:
    assert at_the_end("my:index:Service", {}, {"image": IMAGE}, provider=None) == []


def test_the_outputs_of_a_state_of_terraform_are_read_in_its_spelling() -> None:
    outputs = {"package_type": "Image", "image_uri": IMAGE, "architectures": ["arm64"]}
    (use,) = at_the_end("pulumi:terraform:aws_lambda_function", {}, outputs, provider=None)
    assert (use.path, use.text, str(use.platform)) == ("image_uri", IMAGE, "linux/arm64")


@pytest.mark.parametrize(
    "outputs",
    [
        {"packageType": "Zip", "imageUri": ""},
        {"packageType": "Zip", "imageUri": None},
        {"__meta": IMAGE, "imageUri": ""},
        {},
    ],
)
def test_what_an_output_has_as_empty_was_never_set(outputs: dict[str, Any]) -> None:
    assert at_the_end(FUNCTION, {}, outputs) == []


def test_the_status_of_a_pod_is_what_a_cluster_reports_of_it() -> None:
    spec = {"containers": [{"name": "web", "image": IMAGE}]}
    status = {"containerStatuses": [{"image": f"{HOST}/shop/old:1", "imageID": IMAGE}]}
    found = at_the_end("kubernetes:core/v1:Pod", {}, {"spec": spec, "status": status})
    assert targets(tuple(found)) == [("spec.containers[0].image", IMAGE)]


def test_a_secret_that_is_not_shown_is_spoken_of() -> None:
    (use,) = at_the_end(FUNCTION, {}, {"imageUri": "[secret]"})
    assert targets((use,)) == [("imageUri", "secret-not-shown")]


TREES = st.recursive(
    st.none() | st.booleans() | st.text(min_size=1) | st.sampled_from(list(Mark)),
    lambda each: (
        st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=6), each, max_size=3)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.text(max_size=6), TREES, max_size=4))
def test_outputs_without_empty_texts_stay_as_they_are(outputs: dict[str, Any]) -> None:
    kept = {key: each for key, each in outputs.items() if not key.startswith("__")}
    assert as_inputs("aws:x/y:Z", outputs) == kept
    assert list(as_inputs("aws:x/y:Z", outputs)) == list(kept)


def test_the_region_of_the_environment_is_none_of_a_resource_that_no_provider_makes() -> None:
    discovered = DiscoveredResources(SENTINELS, {"AWS_REGION": "us-east-1"})
    found = discovered.discover(Resource("urn", {"imageUri": IMAGE}, provider=None))
    assert [use.placement.region for use in found.uses] == [None]
    found = discovered.discover(Resource("urn", {"imageUri": IMAGE}))
    assert [use.placement.region for use in found.uses] == ["us-east-1"]
