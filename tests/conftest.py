"""The pack as it would be published, an environment without credentials, and no process left."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

# Its pytest plugin would import it at the very end, while threads of an engine still compile, and
# Python 3.11 cannot parse in two threads at once (gh-106905).
import hypothesis
import pytest
from layerguard_sandbox.ecr import SandboxEcr
from layerguard_sandbox.engine import ROOT

from tests.processes import command_line, running_with, wait_until

# `nohup` and the background jobs of a shell ignore SIGINT, and whatever these tests start would
# inherit that: programs that are interrupted here, and packs, which the engine ends with it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# An example may take long on a machine that is busy with something else.
hypothesis.settings.register_profile(
    "busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("busy")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Escape lone surrogates in what a test logs and prints: pytest-xdist cannot send them."""
    report = yield
    report.sections = [
        (name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections
    ]
    return report


@pytest.fixture(scope="session", autouse=True)
def no_process_is_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """End what the tests started and did not end, and fail."""
    mark = f"{tmp_path_factory.getbasetemp()}/"
    os.environ["LAYERGUARD_TESTS"] = mark  # what is started from now on inherits it
    yield
    with suppress(AssertionError):
        wait_until(lambda: not running_with(mark))
    left = {}
    for process in running_with(mark):
        with suppress(OSError):  # it has just ended
            left[process] = command_line(process)
            os.kill(process, signal.SIGKILL)
    assert left == {}


@pytest.fixture(scope="session")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of policy/ alone, under another name, as `pulumi policy publish` leaves it.

    Its virtual environment is policy/venv, which has policy/requirements.txt and nothing else.
    """
    copy = tmp_path_factory.mktemp("published") / "package"
    ignored = shutil.ignore_patterns("venv", "__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "policy", copy, ignore=ignored)
    (copy / "venv").symlink_to(ROOT / "policy" / "venv", target_is_directory=True)
    return copy


@pytest.fixture
def ecr() -> Iterator[SandboxEcr]:
    """A sandbox of its own for each test."""
    with SandboxEcr() as ecr:
        yield ecr


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxEcr]:
    """A sandbox that the AWS variables of this process lead to; it has no others."""
    with SandboxEcr() as ecr:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        for name, value in ecr.environment.items():
            monkeypatch.setenv(name, value)
        yield ecr


@pytest.fixture
def no_credentials() -> Mapping[str, str]:
    """An environment in which there are no AWS credentials to be found."""
    return {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL_ECR": "http://127.0.0.1:1",
    }
