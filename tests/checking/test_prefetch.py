"""The prefetch from a preview to its update: what is kept, for whom, for how long, and no secret."""

from __future__ import annotations

import json
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerguard.checking.backend import CheckRequest
from layerguard.checking.prefetch import LIFETIME, Prefetch, PrefetchFile
from layerguard.identity import ORDINARY, AssumedRole, Identity, StaticKeys, WebIdentity
from layerguard.platform import Platform

from tests.fakes import reference

KEYS = Identity(keys=StaticKeys("AKIASECRETID", "SECRET-KEY", "SECRET-TOKEN"), region="eu-west-1")
OTHER_KEYS = Identity(keys=StaticKeys("AKIAOTHERID", "SECRET-KEY"), region="eu-west-1")
ROLE = Identity(roles=(AssumedRole("arn:aws:iam::123456789012:role/r", "SECRET-EXTERNAL-ID"),))
WEB = Identity(web_identity=WebIdentity("arn:aws:iam::123456789012:role/w", "SECRET-WEB-TOKEN"))
ARM64 = Platform("linux", "arm64", "v8")
SUBJECTS = (
    CheckRequest(ORDINARY, reference("shop/web:1"), ARM64),
    CheckRequest(ORDINARY, reference("shop/web:1"), None),
    CheckRequest(KEYS, reference(f"shop/web:1@sha256:{'a' * 64}"), None),
    CheckRequest(ROLE, reference("shop/api:2"), None),
    CheckRequest(WEB, reference("shop/job:3"), None),
)
STACK = {"PULUMI_ORGANIZATION": "acme", "PULUMI_PROJECT": "shop", "PULUMI_STACK": "dev"}


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def file_of(tmp_path: Path, **changes: str) -> PrefetchFile:
    return PrefetchFile.of({**STACK, "XDG_CACHE_HOME": str(tmp_path), **changes})


def the_file(tmp_path: Path) -> Path:
    (found,) = (tmp_path / "layerguard" / "trails").iterdir()
    return found


def test_each_identity_is_led_to_what_was_asked_as_it_and_to_nothing_else(tmp_path: Path) -> None:
    file_of(tmp_path).write(Prefetch.of(SUBJECTS))
    read = file_of(tmp_path).read()
    assert read.leading(ORDINARY) == SUBJECTS[:2]
    assert read.leading(KEYS) == SUBJECTS[2:3]
    assert read.leading(ROLE) == SUBJECTS[3:4]
    assert read.leading(WEB) == SUBJECTS[4:]
    for other in (OTHER_KEYS, Identity(profile="team")):
        assert read.leading(other) == ()


def test_the_file_is_for_its_owner_alone_and_has_no_secret_in_it(tmp_path: Path) -> None:
    file_of(tmp_path).write(Prefetch.of(SUBJECTS))
    path = the_file(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    text = path.read_text()
    assert "SECRET" not in text
    assert "role/" not in text
    assert "shop/api:2" in text


def test_two_files_do_not_tell_that_the_same_identity_asked() -> None:
    one, other = Prefetch.of(SUBJECTS), Prefetch.of(SUBJECTS)
    assert not {each[2] for each in one.images} & {each[2] for each in other.images}


@pytest.mark.parametrize("name", list(STACK))
def test_another_stack_has_a_trail_of_its_own(tmp_path: Path, name: str) -> None:
    file_of(tmp_path).write(Prefetch.of(SUBJECTS))
    assert file_of(tmp_path, **{name: "other"}).read() == Prefetch()


def test_a_run_that_is_of_no_stack_leaves_nothing(tmp_path: Path) -> None:
    nameless = PrefetchFile.of({"XDG_CACHE_HOME": str(tmp_path)})
    nameless.write(Prefetch.of(SUBJECTS))
    assert nameless.read() == Prefetch()
    assert list(tmp_path.iterdir()) == []


def test_a_trail_lives_for_an_hour_and_what_is_old_is_taken_away(tmp_path: Path) -> None:
    clock = Clock()
    path = tmp_path / "trails" / "this.json"
    file, prefetch = PrefetchFile(path, clock), Prefetch.of(SUBJECTS)
    file.write(prefetch)
    clock.now += LIFETIME
    assert file.read() == prefetch
    clock.now += 1
    assert file.read() == Prefetch()
    clock.now -= 2 * LIFETIME
    assert file.read() == Prefetch()  # of the future: the clock was set
    clock.now = path.stat().st_mtime + LIFETIME + 1
    PrefetchFile(path.with_name("other.json"), clock).write(prefetch)
    assert not path.exists()


def test_the_folder_may_be_named(tmp_path: Path) -> None:
    PrefetchFile.of({**STACK, "LAYERGUARD_CACHE": str(tmp_path)}).write(Prefetch.of(SUBJECTS))
    assert (tmp_path / "trails").is_dir()


def test_else_it_is_the_users_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    PrefetchFile.of(STACK).write(Prefetch.of(SUBJECTS))
    assert (tmp_path / ".cache" / "layerguard" / "trails").is_dir()


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "layerguard").write_text("a file where a folder should be")
    file_of(tmp_path).write(Prefetch.of(SUBJECTS))
    assert file_of(tmp_path).read() == Prefetch()


GOOD = json.dumps(
    {
        "version": 1,
        "written": 1_000_000.0,
        "salt": "s",
        "images": [["123456789012.dkr.ecr.eu-west-1.amazonaws.com/a/b:1", "linux/amd64", "f"]],
    }
)


@given(
    st.one_of(
        st.text(),
        st.sampled_from(["version", "written", "salt", "images"]).map(
            lambda name: json.dumps({k: v for k, v in json.loads(GOOD).items() if k != name})
        ),
        st.tuples(
            st.sampled_from(["version", "written", "images"]),
            st.recursive(
                st.none() | st.booleans() | st.text(max_size=5), lambda inner: st.lists(inner)
            ),
        ).map(lambda pair: json.dumps({**json.loads(GOOD), pair[0]: pair[1]})),
        st.integers(0, len(GOOD) - 1).map(lambda end: GOOD[:end]),
    )
)
def test_whatever_stands_in_the_file_is_a_trail_or_none(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "prefetch.json")
        path.write_text(text, encoding="utf-8", errors="replace")
        read = PrefetchFile(path, lambda: 1_000_000.0).read()
        assert all(each.repository.name == "a/b" for each, _, _ in read.images)
