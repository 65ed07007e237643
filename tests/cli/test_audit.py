"""``layerguard audit``, as a subprocess over the sandbox: sources, formats, exit codes."""

from __future__ import annotations

import html
import json
import os
import pty
import re
import signal
import stat
import subprocess
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest
from layerguard.discovery.tree import HIDDEN
from layerguard_cli.reports.formats import FORMATS
from layerguard_sandbox.ecr import SandboxEcr, image_index, oci_image

from tests.cli.auditing import (
    ABSENT,
    COMMAND,
    REPORT,
    WEB,
    WORKER,
    audit,
    audit_json,
    environment,
    hang_after,
    wait_until_asked,
    without_endpoint_note,
)
from tests.cli.sources.states import RECORDED, SECRET, SIGNATURE, export, state, urn
from tests.processes import is_running, wait_until

PROVIDER = "pulumi:providers:aws"
TASK = "aws:ecs/taskDefinition:TaskDefinition"
POD = f"apiVersion: v1\nkind: Pod\nmetadata: {{name: web}}\nspec: {{containers: [{{image: '{WEB}'}}]}}\n"


def listed(folder: Path, *references: str) -> Path:
    path = folder / "references.txt"
    path.write_text("\n".join(references))
    return path


def states(document: dict[str, object]) -> dict[str, list[tuple[str, str]]]:
    """The path and the code of each image, by source."""
    sources = document["sources"]
    assert isinstance(sources, list)
    return {
        source["name"]: [(image["path"], image["code"]) for image in source["images"]]
        for source in sources
    }


def test_several_sources_of_every_kind_are_one_audit(ecr: SandboxEcr, tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "production.json").write_text(
        json.dumps(export(state("worker", WORKER), state("absent", ABSENT)))
    )
    (tmp_path / "exports" / "preview.json").write_text((RECORDED / "preview.json").read_text())
    (tmp_path / "pod.yaml").write_text(POD)
    files = (tmp_path / "exports", tmp_path / "pod.yaml", listed(tmp_path, REPORT, "nginx"))
    found = audit_json(ecr, *files, "-", stdin=f"{WORKER}\n")
    recorded, *others = states(found).items()
    assert recorded[0] == "layerguard-sample/dev"
    assert dict(others) == {
        "shop/dev": [("imageUri", "available"), ("imageUri", "image-not-found")],
        str(tmp_path / "pod.yaml"): [("Pod/web.spec.containers[0].image", "available")],
        str(tmp_path / "references.txt"): [
            ("line 1", "available"),
            ("line 2", "not-private-ecr"),
        ],
        "-": [("line 1", "available")],
    }
    assert found["complete"] is True


def test_what_a_preview_pushes_is_pending_and_what_it_hides_is_undetermined(
    ecr: SandboxEcr,
) -> None:
    found = audit_json(ecr, RECORDED / "preview.json")
    by_name = {
        (image["urn"].rpartition("::")[2], image["path"]): image["code"]
        for image in found["sources"][0]["images"]
    }
    assert by_name["cart", "imageUri"] == "pushed-by-this-stack"
    assert by_name["later", "imageUri"] == "unknown-in-preview"
    assert by_name["secretive", "containerDefinitions"] == "secret-not-shown"


def test_every_resource_is_asked_about_as_its_own_provider(ecr: SandboxEcr, tmp_path: Path) -> None:
    role = ecr.principals.add_role("123456789012", "deploy", trusts=[ecr.keys.arn])
    provider = {
        "urn": urn("own", PROVIDER),
        "type": PROVIDER,
        "inputs": {"assumeRoles": json.dumps([{"roleArn": role}])},
    }
    by_role = state("worker", WORKER, provider=f"{provider['urn']}::id")
    path = tmp_path / "export.json"
    path.write_text(json.dumps(export(provider, by_role, state("report", REPORT))))
    run = audit(ecr, path)
    assert run.returncode == 0, run.stdout
    signed = (each for each in ecr.requests if each.principal)
    askers = {(each.repository, each.principal.split("/")[1]) for each in signed}
    assert askers == {("shop/worker", "deploy"), ("shop/report", "sandbox")}


