"""Plain lists of references."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerguard_cli.sources.reference_list import is_list, read_list
from layerguard_cli.sources.source import SourceKind

from tests.cli.sources.states import HOST, read, summary_of

LIST = f"""\
# What the night shift runs.

{HOST}/shop/web:1.4.2
  {HOST}/shop/worker:1.4.2   # until Friday
docker.io/library/nginx:1.27
{HOST}/Shop/Cart:1
"""


def test_a_list_has_a_reference_a_line_and_comments() -> None:
    source = read(LIST)
    assert (source.name, source.kind, source.problems) == ("the place", SourceKind.REFERENCES, ())
    assert [summary_of(use) for use in source.uses] == [
        "line 3: shop/web:1.4.2",
        "line 4: shop/worker:1.4.2",
        "line 5: not-private-ecr",
        "line 6: reference-invalid",
    ]
    assert source.uses[1].text == f"{HOST}/shop/worker:1.4.2"


def test_a_line_of_several_words_is_a_problem_and_hides_none_of_the_others() -> None:
    source = read(f"{HOST}/shop/web:1\nnginx 1.27\n{HOST}/shop/web:2")
    assert [summary_of(use) for use in source.uses] == ["line 1: shop/web:1", "line 3: shop/web:2"]
    assert source.problems == ("Line 2 has more than one word: it is no image reference.",)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing",
        "---",
        "apiVersion: v1",
        "kind:",
        "- nginx",
        "{a: 1}",
        "%YAML 1.2",
        "two words",
    ],
)
def test_what_begins_like_yaml_or_prose_is_no_list(text: str) -> None:
    assert not is_list(text)


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    source = read_list("the place", text)
    assert len(source.uses) + len(source.problems) <= len(text.splitlines())
