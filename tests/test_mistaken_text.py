"""Text that no runtime parses: the likely cause in words."""

from __future__ import annotations

import pytest
from layerguard.errors import ReferenceInvalid
from layerguard.mistaken_text import quoted
from layerguard.reference import ImageReference

HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
CAUSES = [
    # text                                                  what the words must say
    ("Calling __str__ on an Output[T] is not supported.", "pulumi.Output.concat"),
    ("<pulumi.output.Output object at 0x7f0000000000>:1", "pulumi.Output.json_dumps"),
    ("Calling [toString] on an [Output<T>] is not supported.", "pulumi.interpolate"),
    ("Calling [ToString] on an [Output<T>] is not supported.", "Output.Format"),
    ("Pulumi.Output`1[System.String]:1", "Output.Format"),
    ("com.pulumi.core.internal.OutputInternal@1b2c:1", "Output.format"),
    ("%!v(PANIC=String method: Calling String on an Output):1", "pulumi.Sprintf"),
    ("{0xc0003d2000}:1", "pulumi.Sprintf"),
    ("[object Object]:1", "pulumi.interpolate"),
    ("<no value>/shop/web:1", "A template has no value"),
    ("!Sub ${AWS::AccountId}.dkr.ecr.us-east-1.amazonaws.com/a/b", "a function of CloudFormation"),
    ("{{ .Values.image }}", "a template that nothing renders"),
    ("${IMAGE}", "a variable that nothing fills in"),
    ("$(IMAGE)", "a variable that nothing fills in"),
    ("$IMAGE", "a variable that nothing fills in"),
    ("%IMAGE%", "a placeholder"),
    ('{"name":"x"}', "This is JSON"),
    (f'"{HOST}/shop/web:1"', "quotation marks"),
    (f"{HOST}/shop/web: 1", "white space"),
    (f"\ufeff{HOST}/shop/web:1", "byte order mark"),
    (f"{HOST}/shop/web\u200b:1", "no width"),
    (f"oci://{HOST}/shop/web:1", "takes no scheme"),
    ("Shop/Web:1", "lower-case letters"),
    (":1", "is not a repository name"),
    ("a" * 64, "the identifier of an image"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words"), CAUSES)
def test_the_words_say_the_likely_cause(text: str, words: str) -> None:
    with pytest.raises(ReferenceInvalid) as raised:
        ImageReference.parse(text)
    assert words in str(raised.value)
    assert raised.value.is_certain


def test_what_is_quoted_in_a_message_is_short() -> None:
    assert quoted("web") == "'web'"
    assert quoted("a" * 1_000_000) == f"'{'a' * 64}...'"
