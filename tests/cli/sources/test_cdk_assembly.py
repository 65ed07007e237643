"""A CDK cloud assembly: each stack in its own account and region, and what its deployment pushes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerguard.enforcement import Mode
from layerguard.reference import ImageReference
from layerguard_cli.sources.places import Reader
from layerguard_cli.sources.recognition import read_bytes
from layerguard_cli.sources.source import Source, SourceKind

ASSET = "a" * 64
REPOSITORY = "cdk-hnb659fds-container-assets-123456789012-eu-west-1"
IMAGE = {"Fn::Sub": f"123456789012.dkr.ecr.eu-west-1.${{AWS::URLSuffix}}/{REPOSITORY}:{ASSET}"}
OTHER = {"Fn::Sub": "${AWS::AccountId}.dkr.ecr.${AWS::Region}.amazonaws.com/shop/web:1"}
MANIFEST = {
    "version": "36.0.0",
    "artifacts": {
        "Tree": {"type": "cdk:tree", "properties": {"file": "tree.json"}},
        "Shop.assets": {"type": "cdk:asset-manifest", "properties": {"file": "Shop.assets.json"}},
        "Shop": {
            "type": "aws:cloudformation:stack",
            "environment": "aws://123456789012/eu-west-1",
            "properties": {"templateFile": "Shop.template.json", "stackName": "shop"},
        },
    },
}
ASSETS = {
    "version": "36.0.0",
    "files": {
        "b": {"source": {"path": "Shop.template.json", "packaging": "file"}},
        "c": {"source": {"path": "Nested.nested.template.json", "packaging": "file"}},
    },
    "dockerImages": {
        ASSET: {
            "source": {"directory": f"asset.{ASSET}"},
            "destinations": {
                "123456789012-eu-west-1": {
                    "repositoryName": REPOSITORY,
                    "imageTag": ASSET,
                    "region": "eu-west-1",
                }
            },
        }
    },
}


def template(image: Any) -> dict[str, Any]:
    return {
        "Resources": {
            "Web": {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"ImageUri": image}}}
        }
    }


FILES: dict[str, Any] = {
    "cdk.out": {"version": "36.0.0"},
    "manifest.json": MANIFEST,
    "Shop.assets.json": ASSETS,
    "Shop.template.json": template(IMAGE),
    "Nested.nested.template.json": template(OTHER),
    "tree.json": {"version": "tree-0.1", "tree": {}},
}


def assembly(folder: Path, **files: Any) -> Path:
    for name, value in {**FILES, **files}.items():
        (folder / name).write_text(json.dumps(value))
    return folder


def read(place: Path) -> list[Source]:
    return [source for _, source in Reader(lambda: b"", {}, lambda _: None).read(str(place))]


@pytest.mark.parametrize("place", ["", "manifest.json"])
def test_the_templates_of_an_assembly_are_read_once_as_stacks_of_their_place(
    tmp_path: Path, place: str
) -> None:
    (source,) = read(assembly(tmp_path) / place)
    assert (source.kind, source.problems) == (SourceKind.CDK_ASSEMBLY, ())
    path = "Resources.Web.Properties.Code.ImageUri"
    assert [(use.path, str(use.target)) for use in source.uses] == [
        (f"shop.{path}", f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/{REPOSITORY}:{ASSET}"),
        (f"shop/Nested.nested.{path}", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:1"),
    ]


def test_an_asset_image_is_one_that_the_deployment_pushes(tmp_path: Path) -> None:
    (source,) = read(assembly(tmp_path))
    (provision,) = source.run.provisions
    pushed = [
        isinstance(use.target, ImageReference) and provision.covers(use.target)
        for use in source.uses
    ]
    assert (source.run.mode, pushed) == (Mode.PREVIEW, [True, False])


def test_a_template_without_its_assembly_has_no_account(tmp_path: Path) -> None:
    for name in ("manifest.json", "Shop.assets.json"):
        (assembly(tmp_path) / name).unlink()
    found = {source.name.rpartition("/")[2]: source for source in read(tmp_path)}
    (use,) = found["Nested.nested.template.json"].uses
    assert not isinstance(use.target, ImageReference)
    assert use.target.code.text == "expression-unresolved"


def test_a_template_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    (assembly(tmp_path) / "Nested.nested.template.json").unlink()
    (source,) = read(tmp_path)
    assert source.problems == ("The template Nested.nested.template.json cannot be read.",)
    assert len(source.uses) == 1


@pytest.mark.parametrize("file", ["../secret.json", "/etc/hosts", "a/../../b.json"])
def test_an_assembly_names_no_file_outside_of_it(tmp_path: Path, file: str) -> None:
    stack = {"type": "aws:cloudformation:stack", "properties": {"templateFile": file}}
    inside = tmp_path / "cdk.out"
    inside.mkdir()
    (tmp_path / "secret.json").write_text(json.dumps(template(IMAGE)))
    (inside / "manifest.json").write_text(json.dumps({"version": "1", "artifacts": {"a": stack}}))
    (source,) = read(inside)
    assert (source.uses, source.problems) == ((), (f"The template {file} cannot be read.",))


words = st.sampled_from(
    ["type", "properties", "templateFile", "file", "environment", "aws:cloudformation:stack",
     "cdk:asset-manifest", "stackName", "Shop", "Shop.assets.json", "dockerImages", "files"]
)  # fmt: skip
values = st.recursive(
    st.none() | st.integers() | words,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(words, inside, max_size=5),
)


@given(st.dictionaries(words, values), values, values)
def test_whatever_stands_in_an_assembly_is_read(artifacts: Any, assets: Any, body: Any) -> None:
    files = {
        "Shop.assets.json": json.dumps({"version": "1", "files": assets, "dockerImages": assets}),
        "Shop": json.dumps(body),
    }
    content = json.dumps({"version": "1", "artifacts": artifacts}).encode()
    source = read_bytes("x", content, {}, lambda name: files.get(name, "").encode())
    assert source.kind is SourceKind.CDK_ASSEMBLY
