"""Every format with any text in every place: legible, valid, and no command to a CI system."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layerguard_cli.reports.formats import FORMATS, Format, TableLayout

from tests.cli.reports import reports

TERMINAL = TableLayout(every_use=True, width=40, color=True)
COLOR = re.compile(r"\x1b\[[0-9;]*m")
# A mark that keeps a name from notifying a user on GitHub, after the escape of @ or #.
MARK = re.compile("(?<=&#64;)\u200b|(?<=&#35;)\u200b")
ILLEGIBLE = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufffe\uffff]"
)
COMMAND = re.compile(r"^\s*::|##(vso)?\[", re.MULTILINE)
TEXTS = (
    st.text(max_size=60)
    | st.text("\0\x1b[2J\r\n\u200b\u202e\ud800\udcff\uffff\ufeff\u2028", max_size=30)
    | st.lists(st.sampled_from(["::", "##[", "set-env", " ", "\n", "x" * 30]), max_size=9).map(
        "".join
    )
)
PARSERS: Mapping[str, object] = {
    "json": json.loads,
    "sarif": json.loads,
    "junit": ElementTree.fromstring,
}


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
@given(text=TEXTS)
@settings(deadline=None)  # rich loads its tables of character widths with the first text
def test_any_text_is_legible_wherever_it_stands(form: Format, text: str) -> None:
    rendered = "".join(form.render(reports.everywhere(text), TERMINAL))
    rendered.encode()
    parse = PARSERS.get(form.name)
    if callable(parse):
        parse(rendered)
    shown = MARK.sub("", COLOR.sub("", rendered))
    assert not ILLEGIBLE.search(shown)
    assert not COMMAND.search(shown)


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
def test_no_report_has_credentials_in_it(form: Format) -> None:
    assert reports.SECRET not in "".join(form.render(reports.full(), TERMINAL))


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
@pytest.mark.parametrize("answered", [0, 1])
def test_a_secret_reference_has_no_account_in_any_report(form: Format, answered: int) -> None:
    report = reports.secret(answered)
    rendered = form.render(report, TERMINAL)
    assert "123456789012" not in rendered
