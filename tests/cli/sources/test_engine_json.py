"""The engine's JSON: secrets, assets and unknown values, and text that is none."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerguard.discovery.tree import HIDDEN, Mark, SecretText
from layerguard.gates import SENTINELS
from layerguard_cli.sources import engine_json
from layerguard_cli.sources.engine_json import read_documents
from layerguard_cli.sources.source import SourceUnreadable

from tests.cli.sources.states import SECRET, SIGNATURE

ASSET = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"
REFERENCE = "5cf8f73096256a8f31e491e813e4eb8e"
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def test_the_strings_for_unknown_values_are_those_of_the_policy_sdk() -> None:
    assert engine_json.UNKNOWN == SENTINELS


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ({"ciphertext": "v1:abc"}, HIDDEN),
        ({"plaintext": '"shown"'}, "shown"),
        ({"plaintext": '{"a": [1, null]}'}, {"a": [1, None]}),
        ({"plaintext": "not JSON"}, HIDDEN),
        ({"plaintext": "[" * 100_000}, HIDDEN),
        ({"plaintext": json.dumps({SIGNATURE: SECRET, "ciphertext": "v1:abc"})}, Mark.HIDDEN),
        ({}, HIDDEN),
    ],
)
def test_a_secret_is_its_value_where_that_is_shown(written: dict[str, str], meant: object) -> None:
    documents, problem = read_documents(json.dumps({"a": [{SIGNATURE: SECRET, **written}]}))
    assert (documents, problem) == ([{"a": [meant]}], "")


def test_every_string_of_a_shown_secret_is_marked_and_no_other() -> None:
    shown = {SIGNATURE: SECRET, "plaintext": '{"a": ["b"]}'}
    ([document],), _ = read_documents(json.dumps([{"secret": shown, "other": "b"}]))
    assert isinstance(document["secret"]["a"][0], SecretText)
    assert not isinstance(document["other"], SecretText)
    assert "b" not in repr(document["secret"]["a"])


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ({SIGNATURE: ASSET, "text": "FROM web"}, "FROM web"),
        ({SIGNATURE: ASSET, "path": "./Dockerfile"}, Mark.OPAQUE),
        ({SIGNATURE: ARCHIVE, "assets": {}}, Mark.OPAQUE),
        ({SIGNATURE: REFERENCE, "urn": "urn", "id": "1"}, Mark.OPAQUE),
        ({SIGNATURE: OUTPUT, "value": "known"}, "known"),
        ({SIGNATURE: OUTPUT}, UNKNOWN),
        ({SIGNATURE: "of tomorrow"}, Mark.OPAQUE),
        ({SIGNATURE: ["no", "signature"]}, Mark.OPAQUE),
    ],
)
def test_what_has_a_signature_is_what_the_engine_means_by_it(
    written: dict[str, object], meant: object
) -> None:
    assert read_documents(json.dumps([written])) == ([[meant]], "")


def test_documents_stand_one_behind_the_other() -> None:
    assert read_documents(' {"a": 1}\n{"b": 2}[3] ') == ([{"a": 1}, {"b": 2}, [3]], "")


def test_a_text_that_breaks_off_has_the_documents_before_and_the_place() -> None:
    assert read_documents('{"a": 1}\n{"password": "hunter2') == (
        [{"a": 1}],
        "It is not valid JSON at line 2, column 14.",
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "It has no JSON document."),
        ('{"password": hunter2}', "It is not valid JSON at line 1, column 14."),
        ("[" * 100_000, "It is nested too deeply."),
    ],
)
def test_without_a_document_the_reason_has_nothing_of_the_text(text: str, problem: str) -> None:
    with pytest.raises(SourceUnreadable) as raised:
        read_documents(text)
    assert str(raised.value) == problem


@given(st.text(alphabet=st.sampled_from('{}[]",:0123456789truefalsn \n\\u') | st.characters()))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        documents, _ = read_documents(text)
    except SourceUnreadable:
        return
    assert documents
