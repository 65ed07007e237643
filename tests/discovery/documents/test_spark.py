"""Spark's properties in the arguments of spark-submit."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerguard.discovery.documents.spark import spark_properties, split_words
from layerguard.discovery.documents.unreadable import DocumentUnreadable

from tests.fakes import HOST

IMAGE = "spark.kubernetes.container.image"


@pytest.mark.parametrize(
    "arguments",
    [
        f"--conf {IMAGE}={HOST}/spark:1",
        f"-c {IMAGE}={HOST}/spark:1",
        f"--conf={IMAGE}={HOST}/spark:1",
        f"--conf '{IMAGE}={HOST}/spark:1'",
        f'--conf {IMAGE}="{HOST}/spark:1"',
        f"--class Main \\\n  --conf {IMAGE}={HOST}/spark:1 --verbose",
        f"--conf {IMAGE}={HOST}/spark:0 --conf {IMAGE}={HOST}/spark:1",
    ],
)
def test_a_property_is_read_however_it_is_written_and_the_last_one_counts(arguments: str) -> None:
    assert spark_properties(arguments) == {IMAGE: f"{HOST}/spark:1"}


def test_every_property_is_read_with_all_that_follows_its_first_equals_sign() -> None:
    arguments = (
        "--class org.example.Job --conf spark.executor.instances=2 --jars s3://b/a.jar "
        "--conf 'spark.driver.extraJavaOptions=-Da=b -Dc=d' --conf spark.empty="
    )
    assert spark_properties(arguments) == {
        "spark.executor.instances": "2",
        "spark.driver.extraJavaOptions": "-Da=b -Dc=d",
        "spark.empty": "",
    }


@pytest.mark.parametrize(
    "arguments", ["", "--conf", "--conf novalue", f"--name {IMAGE}=x", f"{IMAGE}=x", "-conf a=b"]
)
def test_nothing_else_is_a_property(arguments: str) -> None:
    assert spark_properties(arguments) == {}


@pytest.mark.parametrize("arguments", ["--conf 'a=hunter2", '--conf "a=hunter2', "--conf a\\"])
def test_an_open_quotation_is_unreadable_and_its_text_is_not_shown(arguments: str) -> None:
    with pytest.raises(DocumentUnreadable, match=r"^The arguments end inside a quotation\.$"):
        spark_properties(arguments)


@given(st.text() | st.text("-c'\"\\= \nonf"))
def test_any_text_gives_properties_or_is_unreadable(text: str) -> None:
    try:
        assert all(isinstance(value, str) for value in spark_properties(text).values())
    except DocumentUnreadable:
        assert set(text) & set("'\"\\")


@given(st.dictionaries(st.text().filter(lambda key: "=" not in key), st.text()))
def test_properties_that_are_quoted_for_a_shell_read_back(properties: dict[str, str]) -> None:
    settings = (f"{key}={value}" for key, value in properties.items())
    arguments = " ".join(f"--conf {shlex.quote(setting)}" for setting in settings)
    assert spark_properties(arguments) == properties


@given(st.text("ab'\"\\ \t\n=") | st.text())
def test_words_are_split_as_a_shell_splits_them(text: str) -> None:
    try:
        expected = shlex.split(text)
    except ValueError:
        with pytest.raises(DocumentUnreadable):
            list(split_words(text))
    else:
        assert list(split_words(text)) == expected
