"""The prefetch file: for one stack and identity, for an hour, without secrets, never harmful."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerguard.checking.prefetch import LIFETIME, MAX_BYTES, MAX_IMAGES, Prefetch, PrefetchFile
from layerguard.identity import ORDINARY, AssumedRole, Identity, StaticKeys, WebIdentity
from layerguard.platform import Platform

from tests.checking.recording import Clock, request
from tests.fakes import HOST
from tests.processes import PATIENCE
from tests.test_architecture import ROOT

KEYS = Identity(keys=StaticKeys("AKIASECRETID", "SECRET-KEY", "SECRET-TOKEN"), region="eu-west-1")
OTHER_KEYS = Identity(keys=StaticKeys("AKIAOTHERID", "SECRET-KEY"), region="eu-west-1")
ROLE = Identity(roles=(AssumedRole("arn:aws:iam::123456789012:role/r", "SECRET-EXTERNAL-ID"),))
WEB = Identity(web_identity=WebIdentity("arn:aws:iam::123456789012:role/w", "SECRET-WEB-TOKEN"))
REQUESTS = (
    request("shop/web:1", platform=Platform("linux", "arm64", "v8")),
    request("shop/web:1"),
    request(f"shop/web:1@sha256:{'a' * 64}", KEYS),
    request("shop/api:2", ROLE),
    request("shop/job:3", WEB, Platform("windows", "amd64", None, "10.0.17763")),
)
STACK = {"PULUMI_ORGANIZATION": "acme", "PULUMI_PROJECT": "shop", "PULUMI_STACK": "dev"}
NOW = 1_000_000.0
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")


def file_of(tmp_path: Path, **changes: str) -> PrefetchFile:
    return PrefetchFile.of({**STACK, "XDG_CACHE_HOME": str(tmp_path), **changes})


def path_in(tmp_path: Path) -> Path:
    (found,) = (tmp_path / "layerguard" / "prefetch").iterdir()
    return found


# Which stack and identity it is for, and for how long.


def test_each_identity_gets_what_it_asked_itself_and_nothing_else(tmp_path: Path) -> None:
    file_of(tmp_path).write(Prefetch.of(REQUESTS))
    read = file_of(tmp_path).read()
    assert read.requests_for(ORDINARY) == REQUESTS[:2]
    assert read.requests_for(KEYS) == REQUESTS[2:3]
    assert read.requests_for(ROLE) == REQUESTS[3:4]
    assert read.requests_for(WEB) == REQUESTS[4:]
    for other in (OTHER_KEYS, Identity(profile="team")):
        assert read.requests_for(other) == ()


TEXTS = st.text(max_size=20)
PLATFORMS = st.none() | st.builds(
    Platform, TEXTS, TEXTS, st.none() | TEXTS, st.none() | st.text(min_size=1, max_size=20)
)


@given(st.lists(PLATFORMS, max_size=5))
def test_every_platform_is_read_as_it_was_written(platforms: list[Platform | None]) -> None:
    prefetch = Prefetch.of(request(platform=platform) for platform in platforms)
    with tempfile.TemporaryDirectory() as folder:
        file = PrefetchFile(Path(folder, "this.json"))
        file.write(prefetch)
        assert file.read() == prefetch
    assert [each.platform for each in prefetch.requests_for(ORDINARY)] == list(
        dict.fromkeys(platforms)
    )


def test_of_too_many_images_the_first_are_kept(tmp_path: Path) -> None:
    prefetch = Prefetch.of(request(f"shop/web:{tag}") for tag in range(MAX_IMAGES + 10))
    file_of(tmp_path).write(prefetch)
    assert file_of(tmp_path).read() == prefetch
    assert len(prefetch.images) == MAX_IMAGES


def test_the_file_is_its_owners_alone_and_has_no_secret_in_it(tmp_path: Path) -> None:
    file_of(tmp_path).write(Prefetch.of(REQUESTS))
    path = path_in(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    text = path.read_text()
    for secret in ("SECRET", "AKIA", "role/"):
        assert secret not in text
    assert "shop/api:2" in text


def test_two_files_do_not_show_that_the_same_identity_asked() -> None:
    one, other = Prefetch.of(REQUESTS), Prefetch.of(REQUESTS)
    assert not {each[2] for each in one.images} & {each[2] for each in other.images}


@pytest.mark.parametrize("name", list(STACK))
def test_another_stack_has_a_file_of_its_own(tmp_path: Path, name: str) -> None:
    file_of(tmp_path).write(Prefetch.of(REQUESTS))
    assert file_of(tmp_path, **{name: "other"}).read() == Prefetch()


def test_a_run_without_a_stack_writes_no_file(tmp_path: Path) -> None:
    nameless = PrefetchFile.of({"XDG_CACHE_HOME": str(tmp_path)})
    nameless.write(Prefetch.of(REQUESTS))
    assert nameless.read() == Prefetch()
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_valid_for_an_hour_and_not_before_it_was_written(tmp_path: Path) -> None:
    clock = Clock(NOW)
    file, prefetch = PrefetchFile(tmp_path / "this.json", clock), Prefetch.of(REQUESTS)
    file.write(prefetch)
    clock.now += LIFETIME
    assert file.read() == prefetch
    clock.now += 1
    assert file.read() == Prefetch()
    clock.now = NOW - 1
    assert file.read() == Prefetch()


def test_the_folder_may_be_given(tmp_path: Path) -> None:
    PrefetchFile.of({**STACK, "LAYERGUARD_CACHE": str(tmp_path)}).write(Prefetch.of(REQUESTS))
    assert (tmp_path / "prefetch").is_dir()


def test_otherwise_it_is_in_the_users_cache_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    PrefetchFile.of(STACK).write(Prefetch.of(REQUESTS))
    assert (tmp_path / ".cache" / "layerguard" / "prefetch").is_dir()


# What is in it.

GOOD: dict[str, Any] = {
    "version": 2,
    "written": NOW,
    "salt": "salt",
    "images": [[f"{HOST}/shop/web:1", ["linux", "arm64", "v8", None], "fingerprint"]],
}


def read_text(text: str | bytes) -> Prefetch:
    """Return what is read from a file that has ``text`` in it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "this.json")
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        path.chmod(0o600)
        return PrefetchFile(path, lambda: NOW).read()


