"""JSON, YAML and user data: what they read, and how they refuse."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from layerguard.discovery.documents import READERS, structured
from layerguard.discovery.documents.structured import read_json, read_yaml, read_yaml_stream
from layerguard.discovery.documents.unreadable import DocumentUnreadable
from layerguard.discovery.documents.user_data import read_user_data
from layerguard.discovery.tree import FoldedObject

from tests.fakes import HOST

CONFIG = "#cloud-config\nwrite_files:\n  - content: image:1\n"


def test_cloudformations_short_tags_become_its_functions() -> None:
    text = "a: !Ref X\nb: !Sub '${Y}'\nc: !Join ['', [a, !Ref X]]\nd: !GetAtt A.B\ne: !Condition Z\nf: !If {a: 1}"
    assert read_yaml(text) == {
        "a": {"Ref": "X"},
        "b": {"Fn::Sub": "${Y}"},
        "c": {"Fn::Join": ["", ["a", {"Ref": "X"}]]},
        "d": {"Fn::GetAtt": "A.B"},
        "e": {"Condition": "Z"},
        "f": {"Fn::If": {"a": 1}},
    }


def test_dates_and_keys_are_text_and_objects_fold_their_keys() -> None:
    document = read_yaml("Version: 2010-09-09\n1: a\nnull: b")
    assert document == {"Version": "2010-09-09", "1": "a", "None": "b"}
    assert isinstance(document, FoldedObject)


@pytest.mark.parametrize(
    "text", ["=", "<<", "9999-99-99", "2001-12-14t21:59:43.10-05:00", "1" * 5000]
)
def test_what_only_looks_like_another_type_is_its_text(text: str) -> None:
    assert read_yaml(f"- {text}") == [text]


def test_a_number_of_more_digits_than_a_version_has_is_its_text() -> None:
    digits = "7" * 5000
    assert read_json(f"[{digits}, 7]") == [digits, 7]
    assert read_yaml(f"- {digits}\n- {digits}.5\n- 7\n- 1.5") == [digits, f"{digits}.5", 7, 1.5]


def test_a_document_may_have_as_many_values_as_it_has_characters_for() -> None:
    # What "kubectl get deployments -A -o yaml" prints of a large cluster is one document.
    items = "items:\n" + "- {kind: Pod, a: [x, x, x, x, x, x]}\n" * 40_000
    document = read_yaml(items)
    assert isinstance(document, dict)
    assert len(document["items"]) == 40_000  # type: ignore[arg-type]


def test_the_loader_is_the_one_in_c_where_there_is_one() -> None:
    has_c = hasattr(yaml, "CSafeLoader")
    assert issubclass(structured._Loader, yaml.CSafeLoader if has_c else yaml.SafeLoader)


def test_every_document_of_a_stream_is_read() -> None:
    assert read_yaml_stream("a: 1\n---\nb: 2\n---\n") == [{"a": 1}, {"b": 2}, None]
    assert read_yaml_stream("") == []
    assert read_yaml("") is None


@pytest.mark.parametrize(
    "text",
    [
        "a: [",
        "{",
        "a: b: c",
        "\t",
        "&a [*a]",
        "? [a]\n: b",
        "!!python/object:os.system x",
        "[" * 5000,
    ],
)
def test_what_is_no_yaml_is_refused_without_its_text(text: str) -> None:
    with pytest.raises(DocumentUnreadable) as caught:
        read_yaml(text)
    assert str(caught.value) in ("The text is not YAML.", "The document is too large.")


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "nope"])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(DocumentUnreadable, match="The text is not JSON"):
        read_json(text)


@pytest.mark.parametrize(
    "text",
    [
        CONFIG,
        base64.b64encode(CONFIG.encode()).decode(),
        base64.b64encode(gzip.compress(CONFIG.encode(), mtime=0)).decode(),
    ],
)
def test_cloud_config_is_read_plain_in_base64_and_packed(text: str) -> None:
    assert read_user_data(text) == {"write_files": [{"content": "image:1"}]}


def test_the_parts_of_a_message_that_are_documents_are_read() -> None:
    text = (
        'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="B"\n\n--B\n'
        "Content-Type: application/node.eks.aws\n\nkind: NodeConfig\n\n--B\n"
        "Content-Type: text/x-shellscript\n\n#!/bin/sh\n--B--\n"
    )
    assert read_user_data(text) == [{"kind": "NodeConfig"}]


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("7bit", CONFIG),
        ("base64", base64.encodebytes(CONFIG.encode()).decode()),
        ("base64", base64.encodebytes(gzip.compress(CONFIG.encode(), mtime=0)).decode()),
        ("quoted-printable", CONFIG.replace("image", "im=\nage")),
    ],
)
def test_the_parts_of_a_message_are_decoded_and_those_of_its_messages_read(
    encoding: str, body: str
) -> None:
    part = f"Content-Type: text/cloud-config;\n charset=utf-8\nContent-Transfer-Encoding: {encoding}\n\n{body}\n"
    inner = f"Content-Type: multipart/mixed; boundary=B-1\n\n--B-1\n{part}--B-1--\n"
    text = f"MIME-Version: 1.0\nContent-Type: multipart/mixed;\n\tboundary=B\n\n--B\n{inner}\n--B\n\n{CONFIG}\n--B--\n"
    document = {"write_files": [{"content": "image:1"}]}
    assert read_user_data(text) == [document, document]
    assert read_user_data(text.replace("\n", "\r\n")) == [document, document]


def test_messages_that_are_nested_too_deeply_are_unreadable() -> None:
    text = "".join(
        f"Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n" for level in range(20)
    )
    with pytest.raises(DocumentUnreadable, match="messages in it too deeply"):
        read_user_data(text)


def test_references_in_bottlerockets_settings_are_read() -> None:
    settings = f'[settings.host-containers.admin]\nsource = "{HOST}/admin:1"\nenabled = true\n'
    assert read_user_data(settings) == {
        "image": {},
        "other": {"line 2, column 10": f"{HOST}/admin:1"},
    }


@pytest.mark.parametrize("text", ["", "#!/bin/sh\ndocker pull x", "hello", "QUJD", "////", "//8="])
def test_a_script_or_other_text_is_no_document(text: str) -> None:
    assert read_user_data(text) is None


def test_what_unpacks_to_more_than_a_machine_takes_is_unreadable() -> None:
    bomb = base64.b64encode(gzip.compress(b"#" * 10_000_000)).decode()
    with pytest.raises(DocumentUnreadable, match="does not unpack, or not to its end"):
        read_user_data(bomb)


# PyYAML folds some of Unicode's line breaks when it writes them.
words = st.text(st.characters(codec="utf-8", exclude_characters="\x85\u2028\u2029"), max_size=10)
scalars = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | words


@given(
    st.recursive(
        scalars,
        lambda inside: st.lists(inside, max_size=4) | st.dictionaries(words, inside, max_size=4),
    )
)
def test_what_yaml_and_json_say_of_a_value_is_the_value(value: Any) -> None:
    assert read_yaml(yaml.safe_dump(value, allow_unicode=True)) == value
    assert read_json(json.dumps(value)) == value


@given(
    st.sampled_from(sorted(READERS)),
    st.text() | st.binary().map(lambda data: base64.b64encode(data).decode()),
)
def test_every_reader_returns_or_refuses(reader: str, text: str) -> None:
    try:
        READERS[reader](text, ({},))
    except DocumentUnreadable as error:
        assert len(text) < 4 or text not in str(error)
