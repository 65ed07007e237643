"""The README is true: its tables, its permissions, its picture and its commands."""

from __future__ import annotations

import io
import json
import re
import subprocess

from layerguard import log
from layerguard.checking.checker import Checker
from layerguard.enforcement import Mode
from layerguard.gates import Gates
from layerguard.policies import declare
from layerguard.registry import PERMISSIONS
from layerguard.settings import OPTIONS, Settings
from layerguard.verdict import Code
from layerguard_sandbox.ecr import SandboxEcr, fill
from layerguard_sandbox.engine import ROOT, Engine, sample_stack

from tests.fakes import FakeRegistry

README = (ROOT / "README.md").read_text()
# Every command of the README: the file that runs it, and how it does.
COMMANDS = {
    "make demo": ("tests/sandbox/test_demo.py", '"layerguard_sandbox.demo"'),
    "make test": (".ci/run", "make test"),
    "make test-pythons": (".ci/run", "make test-pythons"),
    "make setup": ("tests/test_readme.py", '"make", "setup"'),
    "make soak": ("tests/bench/test_soak.py", "bench.soak"),
    "make -s pulumi-path": ("tests/test_readme.py", '"make", "-s", "pulumi-path"'),
    "python3 -m venv policy/venv": ("tools/venvs.py", '"-m", "venv", folder'),
    "policy/venv/bin/pip install -r policy/requirements.txt": (
        "tools/venvs.py",
        '"-r", "policy/requirements.txt"',
    ),
    "pulumi preview": ("sandbox/layerguard_sandbox/engine.py", "self._stack.preview"),
    "pulumi up": ("sandbox/layerguard_sandbox/engine.py", "self._stack.up"),
    "pulumi preview --policy-pack policy": ("sandbox/layerguard_sandbox/engine.py", "policy_packs"),
    "pulumi up --policy-pack policy": ("sandbox/layerguard_sandbox/engine.py", "policy_packs"),
    "pulumi policy analyze --file state.json --policy-pack policy": (
        "sandbox/layerguard_sandbox/engine.py",
        '"--policy-pack"',
    ),
    "layerguard --help": ("tests/test_readme.py", '"--help"'),
    "layerguard check REFERENCE": ("tests/cli/test_check.py", '"check"'),
    "layerguard audit exports/": ("tests/cli/test_audit.py", "audit("),
    "layerguard audit --stack acme/shop/production --stack acme/shop/staging": (
        "tests/engine/test_audit_on_the_engine.py",
        '"--stack"',
    ),
    "pulumi preview --json --show-sames | layerguard audit --format markdown -": (
        "tests/cli/test_audit.py",
        '"markdown"',
    ),
    "layerguard completion SHELL": ("tests/cli/test_completion.py", '"completion"'),
}


def table(header: str) -> list[list[str]]:
    """Return the rows of the table with this header, without back-ticks."""
    _, _, after = README.partition(f"{header}\n")
    rows = after.split("\n\n")[0].splitlines()[1:]
    return [[cell.strip().replace("`", "") for cell in row.strip("|").split("|")] for row in rows]


def documents() -> list[object]:
    return [json.loads(text) for text in re.findall(r"```json\n(.*?)```", README, re.DOTALL)]


def test_every_verdict_is_explained_in_the_words_of_the_code() -> None:
    assert table("| verdict | state | meaning |") == [
        [code.text, code.state.value, code.meaning] for code in Code
    ]


def test_every_option_is_explained_in_the_words_of_its_declaration() -> None:
    assert table("| option | allowed | default | meaning |") == [
        [option.name, option.allowed.replace("`", ""), option.default, option.description]
        for option in OPTIONS
    ]


def test_every_level_of_the_log_is_explained() -> None:
    rows = table("| level | what is logged from it on |")
    assert [row[0] for row in rows] == list(reversed(log.LEVELS))


def test_the_policies_are_those_of_the_pack_with_their_levels() -> None:
    gates = Gates(Mode.PREVIEW, Checker.in_process(FakeRegistry()), None, io.StringIO())
    assert [row[:2] for row in table("| policy | level | when | reports |")] == [
        [policy.name, policy.enforcement_level.value]
        for policy in declare(lambda: gates)
        if policy.enforcement_level
    ]


def test_the_permissions_are_those_that_the_client_needs() -> None:
    assert PERMISSIONS in documents()


def test_the_configurations_are_valid() -> None:
    (configuration,) = (
        document["ecr-layers-available"]
        for document in documents()
        if isinstance(document, dict) and "ecr-layers-available" in document
    )
    assert configuration.pop("enforcementLevel") == "mandatory"
    assert Settings.parse(configuration)


def test_every_command_is_run_by_something() -> None:
    commands = {
        command.strip()
        for line in re.findall(r"`([^`\n]+)`|^\$ (.+)$", README, re.MULTILINE)
        for command in line
        if re.match(r"(make|pulumi|layerguard|python3|policy/venv)\b.* ", command)
    }
    assert commands == set(COMMANDS)
    for file, call in COMMANDS.values():
        assert call in (ROOT / file).read_text(), file


def test_the_help_of_the_command_line_is_what_it_says() -> None:
    run = subprocess.run(
        [ROOT / ".venv" / "bin" / "layerguard", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    copied = README.partition("$ layerguard --help\n")[2].partition("\n```")[0]
    # Lines are broken as the terminal is wide.
    assert copied.split() == run.stdout.split()


def masked(text: str) -> str:
    """Return ``text`` without what depends on this machine's zlib, and without its paths."""
    text = re.sub(r"\(local: [^)]*\)", "(local: policy)", text)
    return re.sub(r"[0-9,]+ bytes", "N bytes", re.sub(r"sha256:[0-9a-f]{64}", "sha256:HEX", text))


def test_the_picture_is_what_the_engine_prints() -> None:
    picture = README.partition("```text\n")[2].partition("```")[0].rstrip()
    with SandboxEcr() as ecr, Engine(sample_stack, ROOT / "policy", ecr.environment) as engine:
        lost = fill(ecr).worker
        ecr.registry("123456789012", "eu-west-1").lose_layer(lost.repository, lost.layers[-1])
        output = engine.preview().output
    assert masked(picture) in masked(output)


def test_make_setup_has_nothing_left_to_do_and_make_says_which_pulumi_is_in_use() -> None:
    subprocess.run(["make", "setup"], cwd=ROOT, check=True, capture_output=True)
    path = subprocess.run(
        ["make", "-s", "pulumi-path"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()
    version = subprocess.run([path, "version"], check=True, capture_output=True, text=True).stdout
    assert re.fullmatch(r"v3\.\d+\.\d+.*\n", version)
