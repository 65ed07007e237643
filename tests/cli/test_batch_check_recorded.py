"""The AWS CLI's recorded runs: the same output, exit code and message, case by case.

Source of the cases: the first line of ``aws_cli_cases.jsonl``.
"""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import JSONFileLoader
from layerguard_cli import main

from tests.cli.scripted import ScriptedServer

CASES: list[dict[str, Any]] = [
    json.loads(line)
    for line in (Path(__file__).parent / "aws_cli_cases.jsonl").read_text().splitlines()[1:]
]
A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64
# AWS's manual page is AWS's text: "help" prints this command's own.
OWN_MANUAL = {"help_word"}
# Real processes of the installed command: what was recorded so, and one of each exit code.
PROCESSES = {
    *("ok_json", "missing_all", "no_region", "response_utf8", "response_utf8_posix_locale"),
    *(case["name"] for case in CASES if case["stdin"] or case["name"].startswith("process_")),
}
FILES = {
    "in.json": json.dumps(
        {"registryId": "123456789012", "repositoryName": "from/json", "layerDigests": [B]}
    ),
    "digests.json": json.dumps([A, B]),
    "name.txt": "team/file\n",
    "bom.json": "\ufeff" + json.dumps({"repositoryName": "team/app", "layerDigests": [A]}),
    "bom_list.json": "\ufeff" + json.dumps([A]),
}


@dataclass(frozen=True)
class Run:
    code: int
    stdout: str
    stderr: str


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("work")
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module", autouse=True)
def read_once() -> Iterator[None]:
    """Let botocore read each file of its models once for all cases: nearly all time goes there."""
    load = functools.cache(JSONFileLoader().load_file)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(JSONFileLoader, "load_file", lambda _, path: load(path))
        yield


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as running:
        yield running


def in_process(
    words: list[str],
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    try:
        code = main(words)
    except SystemExit as ended:
        code = int(ended.code or 0)
    output = capsys.readouterr()
    return Run(code, output.out, output.err)


def in_subprocess(words: list[str], environment: dict[str, str], stdin: str) -> Run:
    run = subprocess.run(
        [Path(sys.executable).parent / "layerguard", *words],
        input=stdin,
        env={"PATH": os.environ["PATH"], **environment},
        cwd=environment["HOME"],
        capture_output=True,
        text=True,
        check=False,
    )
    return Run(run.returncode, run.stdout, run.stderr)


def message(stderr: str) -> str:
    """Return the message, without the usage and the name of the program."""
    text = re.sub(
        r"\Ausage:.*?(?=^Unknown|^\w+: error:)", "", stderr, flags=re.DOTALL | re.MULTILINE
    )
    return re.sub(r"\A\w+: error:", "", text)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_recorded_run_of_the_aws_cli_is_repeated(
    case: dict[str, Any],
    work: Path,
    server: ScriptedServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def filled(text: str) -> str:
        # Recorded with a Python before 3.12, which changed how it shows an ordered dictionary.
        shown = text.replace("OrderedDict([('a', 1)])", repr(OrderedDict(a=1)))
        return shown.replace("PORT", str(server.port)).replace("WORK", str(work))

    server.play(case["server_response"])
    words = [filled(word) for word in case["args"][1:]]
    words.remove("ecr")
    environment = {name: filled(value) for name, value in case["env"].items()}
    environment |= {"HOME": str(work)}
    if case["name"] in PROCESSES:
        run = in_subprocess(words, environment, case["stdin"])
    else:
        run = in_process(words, environment, monkeypatch, capsys)
    assert run.code == case["rc"]
    if case["name"] not in OWN_MANUAL:
        assert run.stdout == filled(case["stdout"])
    assert message(run.stderr) == filled(message(case["stderr"]))
    assert [
        {
            "target": seen.target,
            "content_type": seen.content_type,
            "path": seen.path,
            "body": seen.body,
        }
        for seen in server.seen
    ] == [
        {
            "target": seen["target"],
            "content_type": seen["content_type"],
            "path": seen["path"],
            "body": filled(seen["body"]),
        }
        for seen in case["requests_seen"]
    ]
