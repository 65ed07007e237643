"""``layerguard sandbox``: a local ECR for shells that evaluate its variables, until it is ended."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

import pytest
from layerguard_sandbox.engine import ROOT

COMMAND = (sys.executable, "-m", "layerguard_cli")
WEB = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:1.4.2"
WORKER = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/worker:1.4.2"


def environment(**more: str) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(str(ROOT / each) for each in ("policy", "cli", "sandbox")),
        **more,
    }


@contextmanager
def sandbox(
    *words: str, end: int = signal.SIGTERM, more: Mapping[str, str] = MappingProxyType({})
) -> Iterator[tuple[str, str]]:
    """Yield its stdout and stderr once it serves; then end it, and expect exit code 0."""
    process = subprocess.Popen(
        [*COMMAND, "sandbox", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(**more),
    )
    assert process.stdout
    assert process.stderr
    try:
        lines = []
        for line in process.stderr:
            lines.append(line)
            if line.startswith("With the variables set"):
                break
        os.set_blocking(process.stdout.fileno(), False)
        yield process.stdout.read(), "".join(lines)
    finally:
        process.send_signal(end)
        rest = process.stderr.read()
        code = process.wait(10)
        process.stdout.close()
        process.stderr.close()
    assert (code, rest) == (0, "")


def run(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *words],
        capture_output=True,
        text=True,
        check=False,
        env=environment(**more),
        timeout=60,
    )


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_ended_and_then_ends_cleanly(end: signal.Signals) -> None:
    with sandbox("--format", "json", end=end) as (stdout, _):
        port = int(json.loads(stdout)["endpoint"].rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), 5):
            pass
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 5)


def test_standard_error_has_that_it_is_not_aws_what_it_has_and_what_to_try() -> None:
    with sandbox() as (_, stderr):
        assert re.sub(r":\d+;", ":PORT;", stderr) == (
            "A stand-in for Amazon ECR, not AWS, is at http://127.0.0.1:PORT; Ctrl-C ends it. "
            "It has:\n"
            f"  {WEB}\n"
            f"  {WORKER}\n"
            "  123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/report:1.4.2\n"
            f"With the variables set, try: layerguard check {WEB}\n"
        )


@pytest.mark.parametrize(
    ("shell", "form", "evaluate"),
    [("bash", "shell", 'eval "$1"'), ("zsh", "shell", 'eval "$1"'), ("fish", "fish", "eval $argv")],
)
def test_a_shell_that_evaluates_its_output_checks_the_samples_there(
    shell: str, form: str, evaluate: str
) -> None:
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    in_the_way = {"AWS_PROFILE": "mine", "AWS_SESSION_TOKEN": "mine", "AWS_ROLE_ARN": "mine"}
    with sandbox("--format", form, more=in_the_way) as (stdout, _):
        checked = subprocess.run(
            [
                shell,
                "-c",
                f"{evaluate}; {sys.executable} -m layerguard_cli check {WEB}; env",
                *(() if shell == "fish" else (shell,)),
                stdout,
            ],
            capture_output=True,
            text=True,
            check=True,
            env=environment(**in_the_way),
        ).stdout
    assert checked.startswith(f"available: argument: {WEB}\n")
    assert not re.search(r"^\w+=mine$", checked, re.MULTILINE)


def test_a_lost_layer_is_the_sample_web_images_unless_an_image_is_named() -> None:
    for words, missing, whole in (
        ((), WEB, WORKER),
        (("shop/worker:1.4.2",), WORKER, WEB),
    ):
        with sandbox("--lose-layer", *words, "--format", "json") as (stdout, stderr):
            assert f"  {missing}  (a layer is lost)\n" in stderr
            own = json.loads(stdout)["environment"]
            checked = run("check", missing, whole, **own)
        assert checked.returncode == 1
        assert f"layer-missing: argument: {missing}\n" in checked.stdout
        assert f"available: argument: {whole}\n" in checked.stdout


def test_layers_of_many_images_can_be_lost_and_naming_one_twice_is_no_error() -> None:
    twice = ("--lose-layer", "--lose-layer", "shop/web:1.4.2")
    with sandbox(*twice, "--lose-layer", "shop/worker:1.4.2") as (_, stderr):
        assert stderr.count("(a layer is lost)") == 2


def test_latency_is_what_every_answer_takes() -> None:
    with sandbox("--latency", "0.3", "--format", "json") as (stdout, _):
        own = json.loads(stdout)["environment"]
        began = time.monotonic()
        assert run("check", WORKER, **own).returncode == 0
        assert time.monotonic() - began > 2 * 0.3  # the manifest, then its layers


def test_the_port_can_be_chosen_and_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = run("sandbox", "--port", port)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == f"layerguard: port {port}: Address already in use.\n"
    with sandbox("--port", port) as (stdout, _):
        assert f"export AWS_ENDPOINT_URL_ECR=http://127.0.0.1:{port}\n" in stdout


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--lose-layer", "shop/cart:1"), "layerguard: --lose-layer: no shop/cart:1; there is shop/web:1.4.2, shop/worker:1.4.2, shop/report:1.4.2.\n"),
        (("--latency", "-1"),             "argument --latency: '-1' is not a number of seconds from 0 on\n"),
        (("--latency", "soon"),           "argument --latency: 'soon' is not a number of seconds from 0 on\n"),
        (("--port", "65536"),             "argument --port: '65536' is not a port from 0 to 65535\n"),
        (("--port", "http"),              "argument --port: 'http' is not a port from 0 to 65535\n"),
    ],
)  # fmt: skip
def test_wrong_usage_is_refused_with_the_reason(words: tuple[str, ...], complaint: str) -> None:
    refused = run("sandbox", *words)
    assert (refused.returncode, refused.stdout) == (64, "")
    assert refused.stderr.endswith(complaint)


def test_without_moto_there_is_how_to_install_it() -> None:
    code = (
        "import sys; sys.modules['moto'] = None; sys.argv = ['layerguard', 'sandbox']\n"
        "from layerguard_cli import main; sys.exit(main())"
    )
    refused = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment()
    )
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        "layerguard: the sandbox needs its extra, with moto: pip install 'layerguard[sandbox]'\n"
    )


def test_without_the_sandbox_the_command_is_refused_with_how_to_install_it() -> None:
    refused = subprocess.run(
        [
            sys.executable,
            "-S",
            "-c",
            "import sys; from layerguard_cli import main; sys.exit(main(['sandbox']))",
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT / "cli",
        env={"PYTHONPATH": str(ROOT / "policy")},
    )
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        "layerguard: 'sandbox' is not in this installation: install 'layerguard[sandbox]'.\n"
    )


def test_the_extra_names_the_moto_that_the_tests_use() -> None:
    (pinned,) = re.findall(r"^(moto\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert f'\nsandbox = ["{pinned}", ' in (ROOT / "pyproject.toml").read_text()
