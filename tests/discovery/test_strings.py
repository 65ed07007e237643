"""The walk over every string: nothing ends it, and nothing but a whole reference is found."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from layerguard.discovery import discover
from layerguard.discovery.catalog import ROWS
from layerguard.discovery.image_use import Naming
from layerguard.discovery.path import written
from layerguard.discovery.reference_text import (
    has_expression,
    is_whole_reference,
    may_be_valid,
)
from layerguard.discovery.strings import images_in
from layerguard.discovery.tree import Tree, plain
from layerguard.reference import ImageReference
from layerguard.verdict import Code, Verdict
from pulumi import AssetArchive, FileArchive, FileAsset, RemoteAsset, StringAsset
from pulumi_policy import Secret
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from tests.discovery.engine_inputs import uses
from tests.fakes import HOST

IMAGE = f"{HOST}/shop/web:1"
NAMES = (
    "containerDefinitions image imageUri code spec template containers values repository tag "
    "registry environment stages templateBody Resources a.b"
)
KEYS = st.sampled_from(NAMES.split()) | st.text(max_size=5)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        [IMAGE, HOST, UNKNOWN_STRING_VALUE, json.dumps([{"image": IMAGE}]), "{", "- a"]
    )
    | st.builds(StringAsset, st.text(max_size=9))
    | st.builds(FileAsset, st.text(max_size=9))
    | st.builds(RemoteAsset, st.text(max_size=9))
    | st.builds(FileArchive, st.text(max_size=9))
    | st.builds(lambda text: AssetArchive({"a": StringAsset(text)}), st.text(max_size=9))
    | st.builds(Secret, st.text(max_size=9) | st.just(IMAGE))
)
TREES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(KEYS, inner, max_size=5)
        | st.builds(Secret, inner)
    ),
    max_leaves=30,
)
TYPES = st.sampled_from([*sorted({row.resource_type for row in ROWS}), "custom:index:Thing"])


@settings(max_examples=300)
@given(TYPES, st.dictionaries(KEYS, TREES, max_size=6))
def test_no_tree_that_the_sdk_can_hand_over_ends_the_walk(
    resource_type: str, inputs: dict[str, Any]
) -> None:
    found = uses(resource_type, inputs)
    assert len({use.path for use in found}) == len(found)
    for use in found:
        if isinstance(use.target, ImageReference):
            assert use.target == ImageReference.parse(use.text or "")


@pytest.mark.parametrize("resource_type", ["custom:index:Thing", "kubernetes:core/v1:Pod"])
def test_no_depth_ends_the_walk(resource_type: str) -> None:
    inputs: Any = {"image": IMAGE}
    for _ in range(20_000):
        inputs = {"a": [inputs]}
    (use,) = discover("urn", resource_type, plain(inputs))
    assert str(use.target) == IMAGE
    assert use.path == "a[0]." * 20_000 + "image"


def test_secrets_and_string_assets_are_read_and_files_are_not() -> None:
    inputs = {"a": Secret({"b": IMAGE}), "c": StringAsset(IMAGE), "d": FileAsset(IMAGE)}
    assert [use.path for use in uses("custom:index:Thing", inputs)] == ["a.b", "c"]


def test_keys_that_are_no_names_are_quoted_in_the_path() -> None:
    tree: Tree = {"a.b": {"c d": [IMAGE]}}
    (found,) = images_in(tree)
    assert written(found.place.keys) == '["a.b"]["c d"][0]'


def test_uses_come_in_the_order_of_the_inputs() -> None:
    tree = plain({"b": IMAGE, "a": [IMAGE, {"c": IMAGE}], "d": IMAGE})
    assert [written(found.place.keys) for found in images_in(tree)] == ["b", "a[0]", "a[1].c", "d"]


HOSTS = [
    HOST,
    HOST.upper(),
    "123456789012.dkr-ecr.eu-west-1.on.aws",
    "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com",
    "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
]


@pytest.mark.parametrize("host", HOSTS)
def test_every_form_of_host_is_found(host: str) -> None:
    assert is_whole_reference(f"{host}/shop/web:1")
    assert is_whole_reference(f"{host}/shop/web@sha256:{'0' * 64}")
    assert not is_whole_reference(f"{host}/shop/web")
    assert not is_whole_reference(host)


@pytest.mark.parametrize(
    "text",
    [
        f"{HOST}.evil.example/shop/web:1",
        f" {HOST}/shop/web:1",
        f"docker pull {HOST}/shop/web:1",
        f"oci://{HOST}/charts/web:1",
        "arn:aws:ecr:eu-west-1:123456789012:repository/shop/web:1",
        "public.ecr.aws/nginx/nginx:1",
        "nginx:1",
    ],
)
def test_what_only_looks_like_a_reference_is_none(text: str) -> None:
    assert not is_whole_reference(text)


@pytest.mark.parametrize(
    "text",
    [
        f"x{HOST}/shop/web:1",
        f"{HOST[1:]}/shop/web:1",
        f"1{HOST}/shop/web:1",
        f"{HOST}/Shop:1",
        f"{HOST}/shop/web:1@sha256:00",
        f"{HOST}/shop/web:",
    ],
)
def test_what_is_meant_as_a_reference_is_only_a_warning(text: str) -> None:
    (use,) = uses("custom:index:Thing", {"a": text})
    assert isinstance(use.target, Verdict)
    assert (use.target.code, use.naming) == (Code.REFERENCE_INVALID, Naming.CARRIED)


@pytest.mark.parametrize(
    "text",
    [
        f"{HOST}/shop/web:{{{{inputs.parameters.tag}}}}",
        f"{HOST}/shop/web:$.tag",
        f"{HOST}/shop/web:$(params.tag)",
        f"docker://{HOST}/shop/web:${{TAG}}",
        f"${{ACCOUNT}}{HOST[12:]}/shop/web:1",
    ],
)
def test_an_expression_that_an_engine_may_fill_in_is_not_resolved(text: str) -> None:
    (use,) = uses("kubernetes:argoproj.io/v1alpha1:Workflow", {"spec": {"image": text}})
    assert isinstance(use.target, Verdict)
    assert (use.target.code, use.naming) == (Code.EXPRESSION_UNRESOLVED, Naming.FOUND)


@pytest.mark.parametrize("scheme", ["docker://", "docker-image://", "https://"])
def test_the_scheme_of_a_tool_is_not_part_of_a_reference_among_other_strings(scheme: str) -> None:
    (use,) = uses("custom:index:Thing", {"a": f"{scheme}{IMAGE}"})
    assert (use.text, use.target) == (f"{scheme}{IMAGE}", ImageReference.parse(IMAGE))


@given(st.text(), st.text())
@example("0", ":$")  # an expression is reported as not resolved, whatever else is in the text
def test_no_string_outside_the_grammar_is_taken_for_ecr(before: str, after: str) -> None:
    text = f"{before}{HOST}/shop/web{after}"
    if is_whole_reference(text) and may_be_valid(text):
        is_scheme = before in ("", "docker://", "docker-image://", "https://")
        assert is_scheme or has_expression(text)