def test_the_identity_of_the_command_line_asks_about_every_image(
    ecr: SandboxEcr, tmp_path: Path
) -> None:
    own = ecr.principals.add_role("123456789012", "deploy", trusts=[ecr.keys.arn])
    auditor = ecr.principals.add_role("123456789012", "auditor", trusts=[ecr.keys.arn])
    provider = {
        "urn": urn("own", PROVIDER),
        "type": PROVIDER,
        "inputs": {"assumeRoles": json.dumps([{"roleArn": own}])},
    }
    hidden = {
        "urn": urn("hidden", PROVIDER),
        "type": PROVIDER,
        "inputs": {"accessKey": "AKIAHIDDEN", "secretKey": HIDDEN},
    }
    resources = (
        provider,
        hidden,
        state("worker", WORKER, provider=f"{provider['urn']}::id"),
        state("report", REPORT, provider=f"{hidden['urn']}::id"),
    )
    path = tmp_path / "export.json"
    path.write_text(json.dumps(export(*resources)))
    assert audit(ecr, path).returncode == 2  # A hidden key cannot be used.
    ecr.clear_requests()
    run = audit(ecr, path, listed(tmp_path, WEB), "--role-arn", auditor)
    assert run.returncode == 0, run.stdout
    signed = (each for each in ecr.requests if each.principal and each.repository)
    assert {(each.repository, each.principal.split("/")[1]) for each in signed} == {
        ("shop/worker", "auditor"),
        ("shop/report", "auditor"),
        ("shop/web", "auditor"),
    }


def test_an_endpoint_alone_is_asked_as_the_ordinary_chain(ecr: SandboxEcr, tmp_path: Path) -> None:
    role = ecr.principals.add_role("123456789012", "deploy", trusts=[ecr.keys.arn])
    provider = {
        "urn": urn("own", PROVIDER),
        "type": PROVIDER,
        "inputs": {"assumeRoles": json.dumps([{"roleArn": role}])},
    }
    path = tmp_path / "export.json"
    by_role = state("worker", WORKER, provider=f"{provider['urn']}::id")
    path.write_text(json.dumps(export(provider, by_role)))
    nowhere = "http://127.0.0.1:1"
    run = audit(ecr, path, "--endpoint-url", ecr.endpoint, AWS_ENDPOINT_URL_ECR=nowhere)
    assert run.returncode == 0, run.stdout
    signed = {each.principal for each in ecr.requests if each.principal}
    assert signed == {ecr.keys.arn}


def test_a_platform_is_for_images_without_one_and_all_platforms_for_every_image(
    ecr: SandboxEcr, tmp_path: Path
) -> None:
    registry, arm = ecr.registry("123456789012", "eu-west-1"), oci_image("web", "arm64")
    both = registry.push("shop/both", image_index([oci_image("web"), arm]), tag="1").reference
    only = registry.push("shop/arm", arm, tag="1").reference
    containers = json.dumps([{"name": "web", "image": only}])
    runs_on = {"operatingSystemFamily": "LINUX", "cpuArchitecture": "X86_64"}
    inputs = {"family": "web", "containerDefinitions": containers, "runtimePlatform": runs_on}
    task = {"urn": urn("web", TASK), "type": TASK, "custom": True, "inputs": inputs}
    (tmp_path / "export.json").write_text(json.dumps(export(task)))
    sources = (tmp_path / "export.json", listed(tmp_path, both, only))

    def codes(*options: str) -> list[str]:
        found = audit_json(ecr, *sources, *options)
        return [image["code"] for source in found["sources"] for image in source["images"]]

    assert codes() == ["platform-missing", "available", "available"]
    assert codes("--platform", "linux/arm64") == ["platform-missing", "available", "available"]
    assert codes("--platform", "linux/amd64") == [
        "platform-missing",
        "available",
        "platform-missing",
    ]
    assert codes("--all-platforms") == ["available", "available", "available"]


def test_of_two_stacks_of_one_name_the_second_is_named_with_its_place(
    ecr: SandboxEcr, tmp_path: Path
) -> None:
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text(json.dumps(export(state("worker", WORKER))))
    found = audit_json(ecr, tmp_path)
    assert list(states(found)) == ["shop/dev", f"shop/dev ({tmp_path / 'b.json'})"]


@pytest.mark.parametrize(
    ("references", "expected"),
    [
        ((WEB, WORKER, "nginx:1.27"), 0),
        ((WEB, ABSENT), 1),
        ((WEB, "two words"), 0),
        ((WEB, f"IMAGE={WEB}"), 2),
        ((ABSENT, f"IMAGE={WEB}"), 1),
    ],
)
def test_exit_codes(
    ecr: SandboxEcr, tmp_path: Path, references: tuple[str, ...], expected: int
) -> None:
    run = audit(ecr, listed(tmp_path, *references))
    assert run.returncode == expected, run.stdout


