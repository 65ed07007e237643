"""A sweep: split into shards and joined again, with a memory that does not grow with what is read."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerguard_cli.sources.places import Reader
from layerguard_cli.sources.shard import Shard
from layerguard_sandbox.ecr import SandboxEcr

from tests.cli.auditing import ABSENT, REPORT, WEB, WORKER, audit, audit_json, environment
from tests.cli.sources.states import export, state
from tests.cli.sources.test_cdk_assembly import assembly


def exports(folder: Path, *references: str) -> Path:
    folder.mkdir()
    for number, reference in enumerate(references):
        document = json.dumps(export(state("web", reference))).replace(":dev::", f":s{number}::")
        (folder / f"{number}.json").write_text(document)
    return folder


def test_the_reports_of_all_shards_joined_are_that_of_the_whole(
    ecr: SandboxEcr, tmp_path: Path
) -> None:
    folder = exports(tmp_path / "exports", WEB, ABSENT, WORKER, REPORT, WEB)
    (folder / "left-out.csv").write_text(f"name,image\nweb,{WEB}\n")
    parts = []
    for index in range(3):
        parts.append(tmp_path / f"part{index}.json")
        audit(ecr, folder, "--shard", f"{index}/3", "--format", "json", "--out", parts[-1])
    whole = audit_json(ecr, folder)
    command = [sys.executable, "-m", "layerguard_cli", "report", *map(str, parts)]
    joined = subprocess.run(
        [*command, "--format", "json"],
        capture_output=True,
        text=True,
        check=False,
        env=environment(ecr),
    )
    assert joined.returncode == 1, joined.stderr
    found = json.loads(joined.stdout)
    by_name = {source["name"]: source for source in found["sources"]}
    assert by_name == {source["name"]: source for source in whole["sources"]}
    for key in ("imageUses", "images", "layers", "available", "unavailable", "problems"):
        assert found["summary"][key] == whole["summary"][key], key
    page = subprocess.run(
        [*command, "--format", "html"],
        capture_output=True,
        text=True,
        check=False,
        env=environment(ecr),
    )
    assert page.stdout.startswith("<!DOCTYPE html>")


@given(st.integers(1, 9), st.lists(st.text(max_size=3)))
def test_each_unit_is_in_one_shard(count: int, units: list[str]) -> None:
    shards = [Shard(index, count) for index in range(count)]
    for unit in units:
        assert sum(shard.takes(unit) for shard in shards) == 1


@pytest.mark.parametrize("text", ["", "1", "3/3", "-1/3", "0/0", "1/2/3", "a/b", "0/9999999"])
def test_a_text_that_is_no_shard_is_wrong_usage(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not INDEX/COUNT"):
        Shard.parse(text)


def test_a_cloud_assembly_is_in_one_shard(tmp_path: Path) -> None:
    assembly(tmp_path)
    found = [
        [
            source.kind.value
            for _, source in Reader(lambda: b"", {}, lambda _: None, Shard(index, 2)).read(
                str(tmp_path)
            )
        ]
        for index in range(2)
    ]
    assert sorted(found) == [[], ["cdk-assembly"]]


def test_what_is_read_and_not_reported_is_not_kept(ecr: SandboxEcr, tmp_path: Path) -> None:
    """A table of what needs attention takes as much for many stacks as for few."""
    script = (
        "import resource, sys; from layerguard_cli import main; main(sys.argv[1:]);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
    )

    def memory(count: int) -> int:
        folder = tmp_path / str(count)
        folder.mkdir()
        for number in range(count):
            states = [state(f"web{each}", WORKER) for each in range(50)]
            document = json.dumps(export(*states)).replace(":dev::", f":s{number}::")
            (folder / f"{number:04}.json").write_text(document)
        run = subprocess.run(
            [sys.executable, "-c", script, "audit", str(folder)],
            capture_output=True, text=True, check=True, env=environment(ecr),
        )  # fmt: skip
        assert "Every layer of every image" in run.stdout
        return int(run.stderr.splitlines()[-1])

    # 10,000 image uses more took 28 MB when all were kept; macOS counts bytes.
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    assert (memory(600) - memory(400)) / unit < 10
