"""Plain values out of what the policy SDK really hands over."""

from __future__ import annotations

import pytest
from layerguard.discovery.documents.structured import read_json
from layerguard.discovery.tree import FoldedObject, Mark, member, plain
from layerguard.gates import SENTINELS
from pulumi import FileAsset
from pulumi_policy import proxy


def test_the_sdks_proxies_are_taken_off_at_every_depth() -> None:
    inputs = {"a": [{"b": ["c", 1, 1.5, True, None]}], "d": {}}
    assert plain(proxy.unknown_checking_proxy(inputs), SENTINELS) == inputs


def test_every_unknown_of_the_sdk_becomes_a_mark_and_leaves_its_neighbours() -> None:
    assert len(SENTINELS) == 7
    for sentinel in SENTINELS:
        inputs = proxy.unknown_checking_proxy(
            {"known": "1", "list": ["2", sentinel], "x": sentinel}
        )
        assert plain(inputs, SENTINELS) == {
            "known": "1",
            "list": ["2", Mark.UNKNOWN],
            "x": Mark.UNKNOWN,
        }


def test_assets_are_opaque() -> None:
    inputs = proxy.unknown_checking_proxy({"code": FileAsset("./app.zip")})
    assert plain(inputs, SENTINELS) == {"code": Mark.OPAQUE}


def test_only_the_keys_of_a_decoded_document_match_in_any_case() -> None:
    assert member({"Image": "x"}, "image") is None
    assert member(FoldedObject(Image="x"), "image") == "x"
    assert (
        member(FoldedObject({"\N{KELVIN SIGN}m\N{LATIN SMALL LETTER LONG S}": "x"}), "kms") == "x"
    )


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ('{"image": "a", "Image": "b"}', "b"),
        ('{"Image": "a", "image": "b"}', "b"),
        ('{"image": "a", "Image": "b", "image": "c"}', "c"),
        ('{"image": "a", "IMAGE": null}', None),
    ],
)
def test_of_members_that_differ_in_case_only_the_later_one_counts(
    text: str, counts: str | None
) -> None:
    assert member(read_json(text), "image") == counts
    assert member("no object", "image") is None
