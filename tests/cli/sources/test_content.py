"""The content of a file: within bounds, whatever the file is."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerguard_cli.sources.content import LARGEST, Content, mentions_ecr
from layerguard_cli.sources.places import Reader
from layerguard_cli.sources.source import Source, SourceUnreadable

from tests.cli.sources.states import HOST

WEB = f"{HOST}/shop/web:1"
POD = f"apiVersion: v1\nkind: Pod\nspec: {{containers: [{{image: '{WEB}'}}]}}\n"
TOO_LARGE = "It is larger than 100 MB, which is more than an audit reads."


def read(place: Path) -> tuple[list[Source], list[str]]:
    notes: list[str] = []
    reader = Reader(lambda: b"", {}, notes.append)
    return [source for _, source in reader.read(str(place))], notes


@pytest.mark.parametrize(
    "host", ["1.dkr.ecr.x", "1.DKR.ECR.x", "1.dkr-ecr.x", "1.dkr.ecr-fips.x", "${A}.dkr.ecr.x"]
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_host_of_ecr_is_seen_in_every_form_and_encoding(host: str, encoding: str) -> None:
    assert mentions_ecr(f"a\n{host} b".encode(encoding))
    assert Content.of(f"a\n{host} b".encode(encoding)).line == 2
    assert not mentions_ecr("1.dkr.example".encode(encoding))


@given(st.binary())
def test_any_bytes_are_text_or_refused(data: bytes) -> None:
    content = Content.of(data)
    assert isinstance(content.shown, str)
    try:
        assert content.text.strip()
    except SourceUnreadable as error:
        assert str(error).endswith(".")


def test_what_unpacks_to_more_than_is_read_is_searched_as_far_as_it_is() -> None:
    bomb = Content.of(gzip.compress(b"\0" * (LARGEST + 1), 1))
    assert (bomb.cut, bomb.mentions) == (TOO_LARGE, False)
    assert len(bomb.data) <= LARGEST + (1 << 20)


def test_many_packed_members_cost_no_more_than_their_size() -> None:
    began = time.process_time()
    content = Content.of(gzip.compress(b"a") * 50_000)
    assert (len(content.data), content.cut) == (50_000, "")
    assert time.process_time() - began < 10


@pytest.mark.parametrize("names", [True, False])
def test_a_file_of_200_megabytes_is_searched_and_hides_no_other(
    tmp_path: Path, names: bool
) -> None:
    huge = tmp_path / "huge.json"
    with huge.open("wb") as file:
        file.write(b"[")
        file.truncate(200_000_000)
        file.seek(0, 2)
        file.write(WEB.encode() if names else b"]")
    (tmp_path / "pod.yaml").write_text(POD)
    found, notes = read(tmp_path)
    by_name = {source.name.rpartition("/")[2]: source for source in found}
    assert len(by_name["pod.yaml"].uses) == 1
    if names:
        (problem,) = by_name["huge.json"].problems
        assert problem == f"{TOO_LARGE} It names a host of ECR, and seems to be a binary file."
    else:
        assert notes == [f"{huge} is left out. {TOO_LARGE}"]


WIDE: dict[str, Callable[[], str]] = {
    "deep JSON": lambda: '{"a":' * 200_000,
    "deep lists": lambda: "[" * 500_000,
    "deep YAML": lambda: "".join(f"{' ' * n}a:\n" for n in range(1_200)),
    "deep flow": lambda: "a: " + "{a: " * 100_000,
    "many values": lambda: "[" + "{}," * 6_000_000,
    "many numbers": lambda: json.dumps(list(range(300_000))),
    "many keys": lambda: json.dumps({f"k{n}": n for n in range(200_000)}),
    "many documents": lambda: "a: 1\n---\n" * 10_000,
    "a number": lambda: '{"a": ' + "9" * 5_000 + "}",
    "a number in YAML": lambda: "a: " + "9" * 5_000,
    "a long line": lambda: "a: " + "x" * 5_000_000,
    "a long list": lambda: "nginx:1\n" * 50_000,
    "aliases": lambda: "a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(1_000)),
}


@pytest.mark.parametrize("make", WIDE.values(), ids=WIDE)
@pytest.mark.parametrize("end", ["", f"\n# {WEB}\n"], ids=["silent", "names ECR"])
def test_what_is_deep_or_wide_has_an_end_and_hides_no_other(
    tmp_path: Path, make: Callable[[], str], end: str
) -> None:
    (tmp_path / "odd.yaml").write_text(make() + end)
    (tmp_path / "pod.yaml").write_text(POD)
    began = time.process_time()
    found, _ = read(tmp_path)
    assert time.process_time() - began < 30
    assert [len(source.uses) for source in found if source.name.endswith("pod.yaml")] == [1]
