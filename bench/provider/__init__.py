"""The provider of the benchmark's stacks: a stand-in in Go, built once and kept in the cache."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from tools.cache import Cache
from tools.go_toolchain import borrow_go, find_go
from tools.job import run, say
from tools.pulumi_binary import PIN

_SOURCE = Path(__file__).parent
_NAME = "pulumi-resource-aws"


def provide_provider(environ: Mapping[str, str]) -> Path:
    """Return the provider, built from Go modules where the cache has none of this source.

    Raises SetupFailed where it cannot be built.
    """
    cache = Cache.of(environ)
    source = b"".join((_SOURCE / each).read_bytes() for each in ("main.go", "go.mod", "go.sum"))
    place = cache.folder / f"bench-provider-{hashlib.sha256(source).hexdigest()[:12]}" / _NAME
    if not place.exists():
        say("building the benchmark's provider from Go modules, once per machine")
        with cache.workshop() as workshop:
            go = find_go(environ, PIN.go) or borrow_go(environ, PIN.requirements, workshop)
            variables = {**go.environ, "CGO_ENABLED": "0", "GOWORK": "off"}
            build = ["build", "-mod=readonly", "-trimpath", *go.flags]
            made = workshop / _NAME
            run([go.command, *build, "-o", made, "."], variables, _SOURCE, workshop / "log")
            cache.keep(made, place)
    return place
