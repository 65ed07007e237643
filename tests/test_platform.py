"""Platforms: what serves what, and how a config or an index names one."""

from __future__ import annotations

import pytest
from layerguard.errors import PlatformInvalid
from layerguard.platform import Platform


@pytest.mark.parametrize(
    ("offered", "wanted", "serves"),
    [
        ("linux/amd64", "linux/amd64", True),
        ("linux/amd64", "linux/arm64", False),
        ("windows/amd64", "linux/amd64", False),
        ("linux/arm64/v8", "linux/arm64", True),
        ("linux/arm64", "linux/arm64/v8", True),
        ("linux/arm/v6", "linux/arm/v7", False),
        ("linux/arm/v6", "linux/arm", True),
    ],
)
def test_a_runtime_may_choose_what_serves_its_platform(
    offered: str, wanted: str, serves: bool
) -> None:
    assert Platform.parse(offered).serves(Platform.parse(wanted)) is serves


def test_a_windows_version_that_is_left_open_is_served_by_each() -> None:
    ltsc = Platform("windows", "amd64", None, "10.0.20348.1")
    assert ltsc.serves(Platform("windows", "amd64"))
    assert not ltsc.serves(Platform("windows", "amd64", None, "10.0.17763.1"))


@pytest.mark.parametrize(
    ("version", "serves"),
    [
        ("10.0.17763.5329", True),
        ("10.0.17763", True),
        (None, True),
        ("10.0.177630.1", False),
        ("10.0.1776", False),
        ("10.0.20348.2031", False),
    ],
)
def test_a_windows_build_is_served_by_its_revisions(version: str | None, serves: bool) -> None:
    wanted = Platform("windows", "amd64", None, "10.0.17763")
    assert Platform("windows", "amd64", None, version).serves(wanted) is serves


@pytest.mark.parametrize("text", ["", "linux", "linux/", "a/b/c/d"])
def test_a_text_that_is_no_platform_is_refused(text: str) -> None:
    with pytest.raises(PlatformInvalid, match="is not a platform"):
        Platform.parse(text)
