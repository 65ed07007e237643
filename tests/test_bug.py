"""The text that reports a bug names the version, and the module and line that raised it."""

from __future__ import annotations

import re

import pytest
from layerguard.bug import REPORT, bug_text, log_bug, place_of
from layerguard.errors import SettingsInvalid
from layerguard.log import Destination
from layerguard.verdict import Code


def raised() -> SettingsInvalid:
    """Return an error that a module of Layerguard raised, below this one."""
    with pytest.raises(SettingsInvalid) as caught:
        Destination.parse("none")
    return caught.value


def test_the_place_is_the_innermost_line_of_layerguard() -> None:
    assert re.fullmatch(r"layerguard\.log:\d+", place_of(raised()))
    assert place_of(ZeroDivisionError("never raised")) == ""


def test_a_bug_names_the_version_the_step_the_place_and_the_error() -> None:
    assert re.fullmatch(
        r"This is a bug of Layerguard 0\.1\.0, in reading \(layerguard\.log:\d+\): "
        r"SettingsInvalid: LAYERGUARD_LOG is 'none': .*",
        bug_text("in reading", raised()),
    )


def test_the_next_step_after_a_bug_has_the_version_and_the_log() -> None:
    assert (
        Code.INTERNAL_ERROR.next_step
        == REPORT
        == (
            "please report this text to the maintainers of Layerguard, which is version 0.1.0 here; "
            "LAYERGUARD_LOG=debug writes a log that helps them."
        )
    )


def test_a_bug_is_logged_with_its_traceback_by_the_module_that_raised_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level("ERROR", "layerguard"):
        log_bug("a bug", raised())
        log_bug("a bug", ZeroDivisionError("never raised"))
    assert [each.name for each in caplog.records] == ["layerguard.log", "layerguard"]
    assert "in parse" in caplog.text
