"""The machine and the versions on which the times depend."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path

from layerguard_sandbox.engine import ROOT

from tools.versions import answered


def machine() -> Mapping[str, str]:
    """Return what the measurements depend on: no names of hosts and no paths."""
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.0f} GB",
        "kernel": f"{platform.system()} {platform.release().partition('-')[0]}",
        "Python": platform.python_version(),
    }


def versions() -> Mapping[str, str]:
    """Return the versions of what takes part."""
    pulumi = answered(["pulumi", "version"], {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "1"})
    return {"pulumi engine": str(pulumi), **_distributions()}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _distributions() -> Mapping[str, str]:
    names = ("pulumi", "pulumi-policy", "boto3", "botocore", "grpcio")
    code = f"from importlib.metadata import version; print(*map(version, {names!r}))"
    python = ROOT / "policy" / "venv" / "bin" / "python"
    ran = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    return dict(zip((f"{name} (PyPI)" for name in names), ran.stdout.split(), strict=True))
