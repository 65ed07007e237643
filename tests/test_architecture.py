"""The import rule: data flows one way, and each foreign library has its doors."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "policy" / "layerguard"
# From the bottom to the top: a part may import what stands on a line above it, and itself.
LAYERS = (
    {"errors", "identity"},
    {"reference"},
    {"manifest"},
    {"verdict"},
    {"registry", "settings"},
    {"investigation"},
    {"discovery"},
    {"inspection"},
    {"gates", "sources"},
    {"policies", "report"},
    {"cli"},
    {"__main__"},
)
# The AWS CLI's command is built on botocore's model of the operation, and asks with it.
DOORS = {
    "boto3": {"registry"},
    "botocore": {"registry", "cli/batch_check"},
    "jmespath": {"cli/batch_check"},
    "pulumi_policy": {"gates", "policies"},
    "rich": {"cli/audit/progress", "report/as_table"},
    "shtab": {"cli/completion"},
}
MODULES = sorted(PACKAGE.rglob("*.py"))


def part_of(module: Path) -> str:
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            assert node.module
            yield node.module


def height(part: str) -> int:
    return next(position for position, parts in enumerate(LAYERS) if part in parts)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_part_imports_only_what_stands_below_it(module: Path) -> None:
    own = part_of(module)
    for name in imports(module):
        package, _, rest = name.partition(".")
        if package == "layerguard" and rest and own != "__init__":
            other = rest.partition(".")[0]
            assert other == own or height(other) < height(own), f"{own} imports {other}"


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_each_foreign_library_is_imported_behind_its_doors_only(module: Path) -> None:
    own = module.relative_to(PACKAGE).with_suffix("").as_posix()
    for name in imports(module):
        package = name.partition(".")[0]
        doors = DOORS.get(package, {own})
        assert any(f"{own}/".startswith(f"{door}/") for door in doors)
        assert package not in {"sandbox", "tests", "moto", "pulumi"}


def test_the_process_that_asks_ecr_imports_nothing_of_resources() -> None:
    program = f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r})\n"
    program += "import layerguard.investigation.child; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "layerguard.registry" in loaded
    unwanted = ("layerguard.discovery", "layerguard.inspection", "pulumi", "pulumi_policy")
    assert not loaded & set(unwanted)


def test_until_its_handshake_the_pack_imports_neither_the_gates_nor_boto3() -> None:
    program = f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r})\n"
    program += "import layerguard.policies; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    unwanted = ("layerguard.gates", "layerguard.discovery", "layerguard.registry", "botocore")
    assert not set(done.stdout.split()) & set(unwanted)


def test_the_gates_import_nothing_of_what_asks_ecr() -> None:
    program = f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r})\n"
    program += "import layerguard.gates; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "layerguard.inspection.inspector" in loaded
    unwanted = ("layerguard.investigation.here", "layerguard.registry.ecr", "botocore")
    assert not loaded & set(unwanted)


def test_every_part_has_its_place_in_the_rule() -> None:
    parts = {part_of(module) for module in MODULES} - {"__init__"}
    assert parts == set().union(*LAYERS)


def test_no_module_of_the_pack_hides_one_of_the_standard_library() -> None:
    risky = {"types", "logging", "platform", "inspect", "queue", "typing"}
    assert not risky & {path.stem for path in (ROOT / "policy").glob("*.py")}