def with_member(name: str, value: object) -> str:
    return json.dumps({**GOOD, name: value})


def with_image(position: int, value: object) -> str:
    entry = [*GOOD["images"][0]]
    entry[position] = value
    return with_member("images", [*GOOD["images"], entry])


def test_the_document_of_these_tests_is_valid() -> None:
    assert len(read_text(json.dumps(GOOD)).images) == 1
    assert len(read_text(with_image(1, None)).images) == 2


UNUSABLE = {
    "empty": "",
    "not JSON": "hello",
    "not UTF-8": b"\xff\xfe\x00",
    "200,000 brackets": "[" * 200_000,
    "200,000 members": '{"written":' * 200_000,
    "no object": "[]",
    "a number": "1",
    "nothing in it": "{}",
    "another version": with_member("version", 1),
    "a version that is text": with_member("version", "2"),
    "written at 10^400": with_member("written", 10**400),
    "written at -10^400": with_member("written", -(10**400)),
    "written at 10^5000": json.dumps(GOOD).replace(str(NOW), "1" + "0" * 5_000),
    "written at NaN": with_member("written", float("nan")),
    "written at infinity": with_member("written", float("inf")),
    "written as text": with_member("written", str(NOW)),
    "written in a list": with_member("written", [NOW]),
    "written never": with_member("written", None),
    "a salt that is a number": with_member("salt", 5),
    "a salt that is a list": with_member("salt", ["salt"]),
    "images that are text": with_member("images", "images"),
    "images that are an object": with_member("images", {"0": GOOD["images"][0]}),
    "an image that is text": with_member("images", ["abc"]),
    "an image that is a number": with_member("images", [5]),
    "an image that is an object": with_member("images", [{f"{HOST}/shop/web:1": 1, "b": 2}]),
    "an image of two": with_member("images", [GOOD["images"][0][:2]]),
    "an image of four": with_member("images", [[*GOOD["images"][0], "more"]]),
    "a reference that is a list": with_image(0, [f"{HOST}/shop/web:1"]),
    "a reference of another registry": with_image(0, "nginx:1"),
    "a reference that is invalid": with_image(0, f"{HOST}/shop/web:"),
    "a reference with a surrogate": with_image(0, f"{HOST}/shop/\ud800:1"),
    "a platform that is text": with_image(1, "abcd"),
    "a platform that is an object": with_image(1, {"a": "b", "c": "d", "e": "f", "g": "h"}),
    "a platform of two": with_image(1, ["linux", "arm64"]),
    "a platform of lists": with_image(1, [["linux"], ["arm64"], None, None]),
    "a platform of numbers": with_image(1, [1, 2, 3, 4]),
    "a fingerprint that is a number": with_image(2, 5),
    "a fingerprint that is nothing": with_image(2, None),
}


