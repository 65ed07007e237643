"""The pack on its own: its environment, its handshake, its version."""

from __future__ import annotations

import subprocess
from pathlib import Path

import layerguard
import pytest
from layerguard_sandbox.engine import ROOT


def test_the_packs_environment_has_its_requirements_and_nothing_of_ours() -> None:
    python = ROOT / "policy" / "venv" / "bin" / "python"
    listed = subprocess.run(
        [
            python,
            "-I",  # the clone has metadata of its own, which a current folder on the path would show
            "-c",
            "import importlib.metadata as m; print(*(d.name for d in m.distributions()))",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.lower()
    names = {name.replace("_", "-") for name in listed.split()}
    assert {"pulumi", "pulumi-policy", "boto3"} <= names
    assert not {"layerguard", "moto", "pytest", "pulumi-aws", "pulumi-kubernetes"} & names


@pytest.mark.parametrize("mode", ["true", "false", None])
def test_the_first_line_on_stdout_is_the_handshake_and_there_is_no_other(
    pack: Path, mode: str | None
) -> None:
    pack_process = subprocess.Popen(
        ["venv/bin/python", "-u", "-m", "pulumi.policy", "127.0.0.1:1", "."],
        cwd=pack,
        env={"PULUMI_DRY_RUN": mode} if mode else {},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert pack_process.stdout
        assert 0 < int(pack_process.stdout.readline()) < 65536
    finally:
        pack_process.send_signal(2)
        rest, errors = pack_process.communicate(timeout=30)
    assert rest == ""
    assert "layerguard: " not in errors


def test_starting_the_pack_imports_no_boto3(pack: Path) -> None:
    code = (
        "import sys; from layerguard.policies import policies; policies({});"
        "assert 'boto3' not in sys.modules and 'botocore' not in sys.modules"
    )
    subprocess.run(["venv/bin/python", "-c", code], cwd=pack, check=True, capture_output=True)


def test_the_version_is_one_and_the_same_everywhere() -> None:
    line = f"version: {layerguard.__version__}\n"
    assert line in (ROOT / "policy" / "PulumiPolicy.yaml").read_text()
    assert f'version = "{layerguard.__version__}"\n' in (ROOT / "pyproject.toml").read_text()
