"""The pulumi binary that the demo and the tests run: found on PATH, in the cache, or built.

`python -m tools.pulumi_binary` prints its path on stdout, and what it does on stderr. Where the
binary is the one we build, its version is the one in pulumi/go.mod.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.cache import Cache
from tools.go_toolchain import Go, borrow_go, find_go
from tools.job import SetupFailed, exit_status, run, say
from tools.versions import Version, answered

# The first with `pulumi policy analyze --file`: https://github.com/pulumi/pulumi/pull/23759
MINIMUM = Version(3, 249, 0)

_PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
_VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
_WAY_OUT = (
    f"Run the command again, or put Pulumi {MINIMUM} or newer on PATH: nothing is built then."
)


@dataclass(frozen=True)
class Pin:
    """The folder with go.mod and go.sum, and the versions in go.mod."""

    folder: Path
    pulumi: Version
    go: Version

    @classmethod
    def read(cls, folder: Path) -> Pin:
        """Reads go.mod; raises SetupFailed when it does not name both versions."""
        text = (folder / "go.mod").read_text()
        pulumi = re.search(r"^\s*github\.com/pulumi/pulumi/pkg/v3 (v\S+)", text, re.MULTILINE)
        go = re.search(r"^go (\S+)$", text, re.MULTILINE)
        versions = [Version.find(found[1]) if found else None for found in (pulumi, go)]
        match versions:
            case [Version() as pulumi_version, Version() as go_version]:
                return cls(folder, pulumi_version, go_version)
        raise SetupFailed(f"{folder / 'go.mod'} names no version of pulumi, or none of Go.")

    @property
    def requirements(self) -> Path:
        """Names the Go on PyPI that builds this pulumi where there is no other."""
        return self.folder / "go-requirements.txt"

    def place_in(self, cache: Path) -> Path:
        """Where a cache folder has this pulumi for this platform, or will have it."""
        key = f"pulumi-v{self.pulumi}-{sys.platform}-{platform.machine()}"
        return cache / key / "bin" / "pulumi"


PIN = Pin.read(Path(__file__).parent / "pulumi")


def find(environ: Mapping[str, str], pin: Pin = PIN) -> Path | None:
    """The binary to use, if there is one already: a recent one on PATH, then the cached one."""
    on_path = shutil.which("pulumi", path=environ.get("PATH", ""))
    if on_path and (_version(Path(on_path), environ) or Version(0, 0)) >= MINIMUM:
        return Path(on_path).absolute()
    cached = pin.place_in(Cache.of(environ).folder)
    return cached if os.access(cached, os.X_OK) else None


def provide(environ: Mapping[str, str], pin: Pin = PIN) -> Path:
    """The binary to use, built and cached where there is none.

    Raises SetupFailed when it cannot be built. The cache then is as it was.
    """
    if found := find(environ, pin):
        return found
    cache = Cache.of(environ)
    with cache.workshop() as workshop:
        if found := find(environ, pin):  # by the process that held the lock
            return found
        go = find_go(environ, pin.go) or borrow_go(environ, pin.requirements, workshop)
        say(
            f"building pulumi v{pin.pulumi} from Go modules: three to six minutes, "
            f"once per machine (kept in {cache.folder})"
        )
        made = _build(go, pin, workshop)
        if _version(made, environ) != pin.pulumi:
            raise SetupFailed("The pulumi that was built does not run on this machine.")
        place = pin.place_in(cache.folder)
        cache.keep(made, place)
        return place


def _build(go: Go, pin: Pin, workshop: Path) -> Path:
    made = workshop / "pulumi"
    stamp = f"-s -w -X {_VERSION_VARIABLE}=v{pin.pulumi}"
    build = ["build", "-mod=readonly", "-trimpath", *go.flags, "-ldflags", stamp]
    environ = {
        # for this machine, whatever else its user builds for
        **{name: value for name, value in go.environ.items() if name not in {"GOOS", "GOARCH"}},
        "CGO_ENABLED": "0",  # as Pulumi's own releases; no C compiler is needed
        "GOWORK": "off",  # the clone may lie in a Go workspace
        "GOTMPDIR": str(workshop),
    }
    run([go.command, *build, "-o", made, _PACKAGE], environ, pin.folder, workshop / "log")
    return made


def _version(pulumi: Path, environ: Mapping[str, str]) -> Version | None:
    return answered([pulumi, "version"], {**environ, "PULUMI_SKIP_UPDATE_CHECK": "1"})


def main() -> None:
    """Prints the path of the binary to use."""
    try:
        print(provide(os.environ))
    except SetupFailed as cause:
        raise SetupFailed(f"there is no pulumi to use.\n{cause}\n{_WAY_OUT}") from cause


if __name__ == "__main__":
    sys.exit(exit_status(main))