@pytest.mark.parametrize("text", UNUSABLE.values(), ids=UNUSABLE)
def test_a_file_that_is_not_all_as_it_should_be_is_ignored_whole(text: str | bytes) -> None:
    assert read_text(text) == Prefetch()


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.just(GOOD["images"][0]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)


@given(
    st.one_of(
        st.binary(),
        JSON.map(json.dumps),
        st.builds(with_member, st.sampled_from(sorted(GOOD)), JSON),
        st.builds(with_image, st.integers(0, 2), JSON),
        st.integers(0, len(json.dumps(GOOD))).map(lambda end: json.dumps(GOOD)[:end]),
    )
)
def test_any_file_is_read_as_values_or_ignored(text: str | bytes) -> None:
    read = read_text(text)
    for reference, platform, fingerprint in read.images:
        assert reference.repository.name == "shop/web"
        assert platform is None or isinstance(platform.os, str)
        assert isinstance(fingerprint, str)
    assert isinstance(read.salt, str)


# What kind of file it is, and whose.


def put_good(path: Path, mode: int = 0o600) -> None:
    path.write_text(json.dumps(GOOD))
    path.chmod(mode)


def put_another_users(path: Path) -> None:
    put_good(path)
    os.chown(path, 65534, -1)


def put_in_a_folder(mode: int, owner: int = -1) -> Callable[[Path], None]:
    def put(path: Path) -> None:
        put_good(path)
        path.parent.chmod(mode)
        os.chown(path.parent, owner, -1)

    return put


def put_link(path: Path) -> None:
    put_good(path.with_name("target"))
    path.symlink_to("target")


@pytest.mark.parametrize(
    "put",
    [
        pytest.param(lambda path: path.write_text(json.dumps(GOOD) + " " * MAX_BYTES), id="large"),
        pytest.param(lambda path: os.mkfifo(path, 0o600), id="pipe"),
        pytest.param(lambda path: path.mkdir(), id="folder"),
        pytest.param(put_link, id="link"),
        pytest.param(lambda path: path.symlink_to(path.name), id="link in a circle"),
        pytest.param(lambda path: path.symlink_to("/dev/zero"), id="link to endless zeros"),
        pytest.param(lambda path: put_good(path, 0o620), id="writable by the group"),
        pytest.param(lambda path: put_good(path, 0o602), id="writable by others"),
        pytest.param(put_in_a_folder(0o770), id="folder writable by the group"),
        pytest.param(put_in_a_folder(0o1777), id="folder writable by others"),
        pytest.param(
            lambda path: os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5)),
            id="device of endless zeros",
            marks=needs_root,
        ),
        pytest.param(put_another_users, id="another user's", marks=needs_root),
        pytest.param(put_in_a_folder(0o700, 65534), id="another user's folder", marks=needs_root),
    ],
)
def test_only_a_small_regular_file_of_this_user_alone_is_read(
    tmp_path: Path, put: Callable[[Path], object]
) -> None:
    path = tmp_path / "folder" / "this.json"
    path.parent.mkdir(mode=0o700)
    put(path)
    file = PrefetchFile(path, lambda: NOW)
    assert file.read() == Prefetch()
    # Writing leaves nothing beside it, and does not follow a link.
    target = path.with_name("target")
    before = target.read_bytes() if target.exists() else None
    file.write(Prefetch.of(REQUESTS))
    assert {each.name for each in path.parent.iterdir()} - {"target"} == {path.name}
    assert (target.read_bytes() if target.exists() else None) == before
    if not path.is_dir():
        assert path.is_file()
        assert not path.is_symlink()


