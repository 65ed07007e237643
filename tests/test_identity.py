"""Identities: what is never shown of them."""

from __future__ import annotations

import pytest
from layerguard.identity import (
    ORDINARY,
    AssumedRole,
    Identity,
    StaticKeys,
    WebIdentity,
    without_credentials,
)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://ecr.example:5000/a", "https://ecr.example:5000/a"),
        ("https://user:hidden@ecr.example/", "https://ecr.example/"),
        ("https://user:hid@den@ecr.example/", "https://ecr.example/"),
        ("https://ecr.example/?token=hidden", "https://ecr.example/"),
        ("https://user:hid/den@ecr.example/", "***@ecr.example/"),
        ("https://user:hid?den@ecr.example/", "***@ecr.example/"),
        ("user:hidden@ecr.example:80", "***@ecr.example:80"),
        ("//user:hidden@ecr.example", "***@ecr.example"),
        ("http:/user:hidden@ecr.example", "***@ecr.example"),
        ("ecr.example", "ecr.example"),
    ],
)
def test_a_url_is_shown_without_credentials_and_so_is_what_is_none(url: str, shown: str) -> None:
    assert without_credentials(url) == shown


@pytest.mark.parametrize(
    ("identity", "text"),
    [
        (ORDINARY, "the default credential chain"),
        (Identity(region="eu-west-1"), "the default credential chain"),
        (Identity(profile="team"), "the profile team"),
        (Identity(profile="team", config_files=("/a", "/b")), "the profile team, the files /a, /b"),
        (Identity(keys=StaticKeys("AKIA", "secret", "token")), "static keys"),
        (Identity(web_identity=WebIdentity("arn:w", "token")), "the web identity of arn:w"),
        (
            Identity(profile="team", roles=(AssumedRole("arn:a", "id"), AssumedRole("arn:b"))),
            "the profile team and the role arn:a and the role arn:b",
        ),
        (Identity(profile="hush", hidden=("hush",)), "the profile ***"),
    ],
)
def test_its_text_says_what_asks_and_holds_no_secret(identity: Identity, text: str) -> None:
    assert str(identity) == text
