"""Files, folders and standard input."""

from __future__ import annotations

import gzip
import json
import os
import threading
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
        f"{tmp_path}/package.json is left out. It is of no kind that an audit reads.",
        f"{tmp_path}/values.yaml is left out. It is of no kind that an audit reads.",
    ]


def test_what_of_a_folder_does_not_parse_and_names_ecr_is_a_problem_and_hides_nothing_else(
    tmp_path: Path,
) -> None:
    (tmp_path / "broken.json").write_text(f'{{"version": 3, "image": "{WEB}"')
    (tmp_path / "cut.json").write_text('{"version": 3')
    (tmp_path / "pod.yaml").write_text(POD)
    (broken, whole), notes = read(tmp_path)
    assert broken == Source(
        str(tmp_path / "broken.json"),
        SourceKind.UNREADABLE,
        (),
        (
            "It is not valid JSON at line 1, column 82. It names a host of ECR in line 1, and seems "
            "to be text.",
        ),
    )
    assert (len(whole.uses), whole.problems) == (1, ())
    assert notes == [f"{tmp_path}/cut.json is left out. It is not valid JSON at line 1, column 14."]


OTHERS = {
    ".github/workflows/deploy.yml": (f"on: push\njobs: {{web: {{container: '{WEB}'}}}}\n", "a GitHub Actions workflow"),
    "ci/build.yml": (f"on: push\njobs: {{web: {{container: '{WEB}'}}}}\n", "a GitHub Actions workflow"),
    ".gitlab-ci.yml": (f"image: {WEB}\nstages: [build]\n", "a GitLab CI pipeline"),
    "buildspec.yml": (f"version: 0.2\nphases: {{build: {{commands: ['docker push {WEB}']}}}}\n", "a buildspec of CodeBuild"),
    "Dockerfile": (f"FROM {WEB}\n", "a Dockerfile"),
    "main.tf": (f'image_uri = "{WEB}"\n', "a Terraform configuration"),
    ".env": (f"IMAGE={WEB}\n", "a file of environment variables"),
    "images.csv": (f"name,image\nweb,{WEB}\n", "a CSV table"),
    "README.md": (f"# Shop\n\nRuns `{WEB}`.\n", "documentation"),
    "deploy": (f"#!/bin/sh\ndocker push {WEB}\n", "a script"),
    "charts/web/templates/web.yaml": (f"image: {HOST}/web:{{{{ .Values.tag }}}}\nx: {{{{ a }}}}", "a template of a Helm chart"),
    "other.yaml": (f"registries:\n- {HOST}\n", "a document of an unknown kind"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "text", "what"), [(name, *each) for name, each in OTHERS.items()])
def test_a_file_of_a_folder_that_is_left_out_and_names_ecr_is_a_problem(
    tmp_path: Path, name: str, text: str, what: str
) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(text)
    (tmp_path / "pod.yaml").write_text(POD)
    found, notes = read(tmp_path)
    by_name = {source.name: source for source in found}
    assert len(by_name) == 2
    other = by_name[str(tmp_path / name)]
    assert (other.kind, other.uses, notes) == (SourceKind.UNREADABLE, (), [])
    (problem,) = other.problems
    assert problem.endswith(f"and seems to be {what}.")


def test_a_file_of_another_tool_that_names_no_host_of_ecr_is_not_mentioned(tmp_path: Path) -> None:
    (tmp_path / "pod.yaml").write_text(POD)
    for name in ("README.md", "main.tf", "Dockerfile", "web.png"):
        (tmp_path / name).write_bytes(b"\x00nginx:1\xff")
    found, notes = read(tmp_path)
    assert ([source.name for source in found], notes) == ([str(tmp_path / "pod.yaml")], [])


def test_of_many_files_that_are_left_out_the_first_are_named(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"{number:02}.json").write_text("{}")
    found, notes = read(tmp_path)
    assert (found, len(notes)) == ([], 21)
    assert notes[-1] == f"{tmp_path}: 10 more files are left out; none names a host of ECR."


