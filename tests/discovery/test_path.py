"""Property paths: where they lead, and where the way ends before its time."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerguard.discovery.path import Keys, find, written
from layerguard.discovery.tree import Mark, Tree


def found(tree: Tree, path: str) -> list[tuple[str, str | Mark]]:
    return [(leaf.path, leaf.value) for leaf in find(tree, path)]


@pytest.mark.parametrize(
    ("tree", "path", "leaves"),
    [
        ({"a": {"b": "x"}}, "a.b", [("a.b", "x")]),
        ({"a": ["x", "y"]}, "a[]", [("a[0]", "x"), ("a[1]", "y")]),
        ({"a": [{"b": "x"}, {}, {"b": "y"}]}, "a[].b", [("a[0].b", "x"), ("a[2].b", "y")]),
        ({"a": {"k": "x", "l": "y"}}, "a{*}", [("a.k", "x"), ("a.l", "y")]),
        ({"a": '[{"b": "x"}]'}, "a:json[].b", [("a[0].b", "x")]),
        ({"a": '[{"B": "x"}]'}, "a:json[].b", [("a[0].b", "x")]),
        ({"a": [{"b": "x"}]}, "a:json[].b", [("a[0].b", "x")]),
        ({"a": 1, "b": None}, "a", []),
        ({"a": "x"}, "a.b", []),
        ({"a": "x"}, "a[]", []),
        ({}, "a.b.c", []),
    ],
)
def test_a_path_leads_to_strings_with_indexes_filled_in(
    tree: Tree, path: str, leaves: list[tuple[str, str]]
) -> None:
    assert found(tree, path) == leaves


def test_an_unknown_value_ends_only_the_way_through_it() -> None:
    tree: Tree = {"a": [{"b": "x"}, Mark.UNKNOWN, {"b": Mark.UNKNOWN}]}
    assert found(tree, "a[].b") == [
        ("a[0].b", "x"),
        ("a[1]", Mark.UNKNOWN),
        ("a[2].b", Mark.UNKNOWN),
    ]


@pytest.mark.parametrize("text", ["{", "", "[" * 100_000, "NaN,", "{'a': 1}"])
def test_a_document_that_does_not_parse_is_marked_where_it_stands(text: str) -> None:
    assert found({"a": text}, "a:json.b") == [("a", Mark.UNREADABLE)]


@pytest.mark.parametrize(
    ("tree", "path", "container"),
    [
        ({"c": [{"name": "web", "image": "x"}]}, "c[].image", "web"),
        ({"c": [{"image": "x"}]}, "c[].image", None),
        ({"c": [{"name": Mark.UNKNOWN, "image": "x"}]}, "c[].image", None),
        ({"name": "function", "imageUri": "x"}, "imageUri", None),
        ({"v": [{"name": "data", "image": {"reference": "x"}}]}, "v[].image.reference", None),
    ],
)
def test_the_name_beside_an_image_in_a_list_is_its_containers(
    tree: Tree, path: str, container: str | None
) -> None:
    (leaf,) = find(tree, path)
    assert leaf.container == container


@pytest.mark.parametrize("path", ["a[b]", "a{b}", "a:toml"])
def test_a_path_with_a_typing_error_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="is not a property path"):
        list(find({}, path))


_TREES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.sampled_from(Mark),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("abc"), inner),
)


@given(_TREES, st.sampled_from(["a", "a[]", "a.b[].c", "a{*}.b", "a:json[].b", "a:json.b:json.c"]))
def test_no_tree_makes_the_walk_fail(tree: Any, path: str) -> None:
    for leaf in find(tree, path):
        assert isinstance(leaf.value, (str, Mark))


@given(st.lists(st.text(min_size=1)))
def test_every_image_of_a_document_is_found(images: list[str]) -> None:
    document = json.dumps([{"image": image} for image in images])
    assert [leaf.value for leaf in find({"d": document}, "d:json[].image")] == images


def test_what_leaves_share_is_computed_once_for_each_value() -> None:
    calls: list[Tree] = []
    tree: Tree = {"a": [{"b": "x"}, {"b": "y"}], "shared": ["z"]}
    for leaf in find(tree, "a[].b"):
        leaf.once(calls.append, leaf.nearest("shared"))
        leaf.once(calls.append, leaf.value)
    assert calls == [["z"], "x", "y"]


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        ((), ""),
        (("a", 0, "b-c", 12), "a[0].b-c[12]"),
        ((0, "a"), "[0].a"),
        (("a.b", "", "c d", "$x*"), '["a.b"][""]["c d"].$x*'),
    ],
)
def test_keys_are_written_as_a_property_path(keys: Keys, path: str) -> None:
    assert written(keys) == path
