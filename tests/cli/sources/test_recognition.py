"""What a text is, by its content."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerguard_cli.sources.source import NotASource, SourceKind, SourceUnreadable

from tests.cli.sources.states import HOST, RECORDED, export, read, state, summary_of

UNKNOWN = "It is of no kind that an audit reads."


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_is_read_with_the_mark_that_windows_puts_before_it(encoding: str) -> None:
    text = json.dumps(export(state("web", f"{HOST}/shop/web:1")))
    assert [summary_of(use) for use in read(text.encode(encoding)).uses] == [
        "web imageUri: shop/web:1"
    ]


@pytest.mark.parametrize(
    "document",
    [{}, [], {"a": 1}, {"version": 3}, {"steps": [1], "name": "x"}, ["nginx"], {"kind": "x"}],
)
def test_json_of_another_kind_is_no_source(document: Any) -> None:
    with pytest.raises(NotASource) as raised:
        read(document)
    assert str(raised.value) == UNKNOWN


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "It is empty."),
        (b" \n\n", "It is empty."),
        (b"\xff\xfe\xfd", "It is not text in UTF-8."),
        (b'{"version": 3, "deployment": {', "It is not valid JSON at line 1, column 31."),
        (b"[1, 2", "It is not valid JSON at line 1, column 6."),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(content: bytes, problem: str) -> None:
    with pytest.raises(SourceUnreadable) as raised:
        read(content)
    assert str(raised.value) == problem
    assert not isinstance(raised.value, NotASource)


def test_an_export_that_breaks_off_is_not_read_as_yaml() -> None:
    text = (RECORDED / "export.json").read_text()
    with pytest.raises(SourceUnreadable, match=r"^It is not valid JSON at line \d+, column \d+\.$"):
        read(text[: len(text) // 2])


def test_a_preview_that_came_to_nothing_is_a_preview() -> None:
    diagnostics = [{"severity": "error", "message": "error: no Pulumi.yaml"}]
    assert read({"diagnostics": diagnostics}).kind is SourceKind.PREVIEW


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        read(content)
    except SourceUnreadable as error:
        assert str(error).endswith(".")


words = st.sampled_from(
    ["urn", "type", "inputs", "provider", "parent", "delete", "op", "newState", "metadata", "new"]
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.text(max_size=8)
    | st.just("urn:pulumi:a::b::c::d"),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(words, inside, max_size=5),
    max_leaves=20,
)


@given(values)
def test_whatever_stands_in_an_export_or_a_preview_is_read(value: Any) -> None:
    event = {"sequence": 1, "timestamp": 1}
    for document in (
        {"version": 3, "deployment": {"resources": [value]}},
        {"steps": [value], "changeSummary": value, "config": value, "diagnostics": [value]},
        {**event, "resourcePreEvent": {"metadata": value}, "preludeEvent": value},
        {**event, "resourcePreEvent": value, "summaryEvent": {"resourceChanges": value}},
    ):
        read(document)
