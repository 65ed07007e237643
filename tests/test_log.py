"""The log: silent unless asked for, its file its user's alone, its lines legible and without secrets."""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from layerguard import log
from layerguard.errors import SettingsInvalid
from layerguard.log import Destination

LOGGER = logging.getLogger("layerguard.checking")
LINE = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \d+ (DEBUG|INFO|WARNING|ERROR) layerguard[\w.]*: .*"
)
ALLOWED = "allowed are debug, info, warning and error, each also with :FILE, a whole path"


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    yield
    log.log_to(None)
    logging.getLogger("layerguard").setLevel(logging.NOTSET)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "layerguard.log"


class Unused:
    def __str__(self) -> str:
        raise AssertionError("It is formatted.")


@pytest.mark.parametrize(
    ("text", "destination"),
    [
        ("", None),
        (" ", None),
        ("debug", Destination(logging.DEBUG)),
        ("INFO", Destination(logging.INFO)),
        ("warning:/tmp/a:b.log", Destination(logging.WARNING, Path("/tmp/a:b.log"))),
        ("error:~/x.log", Destination(logging.ERROR, Path("~/x.log"))),
    ],
)
def test_a_log_has_a_level_and_may_have_a_file(text: str, destination: Destination | None) -> None:
    assert Destination.parse(text) == destination


@pytest.mark.parametrize("text", ["verbose", "1", "debug:", ":/tmp/x", "debug:here.log", "off"])
def test_any_other_value_is_one_sentence_and_no_failure(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SettingsInvalid):
        Destination.parse(text)
    log.begin({"LAYERGUARD_LOG": text})
    LOGGER.error("%s", Unused())
    printed = capsys.readouterr().err
    assert printed == f"layerguard: LAYERGUARD_LOG is '{text}': {ALLOWED}; there is no log.\n"


def test_without_the_variable_nothing_is_formatted_or_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log.begin({})
    for level in log.LEVELS.values():
        LOGGER.log(level, "%s", Unused())
        assert not log.is_heard(level)
    assert capsys.readouterr().err == ""


def test_a_level_keeps_what_is_below_it_out_and_a_later_log_replaces_an_earlier_one(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log.begin({"LAYERGUARD_LOG": f"debug:{file}"})
    log.begin({"LAYERGUARD_LOG": "warning"})
    LOGGER.info("%s", Unused())
    LOGGER.warning("a %s", "warning")
    (line,) = capsys.readouterr().err.splitlines()
    assert LINE.fullmatch(line)
    assert line.endswith(f" {os.getpid()} WARNING layerguard.checking: a warning")
    assert "a warning" not in file.read_text()


def test_a_file_is_appended_to_and_its_users_alone(file: Path) -> None:
    file.write_text("before\n")
    file.chmod(0o644)
    for number in range(2):
        log.begin({"LAYERGUARD_LOG": f"info:{file}"})
        LOGGER.info("run %d", number)
    first, *lines = file.read_text().splitlines()
    assert first == "before"
    assert [line.partition("checking: ")[2] for line in lines] == ["", "run 0", "", "run 1"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.unlink()
    log.begin({"LAYERGUARD_LOG": f"info:{file}"})
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def spoil(file: Path, kind: str) -> str:
    if kind == "link":
        file.symlink_to(file.with_name("target"))
    elif kind == "pipe":
        os.mkfifo(file)
    elif kind == "folder":
        file.mkdir()
    return f"{file}/none" if kind == "no folder" else f"{file}\0" if kind == "NUL" else str(file)


@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "no folder", "NUL"])
def test_what_is_no_file_of_the_user_is_refused_in_one_sentence(
    kind: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log.begin({"LAYERGUARD_LOG": f"debug:{spoil(file, kind)}"})
    LOGGER.error("%s", Unused())
    (line,) = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"layerguard: LAYERGUARD_LOG names /.*, which .*; there is no log\.", line)
    assert not file.with_name("target").exists()


def test_a_line_is_legible_whatever_is_logged(file: Path) -> None:
    log.begin({"LAYERGUARD_LOG": f"debug:{file}"})
    try:
        raise ZeroDivisionError(
            "a\n2026-01-01T00:00:00.000Z 1 INFO layerguard: forged\ud800\x1b[2J"
        )
    except ZeroDivisionError:
        LOGGER.exception("%s", "::error::a\n::error::b\ud800\u202e\x1b[31m##vso[")
    _, line, *trace = file.read_text().splitlines()
    assert LINE.fullmatch(line)
    assert line.endswith(r"layerguard.checking: ::error::a\n::error::b\ud800\u202e\x1b[31m#\#vso[")
    assert trace[0] == "    Traceback (most recent call last):"
    assert trace[-1] == r"    2026-01-01T00:00:00.000Z 1 INFO layerguard: forged\ud800\x1b[2J"
    assert all(each.startswith("    ") for each in trace)


def test_no_secret_is_logged_in_a_message_or_a_traceback(file: Path) -> None:
    token = f"eyJ{'x' * 30}.{'y' * 10}"
    log.begin({"LAYERGUARD_LOG": f"debug:{file}"})
    log.HIDDEN.add(["a key of nobody", None, "short"])
    try:
        try:
            raise KeyError("a key of nobody")
        except KeyError:
            raise ValueError(f"{token} a short word") from None
    except ValueError:
        LOGGER.exception("%s at %s", "a key of nobody", "https://user:hunter2@ecr.example/")
    text = file.read_text()
    assert "*** at https://ecr.example/" in text
    assert "ValueError: *** a short word" in text
    for secret in ("a key of nobody", "hunter2", "yyyy"):
        assert secret not in text


def test_the_first_line_names_variables_and_shows_no_key(file: Path) -> None:
    log.begin(
        {
            "LAYERGUARD_LOG": f"info:{file}",
            "AWS_SECRET_ACCESS_KEY": "a secret that nobody knows",
            "AWS_PROFILE": "team",
            "https_proxy": "http://user:hunter2@proxy:3128",
            "OTHER": "other",
        }
    )
    (line,) = file.read_text().splitlines()
    assert re.search(
        r" INFO layerguard: Layerguard 0\.1\.0, Python 3\.\d+\.\d+; "
        r"environment: AWS_PROFILE=team, AWS_SECRET_ACCESS_KEY, https_proxy=http://proxy:3128$",
        line,
    )


def test_a_record_that_cannot_be_formatted_or_written_is_lost_and_nothing_else(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log.begin({"LAYERGUARD_LOG": f"info:{file}"})
    LOGGER.info("%s", Unused())
    LOGGER.info("%d", "no number")
    LOGGER.info("%s", "after")
    assert file.read_text().splitlines()[1].endswith("after")
    assert capsys.readouterr().err == ""


def test_the_log_of_botocore_which_prints_secrets_is_left_alone() -> None:
    log.begin({"LAYERGUARD_LOG": "debug"})
    for name in ("botocore", "urllib3", "boto3"):
        assert not logging.getLogger(name).isEnabledFor(logging.DEBUG)
        handlers = logging.getLogger(name).handlers
        assert all(isinstance(each, logging.NullHandler) for each in handlers)


def test_a_new_log_in_the_same_process_forgets_the_secrets_of_the_run_before(file: Path) -> None:
    log.HIDDEN.add(["123456789012"])
    log.begin({"LAYERGUARD_LOG": f"debug:{file}"})
    LOGGER.info("asked 123456789012")
    assert "asked 123456789012" in file.read_text()
