"""``layerguard check``: the verdicts of the gates, as text and as an exit code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from layerguard import __version__
from layerguard.verdict import Code, Verdict
from layerguard_cli import main
from layerguard_cli.exits import exit_code
from layerguard_sandbox.ecr import SandboxEcr, image_index, oci_image


@pytest.fixture
def reference(aws: SandboxEcr) -> str:
    image = image_index([oci_image("web")], attestations=True)
    return aws.registry("123456789012", "eu-west-1").push("shop/web", image, tag="1").reference


def test_an_available_image_is_exit_code_0(
    reference: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", reference]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"available: argument: {reference}"
    assert lines[-1].startswith("layerguard: 1 image use, 1 image, 4 layers checked, ")


def test_the_installed_command_checks_a_reference(reference: str) -> None:
    command = Path(sys.executable).parent / "layerguard"
    run = subprocess.run([command, "check", reference], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith(f"available: argument: {reference}\n")


def test_an_unavailable_image_is_exit_code_1(
    reference: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", reference, f"{reference}-absent", "--platform", "linux/arm64"]) == 1
    output = capsys.readouterr().out
    assert f"platform-missing: argument: {reference}\n" in output
    assert f"image-not-found: argument: {reference}-absent\n" in output


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([Code.AVAILABLE], 0),
        ([Code.AVAILABLE, Code.LAYER_MISSING, Code.ACCESS_DENIED], 1),
        ([Code.AVAILABLE, Code.ACCESS_DENIED], 2),
        ([Code.AVAILABLE, Code.NOT_PRIVATE_ECR], 0),
    ],
)
def test_the_exit_code_distinguishes_unavailable_from_not_known(
    codes: list[Code], expected: int
) -> None:
    assert exit_code(Verdict(code, "") for code in codes) == expected


def test_an_image_that_some_runtimes_run_is_neither_available_nor_unavailable() -> None:
    assert exit_code([Verdict(Code.NOT_AN_IMAGE, "", is_certain=False)]) == 2
    assert exit_code([Verdict(Code.AVAILABLE, "", is_certain=False)]) == 0


@pytest.mark.parametrize("arguments", [[], ["check"], ["check", "x", "--platform", "amd64"]])
def test_wrong_usage_has_an_exit_code_of_its_own(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as raised:
        main(arguments)
    assert raised.value.code == 64
    assert "usage: layerguard" in capsys.readouterr().err


def test_the_module_runs_as_the_command_and_imports_no_boto3_for_its_version() -> None:
    code = (
        "import runpy, sys; sys.argv = ['layerguard', '--version']\n"
        "try: runpy.run_module('layerguard_cli', run_name='__main__')\n"
        "finally: assert 'boto3' not in sys.modules and 'pulumi_policy' not in sys.modules"
    )
    run = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = ['policy', 'cli']\n{code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == f"layerguard {__version__}\n"
