"""Platforms: what serves what, and how a config or an index names one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerguard.errors import PlatformInvalid
from layerguard.platform import Platform

# Made with containerd's platforms package (v1.0.0-rc.5, "Only"): for a wanted platform and the
# entries of an index, the positions of those that match, in the order in which they are tried.
CHOICES = [
    json.loads(line)
    for line in Path(__file__).with_name("platform-choices.jsonl").read_text().splitlines()
]


@pytest.mark.parametrize("row", CHOICES, ids=lambda row: f"{row['wanted']}-{len(row['entries'])}")
def test_of_an_index_containerds_choice_is_taken(row: dict[str, Any]) -> None:
    entries = [Platform.of_index_entry(each) for each in row["entries"]]
    assert Platform.parse(row["wanted"]).choices(entries) == row["order"]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("linux/x86_64", "linux/amd64"),
        ("linux/x86-64", "linux/amd64"),
        ("Linux/AMD64", "linux/amd64"),
        ("linux/amd64/v1", "linux/amd64"),
        ("linux/aarch64", "linux/arm64"),
        ("linux/arm64/v8", "linux/arm64"),
        ("linux/arm64/8", "linux/arm64"),
        ("linux/ARM64/V9", "linux/arm64/v9"),
        ("linux/armhf", "linux/arm/v7"),
        ("linux/armel", "linux/arm/v6"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/i386", "linux/386"),
        ("macos/arm64", "darwin/arm64"),
    ],
)
def test_a_platform_has_one_name_wherever_it_is_written(written: str, name: str) -> None:
    assert str(Platform.parse(written)) == name
    system, architecture, *variant = written.split("/")
    entry = {"os": system, "architecture": architecture, "variant": "".join(variant)}
    assert str(Platform.of_index_entry(entry)) == name
    assert str(Platform.of_config(entry)) == name


@given(st.text(), st.text(), st.text())
def test_a_name_that_is_normalised_stays_as_it_is(os: str, architecture: str, variant: str) -> None:
    platform = Platform(os, architecture, variant)
    if platform == Platform(platform.os, platform.architecture, platform.variant):
        return
    # Lower-casing twice differs for a few letters of other alphabets.
    assert not (os + architecture + variant).isascii()


def test_an_empty_platform_matches_nothing_and_an_absent_one_anything() -> None:
    amd64 = Platform("linux", "amd64")
    empty, absent = Platform.of_index_entry({}), Platform.of_index_entry(None)
    assert amd64.choices([empty, absent, absent, amd64]) == [3, 1, 2]


@pytest.mark.parametrize("document", [{"os": 5}, {"variant": ["v8"]}, {"os.features": [1]}])
def test_an_entry_that_go_does_not_decode_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        Platform.of_index_entry(document)


@pytest.mark.parametrize(
    ("host", "container", "serves"),
    [
        ("10.0.17763", "10.0.17763.5329", True),
        ("10.0.17763", "10.0.17763", True),
        ("10.0.17763", "", True),
        ("10.0.17763", "10.0.177630.1", False),
        ("10.0.17763", "10.0.1776", False),
        ("10.0.17763", "10.0.20348.2031", False),
        ("10.0.17763", "10.0", False),
        ("10.0.20348", "10.0.17763.5329", False),
        ("10.0.20348", "10.0.20348.2031", True),
        ("10.0.26100", "10.0.20348.2031", True),
        ("10.0.26100", "10.0.26100.1", True),
        ("10.0.26100", "10.0.17763.5329", False),
        ("10.0.20348", "10.0.26100.1", False),
        ("", "10.0.20348.1", True),
        ("2022", "10.0.20348.1", True),
    ],
)
def test_a_windows_host_runs_the_long_term_release_before_it(
    host: str, container: str, serves: bool
) -> None:
    wanted = Platform("windows", "amd64", os_version=host)
    offered = Platform("windows", "amd64", os_version=container)
    assert (wanted.rank(offered) == 0) is serves


def test_a_windows_host_takes_the_newest_build_that_it_runs() -> None:
    wanted = Platform("windows", "amd64", os_version="10.0.26100")
    builds = ["10.0.20348.1", "10.0.26100.2", "10.0.17763.3"]
    offered = [Platform("windows", "amd64", os_version=build) for build in builds]
    assert wanted.choices(offered) == [1, 0]


def test_a_variant_decides_in_an_index_and_not_in_a_config() -> None:
    wanted, offered = Platform("linux", "amd64"), Platform("linux", "amd64", "v3")
    assert wanted.rank(offered) is None
    assert wanted.runs(offered)


@pytest.mark.parametrize("text", ["", "linux", "linux/", "a/b/c/d"])
def test_a_text_that_is_no_platform_is_refused(text: str) -> None:
    with pytest.raises(PlatformInvalid, match="is not a platform"):
        Platform.parse(text)
