"""Files, folders and standard input."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from layerguard_cli.sources.places import Reader
from layerguard_cli.sources.source import Source, SourceKind

from tests.cli.sources.states import HOST, export, state

WEB = f"{HOST}/shop/web:1"
POD = f"apiVersion: v1\nkind: Pod\nspec: {{containers: [{{image: '{WEB}'}}]}}\n"


def read(place: Path | str, stdin: bytes = b"") -> tuple[list[Source], list[str]]:
    """The sources at a place, and what was noted."""
    notes: list[str] = []
    reader = Reader(lambda: stdin, {}, notes.append)
    return [source for _, source in reader.read(str(place))], notes


def test_standard_input_is_a_source() -> None:
    ((source,), notes) = read("-", WEB.encode())
    assert (source.name, [use.text for use in source.uses], notes) == ("-", [WEB], [])


def test_a_folder_is_every_source_in_it_and_in_its_folders(tmp_path: Path) -> None:
    (tmp_path / "b" / "c").mkdir(parents=True)
    (tmp_path / "a.json").write_text(json.dumps(export(state("web", WEB))))
    (tmp_path / "b" / "c" / "pod.YML").write_text(POD)
    (tmp_path / "b" / "pod.yaml").write_text(POD)
    (tmp_path / "b" / "README.md").write_text("Not a source.")
    found, notes = read(tmp_path)
    assert [(source.name, source.kind, len(source.uses)) for source in found] == [
        ("shop/dev", SourceKind.STACK_EXPORT, 1),
        (str(tmp_path / "b" / "c" / "pod.YML"), SourceKind.KUBERNETES, 1),
        (str(tmp_path / "b" / "pod.yaml"), SourceKind.KUBERNETES, 1),
    ]
    assert notes == []


def test_a_file_of_a_folder_that_is_no_source_is_left_out_with_a_note(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"name": "shop"}')
    (tmp_path / "values.yaml").write_text("replicas: 2\n")
    (tmp_path / "pod.yaml").write_text(POD)
    found, notes = read(tmp_path)
    assert [source.name for source in found] == [str(tmp_path / "pod.yaml")]
    assert notes == [
        f"{tmp_path}/package.json is left out. It is neither a stack export, nor a preview, nor a "
        "Kubernetes manifest, nor a list of references.",
        f"{tmp_path}/values.yaml is left out. It has no Kubernetes manifest.",
    ]


def test_what_of_a_folder_cannot_be_read_is_a_problem_and_hides_nothing_else(
    tmp_path: Path,
) -> None:
    (tmp_path / "broken.json").write_text('{"version": 3')
    (tmp_path / "pod.yaml").write_text(POD)
    (broken, whole), notes = read(tmp_path)
    assert broken == Source(
        str(tmp_path / "broken.json"),
        SourceKind.UNREADABLE,
        (),
        ("It is not valid JSON at line 1, column 14.",),
    )
    assert (len(whole.uses), whole.problems, notes) == (1, (), [])


def test_what_is_hidden_in_a_folder_is_not_read(tmp_path: Path) -> None:
    for name in (".pulumi/stacks/dev.json", "node/.cache/pod.yaml", ".hidden.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(POD)
    (tmp_path / "pod.yaml").write_text(POD)
    found, notes = read(tmp_path)
    assert ([source.name for source in found], notes) == ([str(tmp_path / "pod.yaml")], [])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_in_it_that_may_not_be_read_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "pod.yaml").write_text(POD)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    (pod, problem), _ = read(tmp_path)
    closed.chmod(0o700)
    assert (pod.problems, problem.name) == ((), str(closed))
    assert problem.problems == ("It cannot be read: Permission denied.",)


def test_a_folder_without_a_source_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"name": "shop"}')
    (source,), _ = read(tmp_path)
    assert source == Source(
        str(tmp_path),
        SourceKind.UNREADABLE,
        (),
        ("The folder has no source in a file that ends in .json, .jsonl, .yaml or .yml.",),
    )


def test_a_file_that_is_named_is_read_whatever_its_name_and_a_problem_where_it_is_none(
    tmp_path: Path,
) -> None:
    (tmp_path / "images").write_text(WEB)
    (source,), _ = read(tmp_path / "images")
    assert [use.text for use in source.uses] == [WEB]
    (tmp_path / "other").write_text("{}")
    (source,), notes = read(tmp_path / "other")
    assert (source.kind, len(source.problems), notes) == (SourceKind.UNREADABLE, 1, [])


def test_a_file_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    (source,), _ = read(tmp_path / "none.json")
    assert source.problems == ("It cannot be read: No such file or directory.",)
    (tmp_path / "lost.json").symlink_to("none.json")
    (source,), _ = read(tmp_path)
    assert source.problems == ("It cannot be read: No such file or directory.",)


def test_a_name_that_no_file_can_have_is_a_problem(tmp_path: Path) -> None:
    (source,), _ = read(tmp_path / ("x" * 300))
    assert source.problems == ("It cannot be read: File name too long.",)
