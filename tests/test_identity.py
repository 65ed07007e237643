"""Identities: what is never shown of them."""

from __future__ import annotations

import pytest
from layerguard.identity import without_credentials


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
