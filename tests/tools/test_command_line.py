"""The page of the command line says what the commands say, and everything that they take."""

from __future__ import annotations

import pytest
from layerguard.cli import Command, installed
from layerguard.cli.exits import EXITS

from tools.command_line import PAGE, page


def test_the_page_is_what_the_commands_say() -> None:
    # Versions of Python break the lines of help in places of their own.
    said = PAGE.read_text(encoding="utf-8").split()
    assert said == page().split(), "run: python -m tools.command_line"


@pytest.mark.parametrize("command", installed(), ids=lambda command: command.name)
def test_each_command_has_examples_and_its_exit_codes(command: Command) -> None:
    text = PAGE.read_text(encoding="utf-8")
    section = text.partition(f"## layerguard {command.name}\n")[2]
    section = section.partition("\n## ")[0]
    assert "\nexamples:\n" in section
    for row in EXITS[command.name]:
        assert f"\n  {row.code:<4} {row.meaning}" in section
