"""What is quick stays quick: a command imports only what it needs, held by names and not by time."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {
    "boto3",
    "botocore",
    "grpc",
    "jmespath",
    "moto",
    "pulumi",
    "pulumi_policy",
    "rich",
    "shtab",
    "urllib3",
    "yaml",
}
CODE = """
import sys
from layerguard_cli import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "words",
    [["--version"], ["--help"], ["check", "--help"], ["completion", "--help"], ["check"], ["x"]],
    ids=" ".join,
)
def test_no_heavy_module_is_imported_for(words: list[str]) -> None:
    run = subprocess.run(
        [sys.executable, "-c", CODE, *words], capture_output=True, text=True, check=True
    )
    imported = set(run.stderr.splitlines()[-1].split())
    assert "argparse" in imported
    assert not imported & HEAVY


def test_completion_imports_no_client_of_aws_that_it_does_not_ask() -> None:
    run = subprocess.run(
        [sys.executable, "-c", CODE, "completion", "bash"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not set(run.stderr.splitlines()[-1].split()) & {"boto3", "moto", "pulumi_policy"}
