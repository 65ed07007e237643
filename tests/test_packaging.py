"""What is installed: the packages that the code imports are named, and a wheel has its own only."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from email.message import Message
from email.parser import Parser
from functools import cache
from importlib.metadata import distributions, version
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PACK = ROOT / "policy"
BUILDS = (77,)  # the setuptools of pyproject.toml's build-system


def modules(*folders: Path) -> list[Path]:
    return [path for folder in folders for path in sorted(folder.rglob("*.py"))]


def imported(paths: Iterable[Path]) -> set[str]:
    """Return the distributions of other projects that modules import, by their canonical names."""
    names: set[str] = set()
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names.update(each.name.partition(".")[0] for each in node.names)
            elif isinstance(node, ast.ImportFrom):
                names.add(str(node.module).partition(".")[0])
    foreign = {name for name in names - sys.stdlib_module_names if "layerguard" not in name}
    return {distribution_of()[name] for name in foreign}


@cache
def distribution_of() -> Mapping[str, str]:
    """Return the distribution of each installed module, which Python 3.10 does not know for all."""
    return {
        file.parts[0].removesuffix(".py"): canonicalize_name(distribution.metadata["Name"])
        for distribution in distributions()
        for file in distribution.files or ()
    }


def by_name(requirements: Iterable[str]) -> Mapping[str, Requirement]:
    parsed = [Requirement(each.partition("#")[0].strip()) for each in requirements]
    return {canonicalize_name(each.name): each for each in parsed}


def of_the_pack() -> Mapping[str, Requirement]:
    return by_name((PACK / "requirements.txt").read_text(encoding="utf-8").splitlines())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    if tuple(map(int, version("setuptools").split(".")[:1])) < BUILDS:
        pytest.skip(f"setuptools {BUILDS[0]} or newer is needed to build a wheel; run: make setup")
    clone = tmp_path_factory.mktemp("clone")
    ignored = shutil.ignore_patterns("venv", "__pycache__", "*.egg-info")
    for name in ("policy", "cli", "sandbox"):
        shutil.copytree(ROOT / name, clone / name, ignore=ignored)
    (clone / "docs").mkdir()
    for name in ("pyproject.toml", "docs/layerguard.1"):
        shutil.copyfile(ROOT / name, clone / name)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
    options = ["--no-build-isolation", "--wheel-dir", "built", "."]
    subprocess.run([*pip, *options], cwd=clone, check=True)
    (built,) = (clone / "built").iterdir()
    return ZipFile(built)


def metadata(wheel: ZipFile) -> Message:
    (name,) = (each for each in wheel.namelist() if each.endswith(".dist-info/METADATA"))
    return Parser().parsestr(wheel.read(name).decode())


def test_the_pack_requires_what_it_imports_with_a_range_for_each() -> None:
    required = of_the_pack()
    assert imported([PACK / "__main__.py", *modules(PACK / "layerguard")]) <= {*required}
    for requirement in required.values():
        assert {each.operator for each in requirement.specifier} == {">=", "<"}, requirement


def test_a_wheel_has_the_three_packages_and_the_command_and_nothing_else(wheel: ZipFile) -> None:
    top = {name.partition("/")[0] for name in wheel.namelist()}
    assert {name for name in top if ".d" not in name} == {
        "layerguard",
        "layerguard_cli",
        "layerguard_sandbox",
    }
    (points,) = (each for each in wheel.namelist() if each.endswith("/entry_points.txt"))
    assert wheel.read(points).decode().split("\n", 2)[:2] == [
        "[console_scripts]",
        "layerguard = layerguard_cli:main",
    ]
    assert any(name.endswith("/man/man1/layerguard.1") for name in wheel.namelist())


def test_a_wheel_requires_what_the_command_imports_as_the_pack_does(wheel: ZipFile) -> None:
    listed = [Requirement(each) for each in metadata(wheel).get_all("Requires-Dist", [])]
    required = by_name(str(each) for each in listed if each.marker is None)
    gates = {"pulumi-policy"}  # which an engine loads, and the command does not
    packages = modules(PACK / "layerguard", ROOT / "cli" / "layerguard_cli")
    assert imported(packages) - gates == {*required}
    for name in {*required} & {*of_the_pack()}:
        assert required[name] == of_the_pack()[name]


def test_the_sandbox_is_an_extra_with_the_moto_that_is_tested(wheel: ZipFile) -> None:
    listed = [Requirement(each) for each in metadata(wheel).get_all("Requires-Dist", [])]
    extra = {each.name: each for each in listed if each.marker is not None}
    assert {*extra} == {"moto", "typing_extensions"}
    assert all("sandbox" in str(each.marker) for each in extra.values())
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    tested = by_name(each for each in lines if each.startswith("moto"))
    assert extra["moto"].specifier == tested["moto"].specifier
