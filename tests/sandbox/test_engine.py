"""The engine's driver and the offline providers: what they do, and that they end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pulumi
import pytest
from layerguard_sandbox.ecr import SandboxEcr
from layerguard_sandbox.engine import ROOT, Engine

from tests.engine.programs import functions, resource
from tests.processes import PATIENCE, running_with, wait_until

BUCKET = "aws:s3/bucket:Bucket"


@pytest.fixture
def engine(pack: Path) -> Iterator[Engine]:
    with SandboxEcr() as ecr, Engine(lambda: None, pack, ecr.environment) as engine:
        yield engine


def test_an_engine_that_finds_no_pulumi_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with (
        pytest.raises(FileNotFoundError, match="There is no pulumi on PATH"),
        Engine(lambda: None, ROOT / "policy", {}),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "resource_type", [BUCKET, "aws-native:s3:Bucket", "kubernetes:core/v1:ConfigMap"]
)
def test_the_stand_ins_create_update_and_delete_any_resource(
    engine: Engine, resource_type: str
) -> None:
    engine.program = partial(resource, resource_type, "thing", {"size": 1})
    assert engine.up().passed
    assert engine.asked_to_create() == (f"{resource_type}::thing",)
    engine.forget()
    assert engine.up().passed
    engine.program = partial(resource, resource_type, "thing", {"size": 2})
    changed = engine.up()
    assert changed.passed
    assert "~ 1 updated" in changed.output
    assert engine.asked_to_create() == ()
    engine.destroy()


def test_the_stand_ins_announce_themselves(engine: Engine) -> None:
    engine.program = partial(resource, BUCKET, "thing", {})
    assert (
        "the aws provider is Layerguard's offline stand-in: nothing is created anywhere"
        in engine.preview().output
    )


def test_computed_outputs_are_unknown_in_preview_and_there_after_the_update(
    engine: Engine, tmp_path: Path
) -> None:
    def program() -> None:
        import pulumi_aws

        repository = pulumi_aws.ecr.Repository("web", name="shop/web")
        pulumi.export("url", repository.repository_url)

    engine.program = program
    preview = engine.preview()
    assert preview.passed
    assert "shop/web" not in preview.output
    assert engine.up().passed
    state = json.loads(engine.export(tmp_path / "state.json").read_text())
    (stack,) = (r for r in state["deployment"]["resources"] if r["type"] == "pulumi:pulumi:Stack")
    assert stack["outputs"] == {"url": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web"}


def test_the_users_own_aws_variables_never_reach_the_engine(
    pack: Path, monkeypatch: pytest.MonkeyPatch, no_credentials: dict[str, str]
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOFTHEUSER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of the user")
    program = functions(web="123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:1")
    with Engine(program, pack, no_credentials) as engine:
        assert "no-credentials: " in engine.preview().output


def test_nothing_is_left_when_the_block_ends(pack: Path) -> None:
    with SandboxEcr() as ecr, Engine(lambda: None, pack, ecr.environment) as engine:
        assert engine.preview().passed
        folder = engine.folder
        assert Path(folder).exists()
    assert not Path(folder).exists()
    wait_until(lambda: not running_with(folder))


def test_nothing_is_left_after_ctrl_c_in_the_demo(tmp_path: Path) -> None:
    demo = subprocess.Popen(
        [sys.executable, "-u", "-m", "layerguard_sandbox.demo"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert demo.stdout
    for line in demo.stdout:
        if "provider is Layerguard's offline stand-in" in line or "Loading policy packs" in line:
            break
    os.killpg(demo.pid, signal.SIGINT)
    demo.communicate(timeout=PATIENCE)
    assert demo.returncode != 0
    wait_until(lambda: not running_with(str(tmp_path)))
    assert list(tmp_path.iterdir()) == []