def test_a_source_that_cannot_be_read_hides_none_of_the_others(
    ecr: SandboxEcr, tmp_path: Path
) -> None:
    run = audit(ecr, tmp_path / "none.json", listed(tmp_path, WEB), "--all")
    assert run.returncode == 2
    assert without_endpoint_note(run.stderr) == ""
    assert run.stdout.splitlines()[:7] == [
        f"{tmp_path}/none.json (unreadable)",
        "not read  It cannot be read: No such file or directory.",
        "",
        f"{tmp_path}/references.txt (references)",
        f"available  {WEB}",
        "           line 1",
        "",
    ]


def test_a_file_of_a_folder_that_is_left_out_is_noted_on_standard_error(
    ecr: SandboxEcr, tmp_path: Path
) -> None:
    (tmp_path / "pod.yaml").write_text(POD)
    (tmp_path / "package.json").write_text("{}")
    run = audit(ecr, tmp_path)
    assert run.returncode == 0
    assert without_endpoint_note(run.stderr) == (
        f"layerguard: {tmp_path}/package.json is left out. It is of no kind that an audit reads.\n"
    )


def test_a_stack_without_a_pulumi_is_a_problem(ecr: SandboxEcr, tmp_path: Path) -> None:
    run = audit(ecr, "--stack", "acme/shop/dev", PATH=str(tmp_path))
    assert run.returncode == 2
    assert "not read  There is no pulumi on PATH to export the stack with; " in run.stdout


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ((), "there is nothing to audit: give a SOURCE or a --stack."),
        (
            ("--all", "--format", "json", "-"),
            "--all is for the table alone.",
        ),
        (("--out", "/", "-"), "/ is a folder."),
        (("--external-id", "x", "-"), "argument --external-id: only with --role-arn."),
        (("--out", "/none/at/all", "-"), "there is no folder /none/at."),
    ],
)
def test_wrong_usage_is_refused_before_ecr_is_asked(
    ecr: SandboxEcr, words: tuple[str, ...], complaint: str
) -> None:
    run = audit(ecr, *words, stdin=WEB)
    assert (run.returncode, run.stdout, run.stderr) == (64, "", f"layerguard: {complaint}\n")
    assert ecr.requests == ()


def check_format(name: str, text: str, *, complete: bool) -> None:
    """The text is of this format, and has whether the audit came to its end."""
    if name == "json":
        assert json.loads(text)["complete"] is complete
    elif name == "sarif":
        (invocation,) = json.loads(text)["runs"][0]["invocations"]
        assert invocation["executionSuccessful"] is complete
    elif name == "junit":
        errors = [error.get("message") for error in ElementTree.fromstring(text).iter("error")]
        assert ("The audit was interrupted before its end." in errors) is not complete
    else:
        begins = {"table": "", "markdown": "## ", "html": "<!DOCTYPE html>\n"}[name]
        assert text.startswith(begins)
        assert ("audit is not complete" in text) is not complete


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_goes_to_standard_output_or_whole_to_a_file(
    ecr: SandboxEcr, tmp_path: Path, name: str
) -> None:
    references, out = listed(tmp_path, WEB, ABSENT), tmp_path / "report"
    printed = audit(ecr, references, "--format", name)
    check_format(name, printed.stdout, complete=True)
    out.write_text("what was there before")
    out.chmod(0o640)
    written = audit(ecr, references, "--format", name, "--out", out)
    assert (printed.returncode, written.returncode, written.stdout) == (1, 1, "")
    check_format(name, out.read_text(encoding="utf-8"), complete=True)
    assert stat.S_IMODE(out.stat().st_mode) == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["references.txt", "report"]
    summary = r"layerguard: 2 image uses, 2 images, \d+ layers checked, 1 unavailable, .*\n"
    assert re.fullmatch(summary, without_endpoint_note(written.stderr))
    on_stdout = without_endpoint_note(printed.stderr)
    assert re.fullmatch("" if name == "table" else summary, on_stdout)


