"""The alternatives outside Pulumi: the AWS CLI and crane, in a loop over the images.

Both are installed into the cache folder that all clones share: the AWS CLI from PyPI, in a virtual
environment of its own, crane from Go modules where there is a Go.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.cells import Cell, Contender
from bench.images import Image
from bench.server import RunningServer
from tools.cache import Cache
from tools.job import SetupFailed, run, say
from tools.versions import answered

AWS_CLI = "awscli==1.46.3"
CRANE = "github.com/google/go-containerregistry/cmd/crane@v0.22.1"


@dataclass(frozen=True)
class Outside:
    """The commands that this machine has, and sentences about those that it has not."""

    places: Mapping[Contender, Path]
    versions: Mapping[str, str] = field(default_factory=dict)
    unavailable: tuple[str, ...] = ()

    def has(self, contender: Contender) -> bool:
        """Return whether there is such a command."""
        return contender in self.places

    def commands(
        self, contender: Contender, images: Sequence[Image], server: RunningServer
    ) -> Iterator[list[str]]:
        """Yield the command that looks at each image.

        The AWS CLI looks up the image only; crane also requests each of its layers.
        """
        command = str(self.places[contender])
        for image in images:
            if contender is Contender.CRANE:
                reference = f"{server.host}/{image.repository}:{image.tag}"
                yield [command, "validate", "--fast", "--insecure", "--remote", reference]
            else:
                asked = ["--repository-name", image.repository]
                asked += ["--image-ids", f"imageTag={image.tag}"]
                asked += ["--endpoint-url", server.endpoint]
                yield [command, "ecr", "describe-images", *asked]


def provide(environ: Mapping[str, str], cells: Iterable[Cell]) -> Outside:
    """Install what ``cells`` need and this machine does not have yet."""
    wanted = {each.contender for each in cells}
    makers = {Contender.AWS_CLI: _aws_cli, Contender.CRANE: _crane}
    places: dict[Contender, Path] = {}
    versions: dict[str, str] = {}
    unavailable: list[str] = []
    for contender, make in makers.items():
        if contender not in wanted:
            continue
        try:
            places[contender] = make(environ)
        except SetupFailed as cause:
            say(str(cause))
            unavailable.append(f"{contender.value}: it could not be installed on this machine.")
            continue
        words = ["--version"] if contender is Contender.AWS_CLI else ["version"]
        versions[contender.value] = str(answered([places[contender], *words], environ))
    return Outside(places, versions, tuple(unavailable))


def _aws_cli(environ: Mapping[str, str]) -> Path:
    cache = Cache.of(environ)
    folder = cache.folder / AWS_CLI.replace("==", "-")
    command = folder / "bin" / "aws"
    if not command.exists():
        say(f"installing {AWS_CLI} from PyPI, once per machine")
        with cache.workshop() as workshop:
            log = workshop / "log"
            try:
                # It cannot be moved once it is made, so it is made in its place.
                run([sys.executable, "-m", "venv", "--clear", folder], environ, workshop, log)
                install: list[str | Path] = [folder / "bin" / "python", "-m", "pip", "install"]
                install += ["--quiet", "--disable-pip-version-check", AWS_CLI]
                run(install, environ, workshop, log)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
    return command


def _crane(environ: Mapping[str, str]) -> Path:
    cache = Cache.of(environ)
    command = cache.folder / CRANE.rpartition("/")[2].replace("@", "-") / "bin" / "crane"
    if not command.exists():
        go = shutil.which("go", path=environ.get("PATH", ""))
        if go is None:
            raise SetupFailed("There is no Go on PATH to build crane with.")
        say("building crane from Go modules, once per machine")
        with cache.workshop() as workshop:
            variables = {**environ, "GOBIN": str(workshop), "GOFLAGS": "", "CGO_ENABLED": "0"}
            run([go, "install", "-trimpath", CRANE], variables, workshop, workshop / "log")
            cache.keep(workshop / "crane", command)
    return command
