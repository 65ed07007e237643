"""Plain lists of references."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerguard_cli.sources.reference_list import is_list, read_list
from layerguard_cli.sources.source import NotASource, SourceKind

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


@pytest.mark.parametrize("line", ["nginx 1.27", "requests==2.31", "name,image", "IMAGE=nginx:1"])
def test_a_line_that_cannot_be_a_reference_is_noted_and_hides_none_of_the_others(line: str) -> None:
    source = read(f"{HOST}/shop/web:1\n{line}\n{HOST}/shop/web:2")
    assert [summary_of(use) for use in source.uses] == ["line 1: shop/web:1", "line 3: shop/web:2"]
    assert (source.problems, source.notes) == ((), ("Line 2 is no image reference.",))


@pytest.mark.parametrize(
    "line",
    ["IMAGE={}", "web,{}", "docker pull {}", "${{ACCOUNT}}.dkr.ecr.eu-west-1.amazonaws.com/a:1"],
)
def test_such_a_line_that_names_ecr_is_a_problem(line: str) -> None:
    source = read(f"{HOST}/shop/web:1\n{line.format(f'{HOST}/a:1')}\n{HOST}/shop/web:2")
    assert [summary_of(use) for use in source.uses] == ["line 1: shop/web:1", "line 3: shop/web:2"]
    assert source.problems == ("Line 2 names a host of ECR, and is no image reference.",)
    assert source.notes == ()


@pytest.mark.parametrize(
    "text",
    [
        f"name,image\nweb,{HOST}/a:1\n",
        f"IMAGE={HOST}/a:1\nDEBUG=1\n",
        "boto3>=1,<2\nrequests==2.31\n",
    ],
)
def test_what_has_more_other_lines_than_references_is_no_list(text: str) -> None:
    with pytest.raises(NotASource, match=r"^Most of its lines are no image references\.$"):
        read(text)


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
    try:
        source = read_list("the place", text)
    except NotASource:
        return
    assert len(source.uses) + len(source.problems) <= len(text.splitlines())
