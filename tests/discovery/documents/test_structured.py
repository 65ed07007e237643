"""JSON, YAML and user data: what they read, and how they refuse."""

from __future__ import annotations

import base64
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerguard.discovery.documents import READERS
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


@given(
    st.sampled_from(sorted(READERS)),
    st.text() | st.binary().map(lambda data: base64.b64encode(data).decode()),
)
def test_every_reader_returns_or_refuses(reader: str, text: str) -> None:
    try:
        READERS[reader](text, ({},))
    except DocumentUnreadable as error:
        assert len(text) < 4 or text not in str(error)