def test_folders_whose_names_begin_with_a_dot_are_read_except_those_of_version_control(
    tmp_path: Path,
) -> None:
    for name in (".deploy/pod.yaml", "node/.cache/pod.yaml", ".hidden.yaml", ".git/pod.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(POD)
    found, notes = read(tmp_path)
    names = [source.name.removeprefix(f"{tmp_path}/") for source in found]
    assert (names, notes) == ([".deploy/pod.yaml", ".hidden.yaml", "node/.cache/pod.yaml"], [])


def test_a_self_managed_backend_of_pulumi_is_its_stacks_and_not_what_they_were(
    tmp_path: Path,
) -> None:
    checkpoint = {
        "version": 3,
        "checkpoint": {"stack": "dev", "latest": export(state("web", WEB))["deployment"]},
    }
    stacks = tmp_path / ".pulumi" / "stacks" / "shop"
    stacks.mkdir(parents=True)
    (stacks / "dev.json").write_text(json.dumps(checkpoint))
    (stacks / "packed.json.gz").write_bytes(gzip.compress(json.dumps(checkpoint).encode()))
    for name in ("dev.json.bak", "terraform.tfstate.backup"):
        (stacks / name).write_text(json.dumps(checkpoint))
    former = tmp_path / ".pulumi" / "history"
    former.mkdir()
    (former / "dev.json").write_text(json.dumps(checkpoint))
    found, notes = read(tmp_path)
    assert [(source.name, source.kind) for source in found] == [
        ("shop/dev", SourceKind.PULUMI_CHECKPOINT)
    ] * 2
    assert notes == [
        f"{stacks}/dev.json.bak is left out. It is the former state of a stack.",
        f"{stacks}/terraform.tfstate.backup is left out. It is the former state of a stack.",
        f"{former} is left out. It has former states of stacks.",
    ]


def test_links_in_circles_and_to_elsewhere_have_an_end(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (inside / "pod.yaml").write_text(POD)
    (outside / "pod.yaml").write_text(POD)
    (inside / "circle").symlink_to(inside)
    (inside / "self.yaml").symlink_to("self.yaml")
    (inside / "elsewhere").symlink_to(outside)
    found, notes = read(inside)
    assert [(source.name.rpartition("/")[2], source.problems) for source in found] == [
        ("pod.yaml", ()),
        ("self.yaml", ("It cannot be read: Too many levels of symbolic links.",)),
    ]
    assert notes == [
        f"{inside}/elsewhere is left out. It is a link to a folder elsewhere: give that as a source "
        "of its own."
    ]


def test_a_pipe_in_a_folder_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "pod.yaml").write_text(POD)
    found, notes = read(tmp_path)
    assert [source.name for source in found] == [str(tmp_path / "pod.yaml")]
    assert notes == [f"{tmp_path}/pipe.yaml is left out. It is a pipe, a socket or a device."]


def test_a_pipe_that_is_named_is_read_to_its_end(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(POD * 10_000,))
    writer.start()
    (source,), _ = read(pipe)
    writer.join(10)
    assert source.kind is SourceKind.KUBERNETES


def test_a_device_without_an_end_is_a_problem() -> None:
    if not Path("/dev/zero").exists():
        pytest.skip("the system has no such device")
    (source,), _ = read("/dev/zero")
    (problem,) = source.problems
    assert problem.startswith("It is larger than 100 MB, which is more than an audit reads.")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_in_it_that_may_not_be_read_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "pod.yaml").write_text(POD)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    (pod, problem), _ = read(tmp_path)
    closed.chmod(0o700)
    assert (pod.problems, problem.name) == ((), str(closed))
    assert problem.problems == ("It cannot be read: Permission denied.",)


def test_a_folder_without_a_file_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    (source,), _ = read(tmp_path)
    problems = ("The folder has no file in it.",)
    assert source == Source(str(tmp_path), SourceKind.UNREADABLE, (), problems)


def test_a_folder_whose_files_name_no_image_is_clean(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "web.yaml").write_text("{{ if .Values.web }}\nkind: Pod\n{{ end }}")
    (tmp_path / "package.json").write_text('{"name": "shop"}')
    found, notes = read(tmp_path)
    assert (found, len(notes)) == ([], 2)


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
