"""Quoted references in documents that need no parser."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerguard.discovery.documents.quoted import quoted_references
from layerguard.discovery.tree import Tree

from tests.fakes import HOST

WEB = f"{HOST}/shop/web:1"
NONE: Tree = {"image": {}, "other": {}}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (f'image = "{WEB}"', "line 1, column 1"),
        (f"image='{WEB}'", "line 1, column 1"),
        (f'a {{\n\timage    =  "{WEB}"\r\n}}', "line 2, column 2"),
        (f'"it is \\" not open" image = "{WEB}"', "line 1, column 21"),
        (f'/* {WEB} */ image = "{WEB}"', f"line 1, column {len(WEB) + 8}"),
        (f'/*\n"\n*/ image = "{WEB}"', "line 3, column 4"),
        (f'data = <<EOF\n"\nEOF\nimage = "{WEB}"', "line 4, column 1"),
        (f'data = <<-EOF\n/*\n  EOF\nimage = "{WEB}"', "line 4, column 1"),
        (f'path = "/data/*"\nimage = "{WEB}"', "line 2, column 1"),
        (f'open = "a\nimage = "{WEB}"', "line 2, column 1"),
    ],
)
def test_the_string_of_an_image_is_found_where_it_stands(text: str, place: str) -> None:
    assert quoted_references(text) == {"image": {place: WEB}, "other": {}}


def test_other_strings_are_kept_apart_from_images() -> None:
    text = f'default = "{WEB}"\nargs = ["--image", "{WEB}"]\nmy_image = "{WEB}"\n'
    assert quoted_references(text) == {
        "image": {},
        "other": {
            "line 1, column 11": WEB,
            "line 2, column 20": WEB,
            "line 3, column 12": WEB,
        },
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"image = {WEB}",
        f'# image = "{WEB}"',
        f'// image = "{WEB}"',
        f'/* image = "{WEB}"',
        f'a = <<EOF\nimage = "{WEB}"\n',
        'image = "nginx:1.27"',
        f'image = "pull {WEB}"',
        'image = "${var.registry}/shop/web:1"',
    ],
)
def test_nothing_else_is_found(text: str) -> None:
    assert quoted_references(text) == NONE


@given(st.text() | st.text("\"'\\\n#/*<EOF =image"))
def test_no_text_makes_the_reader_fail(text: str) -> None:
    assert quoted_references(text) == NONE
