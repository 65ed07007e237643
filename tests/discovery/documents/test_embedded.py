"""Documents in strings of which nothing says that they are one."""

from __future__ import annotations

import base64
import gzip
import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from layerguard.discovery.documents.embedded import holds_document, read_embedded
from layerguard.discovery.documents.unreadable import DocumentUnreadable
from layerguard.discovery.tree import Mark

from tests.fakes import HOST

WEB = f"{HOST}/shop/web:1"
DUAL_STACK = "123456789012.dkr-ecr.eu-west-1.on.aws/shop/web:1"
VALUES = {"image": WEB, "more": [1, "a"]}


@pytest.mark.parametrize(
    ("text", "document"),
    [
        (json.dumps(VALUES), VALUES),
        (f"\ufeff \n{json.dumps(VALUES)}", VALUES),
        (yaml.safe_dump(VALUES), VALUES),
        (f"# a comment\n\n{yaml.safe_dump(VALUES)}", VALUES),
        (f"%YAML 1.1\n---\n{yaml.safe_dump(VALUES)}", VALUES),
        (f"{{image: {DUAL_STACK}}}", {"image": DUAL_STACK}),
        (f"- {WEB}", [WEB]),
        (f"a: 1\n---\nimage: {WEB}\n", [{"a": 1}, {"image": WEB}]),
        (f"'image': {WEB}", {"image": WEB}),
        (f"FROM {WEB}", [{"image": WEB, "platform": None}]),
        (f"ARG A=1\nFROM --platform=linux/arm64 {WEB}", [{"image": WEB, "platform": "linux/arm64"}]),
        (f"#cloud-config\nimage: {WEB}", {"image": WEB}),
        (f"#!/bin/sh\nimage: {WEB}", {"commands": {"line 2, column 8": {"image": WEB}}}),
        (f"docker pull {WEB}", {"commands": {"line 1, column 13": {"image": WEB}}}),
        (f'[settings.host-containers.admin]\nsource = "{WEB}"', {"image": {}, "other": {"line 2, column 10": WEB}}),
        (base64.b64encode(WEB.encode()).decode(), WEB),
        (f"see {WEB}", None),
        (f"To pull it: {WEB}", None),
        (f'{{"repository": "{HOST}/web"', Mark.UNREADABLE),
        (f"a: [\nrepository: {HOST}/web", Mark.UNREADABLE),
        (f"a: [\nweb is at {WEB}", None),
    ],
)  # fmt: skip
def test_a_document_is_recognised_by_how_it_begins(text: str, document: object) -> None:
    assert holds_document(text)
    assert read_embedded(text) == document


@given(st.binary(max_size=12), st.sampled_from([WEB, DUAL_STACK]), st.binary(max_size=12))
def test_a_host_is_seen_in_base64_wherever_it_stands(
    before: bytes, image: str, after: bytes
) -> None:
    data = before + image.encode() + after
    assert holds_document(base64.b64encode(data).decode())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "image: nginx:1.27",
        json.dumps({"image": "public.ecr.aws/nginx/nginx:1"}),
        "arn:aws:ecr:eu-west-1:123456789012:repository/shop/web",
        base64.b64encode(b"image: nginx:1.27 and more").decode(),
        base64.b64encode(gzip.compress(WEB.encode(), mtime=0)).decode(),
    ],
)
def test_a_text_without_a_host_is_not_worth_reading(text: str) -> None:
    assert not holds_document(text)


BEGINNINGS = [
    "{",
    "[",
    "- ",
    "a: ",
    "FROM ",
    "#!",
    "#cloud-config\n",
    "Content-Type: x\n\n",
    "---\n",
    '"',
    "",
]


@given(st.sampled_from(BEGINNINGS), st.text(max_size=20), st.text(max_size=20))
def test_every_text_is_read_or_is_no_document(beginning: str, before: str, after: str) -> None:
    text = f"{beginning}{before}{WEB}{after}"
    try:
        read_embedded(text)
    except DocumentUnreadable:
        pytest.fail("It raises what it is to return as a mark.")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
        ),
        max_leaves=10,
    )
)
def test_whatever_stands_beside_an_image_in_json_is_read(value: object) -> None:
    document = {"image": WEB, "value": value}
    assert read_embedded(json.dumps(document)) == document
