"""The import rule: data flows one way, and each foreign library has its doors."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKS = ROOT / "policy"
PACKAGES = {
    "layerguard": PACKS / "layerguard",
    "layerguard_cli": ROOT / "cli" / "layerguard_cli",
    "layerguard_sandbox": ROOT / "sandbox" / "layerguard_sandbox",
}
# Of the pack, from the bottom to the top: a part may import what stands on a line above it, and
# itself.
LAYERS = (
    {"aws_registries", "bug", "errors", "identity", "legible", "mistaken_text", "registry_host"},
    {"mistaken_host", "secret_texts"},
    {"log"},
    {"reference", "platform"},
    {"manifest"},
    {"verdict"},
    {"discovery", "registry", "settings"},
    {"checking"},
    {"enforcement"},
    {"gates"},
    {"policies"},
)
# Which packages of the project a package may import; the command line offers the sandbox by name.
MAY_IMPORT: dict[str, set[str]] = {
    "layerguard": set(),
    "layerguard_cli": {"layerguard"},
    "layerguard_sandbox": {"layerguard"},
}
# The AWS CLI's command is built on botocore's model of the operation, and asks with it.
DOORS = {
    "boto3": {"layerguard/registry"},
    "botocore": {"layerguard/registry", "layerguard_cli/batch_check"},
    "jmespath": {"layerguard_cli/batch_check"},
    "pulumi_policy": {"layerguard/gates", "layerguard/policies"},
    "rich": {"layerguard_cli/audit/progress", "layerguard_cli/reports/as_table"},
    "shtab": {"layerguard_cli/completion"},
}
MODULES = {
    f"{name}/{path.relative_to(folder).with_suffix('').as_posix()}": path
    for name, folder in PACKAGES.items()
    for path in sorted(folder.rglob("*.py"))
}
OF_THE_PACK = [name for name in MODULES if name.startswith("layerguard/")]
GUARDED = [name for name in MODULES if not name.startswith("layerguard_sandbox/")]


def part_of(module: str) -> str:
    return module.split("/")[1]


def imports(module: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            assert node.module
            yield node.module


def height(part: str) -> int:
    return next(position for position, parts in enumerate(LAYERS) if part in parts)


def modules_after(program: str) -> set[str]:
    """Return the modules that are loaded in a new process that has run ``program``."""
    program = f"import sys; sys.path.insert(0, {str(PACKS)!r})\n{program}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("module", OF_THE_PACK)
def test_a_part_of_the_pack_imports_only_what_stands_below_it(module: str) -> None:
    own = part_of(module)
    for name in imports(module):
        package, _, rest = name.partition(".")
        if package == "layerguard" and rest and own != "__init__":
            other = rest.partition(".")[0]
            assert other == own or height(other) < height(own), f"{own} imports {other}"


@pytest.mark.parametrize("module", MODULES)
def test_a_package_imports_only_packages_below_it(module: str) -> None:
    own = module.partition("/")[0]
    for name in imports(module):
        package = name.partition(".")[0]
        assert package not in {"bench", "tests", "tools"}
        assert package not in PACKAGES or package in {own, *MAY_IMPORT[own]}


@pytest.mark.parametrize("module", GUARDED)
def test_each_foreign_library_is_imported_behind_its_doors_only(module: str) -> None:
    for name in imports(module):
        package = name.partition(".")[0]
        doors = DOORS.get(package, {module})
        assert any(f"{module}/".startswith(f"{door}/") for door in doors)
        assert package not in {"moto", "pulumi"}


def test_the_worker_imports_nothing_of_resources() -> None:
    loaded = modules_after("import layerguard.checking.worker")
    assert "layerguard.registry" in loaded
    unwanted = ("layerguard.discovery", "layerguard.enforcement", "pulumi", "pulumi_policy")
    assert not loaded & set(unwanted)


def test_until_its_handshake_the_pack_imports_neither_the_gates_nor_boto3() -> None:
    loaded = modules_after("import layerguard.policies")
    unwanted = ("layerguard.gates", "layerguard.discovery", "layerguard.registry", "botocore")
    assert not loaded & set(unwanted)


def test_the_gates_import_nothing_of_what_asks_ecr() -> None:
    loaded = modules_after("import layerguard.gates")
    assert "layerguard.checking.checker" in loaded
    unwanted = ("layerguard.checking.in_process_backend", "layerguard.registry.ecr", "botocore")
    assert not loaded & set(unwanted)


def test_every_part_has_its_place_in_the_rule() -> None:
    parts = {part_of(module) for module in OF_THE_PACK} - {"__init__"}
    assert parts == set().union(*LAYERS)


def test_the_policy_folder_is_what_is_published_and_nothing_else() -> None:
    hidden = {".gitignore", "venv", "__pycache__", "layerguard.egg-info"}
    published = {"PulumiPolicy.yaml", "__main__.py", "requirements.txt", "layerguard"}
    assert {path.name for path in PACKS.iterdir()} - hidden == published


def test_no_module_of_the_pack_hides_one_of_the_standard_library() -> None:
    risky = {"types", "logging", "platform", "inspect", "queue", "typing"}
    assert not risky & {path.stem for path in PACKS.glob("*.py")}
