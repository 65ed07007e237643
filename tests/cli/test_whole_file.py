"""A file is written whole or not at all."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest
from layerguard_cli.audit.whole_file import why_not_writable, write_whole


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "report"
    path.write_text("before")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "x" * 100_000 + "\ud800")
    assert path.read_text() == "before"
    assert [each.name for each in tmp_path.iterdir()] == ["report"]


def test_a_new_file_has_the_permissions_that_any_new_file_has(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    write_whole(tmp_path / "report", "text")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert len(modes) == 1


def test_a_link_still_leads_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "latest").symlink_to("report")
    write_whole(tmp_path / "latest", "ä\n")
    assert (tmp_path / "report").read_bytes() == "ä\n".encode()
    assert (tmp_path / "latest").is_symlink()


def test_a_pipe_stays_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    received: list[str] = []
    reader = threading.Thread(target=lambda: received.append(path.read_text()))
    reader.start()
    write_whole(path, "text")
    reader.join(10)
    assert received == ["text"]
    assert path.is_fifo()


def test_a_wrong_place_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    assert why_not_writable(tmp_path / "report") is None
    assert why_not_writable(tmp_path) == f"{tmp_path} is a folder"
    too_long = tmp_path / ("x" * 300)
    assert why_not_writable(too_long) == f"{too_long}: File name too long"
    nowhere = tmp_path / "none"
    assert why_not_writable(nowhere / "report") == f"there is no folder {nowhere}"