def test_a_file_that_cannot_be_written_is_an_error_message(ecr: SandboxEcr, tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("the system has no device that is always full")
    run = audit(ecr, listed(tmp_path, WEB), "--out", "/dev/full")
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == "layerguard: /dev/full: No space left on device.\n"


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_audit_ends_with_what_is_known_so_far(
    ecr: SandboxEcr, tmp_path: Path, name: str, end: signal.Signals
) -> None:
    hang_after(ecr, "shop/report")
    words = [str(listed(tmp_path, WEB, REPORT, "nginx")), "--format", name]
    out = tmp_path / "report"
    words += ["--out", str(out)] if end == signal.SIGTERM else []
    process = subprocess.Popen(
        [*COMMAND, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=environment(ecr),
    )
    with process:
        wait_until_asked(ecr, "BatchCheckLayerAvailability", "shop/web")
        wait_until_asked(ecr, "BatchGetImage", "shop/report")
        process.send_signal(end)
        stdout, stderr = process.communicate(timeout=20)
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
    text = out.read_text(encoding="utf-8") if end == signal.SIGTERM else stdout
    check_format(name, text, complete=False)
    assert {path.name for path in tmp_path.iterdir()} <= {"references.txt", "report"}


def test_an_audit_that_is_interrupted_while_pulumi_answers_leaves_nothing_of_it_behind(
    ecr: SandboxEcr, tmp_path: Path
) -> None:
    started = tmp_path / "started"
    pulumi = tmp_path / "pulumi"
    pulumi.write_text(
        f"#!/bin/sh\nsleep 300 &\necho $! >'{started}.new'\nmv '{started}.new' '{started}'\nwait\n"
    )
    pulumi.chmod(0o755)
    process = subprocess.Popen(
        [*COMMAND, listed(tmp_path, WEB), "--stack", "dev"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(ecr, PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}"),
    )
    with process:
        wait_until(started.exists)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=20)
    assert process.returncode == 130
    assert all("ECR was asked at" in line for line in stderr.splitlines())
    assert "\nThe audit is not complete.\n" in f"\n{stdout}"
    wait_until(lambda: not is_running(int(started.read_text())))


@pytest.mark.parametrize("name", FORMATS)
def test_a_reference_that_is_a_secret_is_shown_without_its_account(
    ecr: SandboxEcr, tmp_path: Path, name: str
) -> None:
    secret = {SIGNATURE: SECRET, "plaintext": json.dumps(ABSENT)}
    path = tmp_path / "export.json"
    path.write_text(json.dumps(export(state("absent", secret))))
    run = audit(ecr, path, "--format", name)
    assert run.returncode == 1, run.stdout
    assert "image-not-found" in run.stdout
    assert "shop/web:none" in html.unescape(run.stdout)
    assert "123456789012" not in run.stdout + run.stderr


def test_credentials_that_never_come_end_the_audit_within_its_limits(
    ecr: SandboxEcr, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text("[profile silent]\ncredential_process = sleep 600\n")
    began = time.monotonic()
    found = audit_json(
        ecr,
        *(listed(tmp_path, WEB, REPORT), "--profile", "silent", "--timeout", "2"),
        AWS_CONFIG_FILE=str(config),
    )
    assert time.monotonic() - began < 20
    codes = {image["code"] for source in found["sources"] for image in source["images"]}
    assert codes <= {"timed-out", "no-credentials"}


def test_the_total_timeout_is_for_all_images(ecr: SandboxEcr, tmp_path: Path) -> None:
    hang_after(ecr, "shop/report")
    found = audit_json(ecr, listed(tmp_path, WEB, REPORT), "--total-timeout", "3")
    (source,) = found["sources"]
    assert [image["code"] for image in source["images"]] == ["available", "timed-out"]
    assert "3 s" in source["images"][1]["reason"]


def on_a_terminal(ecr: SandboxEcr, *words: str | Path, **more: str) -> str:
    """What a run writes to a terminal that is both its standard output and its standard error."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *map(str, words)],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env={**environment(ecr), "TERM": "xterm", **more},
    )
    os.close(theirs)
    output = b""
    with process:
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # the other side is closed
                break
            output += piece
    os.close(ours)
    return output.decode()


def test_colors_are_for_a_terminal_and_not_with_no_color(ecr: SandboxEcr, tmp_path: Path) -> None:
    references = listed(tmp_path, ABSENT)
    colors = re.compile(r"\x1b\[[0-9;]*m")
    assert "\x1b[1;31munavailable" in on_a_terminal(ecr, references)
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", on_a_terminal(ecr, references, NO_COLOR="1"))
    assert not colors.search(audit(ecr, references, TERM="xterm").stdout)


def test_a_terminal_that_knows_no_control_sequence_gets_none(
    ecr: SandboxEcr, tmp_path: Path
) -> None:
    assert "\x1b" not in on_a_terminal(ecr, listed(tmp_path, ABSENT), TERM="dumb")


def test_a_terminal_of_ascii_has_no_trouble(ecr: SandboxEcr, tmp_path: Path) -> None:
    references = listed(tmp_path, ABSENT.replace("none", "über"))
    run = audit(ecr, references, PYTHONIOENCODING="ascii")
    assert run.returncode == 1
    assert "reference-invalid: " in run.stdout
    assert r"\xfcber" in run.stdout
