"""The pages of the command line are those of the parsers, and complete."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess

import pytest
from layerguard_cli import Command, installed
from layerguard_cli.exits import EXITS

from tools.command_line import MANUAL, PAGE, manual, page
from tools.roff import RoffFormatter


def test_the_page_is_that_of_the_parsers() -> None:
    # Versions of Python break the lines of help in places of their own.
    written = PAGE.read_text(encoding="utf-8").split()
    assert written == page().split(), "run: python -m tools.command_line"


@pytest.mark.parametrize("command", installed(), ids=lambda command: command.name)
def test_each_command_has_examples_and_its_exit_codes(command: Command) -> None:
    text = PAGE.read_text(encoding="utf-8")
    section = text.partition(f"## layerguard {command.name}\n")[2]
    section = section.partition("\n## ")[0]
    assert "\nexamples:\n" in section
    for row in EXITS[command.name]:
        assert f"\n  {row.code:<4} {row.meaning}" in section


def test_the_manual_is_that_of_the_parsers() -> None:
    written = MANUAL.read_text(encoding="utf-8").split()
    assert written == manual().split(), "run: python -m tools.command_line"


def test_groff_shows_the_manual_without_a_complaint() -> None:
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("groff is not installed here")
    run = subprocess.run(
        [groff, "-man", "-ww", "-Tascii", "-P-cbou", MANUAL],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stderr == ""
    shown = run.stdout.splitlines()
    assert "       layerguard - proves that every layer of an Amazon ECR image is there" in shown
    assert "         layerguard check --platform linux/arm64 - <references.txt" in shown
    for command in installed():
        section = run.stdout.partition(f"\nLAYERGUARD {command.name.upper()}\n")[2]
        for row in EXITS[command.name]:
            assert re.search(rf"^ {{7}}{row.code:<4} +\w", section, re.MULTILINE)


def test_a_parser_becomes_roff_that_prints_it_as_it_is() -> None:
    parser = argparse.ArgumentParser(
        "tool",
        formatter_class=RoffFormatter,
        description=".hidden files and\n'quoted' ones: a\\b",
        epilog="examples:\n  tool --level 2\n  .\n\nMore.\n\nexit codes:\n  0    all is well",
    )
    parser.add_argument("--level", default=1, help="how much, 100%% at most (default: %(default)s)")
    parser.add_argument("--secret", help=argparse.SUPPRESS)
    assert parser.format_help().splitlines() == [
        ".B tool",
        r"[\-h] [\-\-level LEVEL]",
        ".PP",
        r"\&.hidden files and 'quoted' ones: a\eb",
        '.SS "Options"',
        ".TP",
        r".B \-h, \-\-help",
        "show this help message and exit",
        ".TP",
        r".B \-\-level LEVEL",
        "how much, 100% at most (default: 1)",
        '.SS "Examples"',
        ".nf",
        r"  tool \-\-level 2",
        "  .",
        ".fi",
        ".PP",
        "More.",
        '.SS "Exit codes"',
        ".TP",
        ".B 0",
        "all is well",
    ]
