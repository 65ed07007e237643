"""Legible text: what leaves obeys no terminal, is no command of a CI system, and can be encoded."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerguard.legible import MAX_LINE, MAX_LINES, legible_line, legible_lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, with ümlauts and 日本", "plain text, with ümlauts and 日本"),
        ("a\nb\tc\0", r"a\nb\tc\x00"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("\ud800 alone", r"\ud800 alone"),
        ("\u202eright to left", r"\u202eright to left"),
        ("zero\u200bwidth", r"zero\u200bwidth"),
        ("\ufeffmark", r"\ufeffmark"),
        ("::error::not ours", r"\::error::not ours"),
        ("  ##[command]not ours", r"  #\#[command]not ours"),
        ("a name ##[set-env name=A]b", r"a name #\#[set-env name=A]b"),
        ("##vso[task.complete]x", r"#\#vso[task.complete]x"),
        ("## a heading", "## a heading"),
        ("urn:pulumi:dev::shop", "urn:pulumi:dev::shop"),
    ],
)
def test_an_illegible_character_is_shown_as_its_escape(text: str, shown: str) -> None:
    assert legible_line(text) == shown


@given(text=st.text(st.characters(codec=None, exclude_categories=[])) | st.text(":#[ x"))
def test_any_text_becomes_one_encodable_line_of_visible_characters(text: str) -> None:
    line = legible_line(text)
    line.encode()
    assert len(line.splitlines()) <= 1
    assert not any(unicodedata.category(each) in ("Cc", "Cs", "Zl", "Zp") for each in line)
    assert not line.lstrip().startswith("::")
    assert "##[" not in line
    assert legible_line(line) == line


def test_text_that_is_too_long_is_cut() -> None:
    assert legible_line("x" * 3_000_000) == "x" * (MAX_LINE - 1) + "…"
    assert legible_line("abcdef", most=4) == "abc…"
    many = legible_lines(str(number) for number in range(1_000)).split("\n")
    assert (len(many), many[-1]) == (MAX_LINES + 1, "  and 800 more lines")