def test_a_good_file_in_a_good_folder_is_read(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "this.json"
    path.parent.mkdir(mode=0o700)
    put_good(path)
    assert len(PrefetchFile(path, lambda: NOW).read().images) == 1


# Where nothing can be written.


def test_a_file_where_the_folder_should_be_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "layerguard").write_text("a file")
    file_of(tmp_path).write(Prefetch.of(REQUESTS))
    assert file_of(tmp_path).read() == Prefetch()
    assert (tmp_path / "layerguard").read_text() == "a file"


def test_a_path_that_cannot_be_is_no_error() -> None:
    for folder in ("/dev/null", "/proc", "a\0b", "x" * 300, "/" + "y/" * 5_000):
        file = PrefetchFile.of({**STACK, "LAYERGUARD_CACHE": folder})
        file.write(Prefetch.of(REQUESTS))
        assert file.read() == Prefetch()


def run(program: str, folder: Path) -> str:
    """Return what ``program`` prints in a process of its own; ``FOLDER`` is ``folder`` in it."""
    begin = f"""
import os, resource, sys
sys.path[:0] = [{str(ROOT / "policy")!r}, {str(ROOT / "sandbox")!r}, {str(ROOT)!r}]
from pathlib import Path
from layerguard.checking.prefetch import Prefetch, PrefetchFile
from tests.checking.test_prefetch import REQUESTS, STACK
FOLDER = Path({str(folder)!r})
def use(environment):
    file = PrefetchFile.of({{**STACK, **environment}})
    file.write(Prefetch.of(REQUESTS))
    print(len(file.read().images))
"""
    done = subprocess.run(
        [sys.executable, "-c", begin + program],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
        cwd=folder,
    )
    assert done.stderr == ""
    return done.stdout


def test_a_full_disk_is_no_error_and_leaves_no_half_of_a_file(tmp_path: Path) -> None:
    program = """
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
use({"LAYERGUARD_CACHE": str(FOLDER)})
"""
    assert run(program, tmp_path) == "0\n"
    assert list((tmp_path / "prefetch").iterdir()) == []


def test_no_more_open_files_is_no_error(tmp_path: Path) -> None:
    program = """
free = os.dup(0)
os.close(free)
resource.setrlimit(resource.RLIMIT_NOFILE, (free, free))
use({"LAYERGUARD_CACHE": str(FOLDER)})
"""
    assert run(program, tmp_path) == "0\n"


@needs_root
def test_a_folder_that_is_read_only_is_no_error() -> None:
    program = """
os.setuid(65534)
use({"LAYERGUARD_CACHE": str(FOLDER)})
"""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        assert run(program, folder) == "0\n"
        assert list(folder.iterdir()) == []
        # It is the mode that counts, and nothing else that this user lacks.
        folder.chmod(0o777)
        assert run(program, folder) == f"{len(REQUESTS)}\n"


@needs_root
def test_a_user_without_a_home_and_without_a_passwd_entry_has_no_prefetch(tmp_path: Path) -> None:
    program = """
os.setuid(54321)
del os.environ["HOME"]
use({})
"""
    assert run(program, tmp_path) == "0\n"


# What is deleted.

OLD = f"{'a' * 32}.json"
FOREIGN_NAMES = (
    "notes.json",
    "README",
    f"{'A' * 32}.json",
    f"{'a' * 31}.json",
    f"{'a' * 33}.json",
    f"{OLD}.bak",
    f"{OLD}.12345678.json",
    f"x{OLD}",
    f"{OLD}\n",
)


def test_only_old_files_of_our_own_names_are_deleted(tmp_path: Path) -> None:
    half_written = f"{'b' * 32}.json.abcd_123"
    folder, linked = f"{'c' * 32}.json", f"{'d' * 32}.json"
    for name in (OLD, half_written, *FOREIGN_NAMES):
        (tmp_path / name).write_text("old")
    (tmp_path / folder).mkdir()
    (tmp_path / linked).symlink_to("notes.json")
    age = (tmp_path / OLD).stat().st_mtime
    file = PrefetchFile(tmp_path / "this.json", lambda: age + LIFETIME - 60)
    file.write(Prefetch.of(REQUESTS))
    assert (tmp_path / OLD).exists()
    file = PrefetchFile(tmp_path / "this.json", lambda: age + LIFETIME + 60)
    file.write(Prefetch.of(REQUESTS))
    left = {each.name for each in tmp_path.iterdir()}
    assert left == {*FOREIGN_NAMES, folder, linked, "this.json"}
    assert (tmp_path / "notes.json").read_text() == "old"
