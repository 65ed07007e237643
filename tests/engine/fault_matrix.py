"""The fault matrix: what can go wrong, and the verdict that is true of it.

``python -m tests.engine.fault_matrix`` writes docs/fault-matrix.md. The test of the matrix puts each
case, beside healthy neighbours, through preview, update and analyze on the real engine.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from layerguard.verdict import Code, State
from layerguard_sandbox.ecr import (
    Answer,
    Fault,
    Image,
    ImageIndex,
    SandboxEcr,
    docker_image,
    image_index,
    oci_image,
)
from layerguard_sandbox.ecr.images import OCI_CONFIG, OCI_INDEX
from layerguard_sandbox.ecr.registry import Registry

from tests.engine.programs import FUNCTION, SERVICE

PAGE = Path(__file__).parent.parent.parent / "docs" / "fault-matrix.md"
ACCOUNT, REGION = "123456789012", "eu-west-1"
# Seconds that one image may take: enough for a busy machine, and soon over for those that hang.
TIMEOUT = 8


@dataclass(frozen=True)
class Case:
    """Something that goes wrong with the image of one repository.

    ``spoil`` puts the image there, does the harm, and returns the reference that a stack uses.
    ``words`` stand in the message; of an image that is available there is none.
    """

    name: str
    fault: str
    code: Code
    words: str
    spoil: Callable[[SandboxEcr, Registry, str], str]
    kind: str = FUNCTION  # the type of the resource that uses the image

    @property
    def stops(self) -> bool:
        """Whether a deployment stops, with the configuration as it comes."""
        return self.code.state is State.UNAVAILABLE

    @property
    def is_reported(self) -> bool:
        """Whether a gate or the notice reports it."""
        return self.code is not Code.AVAILABLE


def _pushed(registry: Registry, repository: str) -> str:
    return registry.push(repository, docker_image(repository), tag="1").reference


def _answered(fault: Fault) -> Callable[[SandboxEcr, Registry, str], str]:
    def spoil(ecr: SandboxEcr, registry: Registry, repository: str) -> str:
        ecr.faults.add(replace(fault, repository=repository))
        return _pushed(registry, repository)

    return spoil


def _changed(
    change: Callable[[dict[str, Any]], object], operation: str
) -> Callable[[SandboxEcr, Registry, str], str]:
    return _answered(Fault(Answer.CHANGED, operation=operation, change=change))


_IMAGES, _LAYERS = "BatchGetImage", "BatchCheckLayerAvailability"


def _lost_layer(_ecr: SandboxEcr, registry: Registry, repository: str) -> str:
    pushed = registry.push(repository, docker_image(repository), tag="1")
    registry.lose_layer(repository, pushed.layers[-1])
    return pushed.reference


def _lost_config(_ecr: SandboxEcr, registry: Registry, repository: str) -> str:
    pushed = registry.push(repository, docker_image(repository), tag="1")
    registry.lose_layer(repository, pushed.configs[0])
    return pushed.reference


def _archived(_ecr: SandboxEcr, registry: Registry, repository: str) -> str:
    reference = _pushed(registry, repository)
    registry.archive_image(repository, "1")
    return reference


def _no_such_tag(_ecr: SandboxEcr, registry: Registry, repository: str) -> str:
    return f"{_pushed(registry, repository).removesuffix(':1')}:2"


def _no_such_digest(_ecr: SandboxEcr, registry: Registry, repository: str) -> str:
    return f"{_pushed(registry, repository).removesuffix(':1')}@sha256:{'0' * 64}"


def _no_repository(_ecr: SandboxEcr, registry: Registry, repository: str) -> str:
    return f"{registry.host}/{repository}:1"


def _chart(_ecr: SandboxEcr, registry: Registry, repository: str) -> str:
    image = oci_image(repository)
    manifest = image.manifest.replace(OCI_CONFIG, "application/vnd.cncf.helm.config.v1+json")
    return registry.push(repository, replace(image, manifest=manifest), tag="1").reference


def _other_platform(_ecr: SandboxEcr, registry: Registry, repository: str) -> str:
    return registry.push(repository, docker_image(repository, "arm64"), tag="1").reference


def _index(_ecr: SandboxEcr, registry: Registry, repository: str) -> str:
    index = image_index([oci_image(repository)], attestations=True)
    return registry.push(repository, index, tag="1").reference


def _invalid(_ecr: SandboxEcr, registry: Registry, repository: str) -> str:
    return f"{registry.host}/{repository.upper()}:1"


def _uncached(_ecr: SandboxEcr, registry: Registry, repository: str) -> str:
    registry.cache_upstream(repository, "public.ecr.aws")
    return f"{registry.host}/{repository}/nginx:1"


def _many_layers(_ecr: SandboxEcr, registry: Registry, repository: str) -> str:
    pushed = registry.push(repository, docker_image(repository, layers=1000), tag="1")
    registry.lose_layer(repository, pushed.layers[-1])
    return pushed.reference


def _large_manifest(_ecr: SandboxEcr, registry: Registry, repository: str) -> str:
    image = docker_image(repository)
    document = json.loads(image.manifest) | {"annotations": {"note": "x" * 4_000_000}}
    large = replace(image, manifest=json.dumps(document))
    return registry.push(repository, large, tag="1").reference


def _also_lost(answer: dict[str, Any]) -> None:
    answer["layers"].append({**answer["layers"][0], "layerAvailability": "UNAVAILABLE"})


def _another(answer: dict[str, Any]) -> None:
    answer["layers"].append({**answer["layers"][0], "layerDigest": f"sha256:{'0' * 64}"})


def _twice(answer: dict[str, Any]) -> None:
    answer["layers"] *= 2


def _without_entries(answer: dict[str, Any]) -> None:
    answer["layers"] = [None] * len(answer["layers"])


def _as_text(answer: dict[str, Any]) -> None:
    answer["layers"] = "all of them"


def _as_number(answer: dict[str, Any]) -> None:
    for image in answer["images"]:
        image["imageManifest"] = 5


def _wide_index(_ecr: SandboxEcr, registry: Registry, repository: str) -> str:
    """Push an index of 200 images, of which the last one is taken and lacks its layer."""
    others = [oci_image(f"{repository} {number}", "arm64", layers=2) for number in range(199)]
    children = [*others, oci_image(repository, layers=2)]
    pushed = registry.push(repository, image_index(children), tag="1")
    registry.lose_layer(repository, pushed.layers[-1])
    return pushed.reference


def _deep_index(levels: int) -> Callable[[SandboxEcr, Registry, str], str]:
    def spoil(_ecr: SandboxEcr, registry: Registry, repository: str) -> str:
        image: Image | ImageIndex = oci_image(repository)
        for _ in range(levels):
            image = image_index([image])
        return registry.push(repository, image, tag="1").reference

    return spoil


def _listing_itself(answer: dict[str, Any]) -> None:
    for image in answer["images"]:
        child = {"mediaType": OCI_INDEX, "digest": image["imageId"]["imageDigest"], "size": 1}
        image["imageManifest"] = json.dumps({"schemaVersion": 2, "manifests": [child]})


def _archived_layers(answer: dict[str, Any]) -> None:
    for layer in answer["layers"]:
        layer["layerAvailability"] = "ARCHIVED"


# fmt: off
CASES = (
    #    name                   what goes wrong                                        verdict                     words in the message                                 how
    Case("lost-layer",          "a layer is not there",                                Code.LAYER_MISSING,         "layers: 1 of 4 is not available",                   _lost_layer),
    Case("lost-config",         "the config is not there",                             Code.LAYER_MISSING,         "(config, ",                                         _lost_config),
    Case("archived",            "the image is archived",                               Code.IMAGE_ARCHIVED,        "restore the image",                                 _archived),
    Case("no-such-tag",         "no such tag",                                         Code.IMAGE_NOT_FOUND,       "The newest tag is 1.",                              _no_such_tag),
    Case("no-such-digest",      "no such digest",                                      Code.IMAGE_NOT_FOUND,       "push the image, or correct the tag or digest",      _no_such_digest),
    Case("no-repository",       "no such repository",                                  Code.REPOSITORY_NOT_FOUND,  "create the repository",                             _no_repository),
    Case("chart",               "the reference leads to a Helm chart",                 Code.NOT_AN_IMAGE,          "refer to the container image",                      _chart),
    Case("other-platform",      "the image is for another platform",                   Code.PLATFORM_MISSING,      "is for linux/arm64 only",                           _other_platform),
    Case("index",               "the runtime does not take an index",                  Code.RUNTIME_REJECTS,       "it takes a single manifest",                        _index),
    Case("invalid",             "the reference is invalid",                            Code.REFERENCE_INVALID,     "is not a repository name",                          _invalid),
    Case("denied",              "the identity policy denies",                          Code.ACCESS_DENIED,         "add to the identity policy of",                     _answered(Fault(Answer.DENIED))),
    Case("denied-layers",       "only the question about layers is denied",            Code.ACCESS_DENIED,         "ecr:BatchCheckLayerAvailability",                   _answered(Fault(Answer.DENIED, operation=_LAYERS))),
    Case("denied-repository",   "the repository policy denies",                        Code.ACCESS_DENIED,         "add to the repository policy of",                   _answered(Fault(Answer.DENIED_BY_REPOSITORY))),
    Case("throttled",           "throttled, and it does not end",                      Code.THROTTLED,             "run it again",                                      _answered(Fault(Answer.THROTTLED))),
    Case("server-error",        "server errors, and they do not end",                  Code.UNREACHABLE,           "check the network path",                            _answered(Fault(Answer.SERVER_ERROR))),
    Case("closed",              "every connection is closed",                          Code.UNREACHABLE,           "check the network path",                            _answered(Fault(Answer.CONNECTION_CLOSED))),
    Case("empty-images",        "`{}` instead of the image",                           Code.INCONSISTENT_ANSWER,   "neither has the image nor denies it",               _answered(Fault(Answer.EMPTY_OBJECT, operation=_IMAGES))),
    Case("empty-layers",        "`{}` instead of the layers",                          Code.INCONSISTENT_ANSWER,   "does not account for every layer",                  _answered(Fault(Answer.EMPTY_OBJECT, operation=_LAYERS))),
    Case("html",                "a page of HTML with status 200",                      Code.INCONSISTENT_ANSWER,   "something between Pulumi and ECR changes answers",  _answered(Fault(Answer.HTML))),
    Case("truncated",           "an answer that is cut off",                           Code.INCONSISTENT_ANSWER,   "something between Pulumi and ECR changes answers",  _answered(Fault(Answer.TRUNCATED))),
    Case("layers-dropped",      "layers are left out of the answer",                   Code.INCONSISTENT_ANSWER,   "not accounted for",                                 _answered(Fault(Answer.LAYERS_DROPPED))),
    Case("other-bytes",         "a manifest that does not hash to its digest",         Code.INCONSISTENT_ANSWER,   "these are not the image's bytes",                   _answered(Fault(Answer.MANIFEST_OTHER_BYTES))),
    Case("not-json",            "a manifest that is not JSON",                         Code.INCONSISTENT_ANSWER,   "these are not the image's bytes",                   _answered(Fault(Answer.MANIFEST_NOT_JSON))),
    Case("contradicting",       "an answer that contradicts itself",                   Code.INCONSISTENT_ANSWER,   "contradicts itself about",                         _changed(_also_lost, _LAYERS)),
    Case("null-entries",        "`null` in place of each layer",                       Code.INCONSISTENT_ANSWER,   "does not account for every layer",                  _changed(_without_entries, _LAYERS)),
    Case("text-for-layers",     "a text in place of the layers",                       Code.INCONSISTENT_ANSWER,   "something between Pulumi and ECR changes answers",  _changed(_as_text, _LAYERS)),
    Case("number-for-manifest", "a number in place of the manifest",                   Code.INCONSISTENT_ANSWER,   "these are not the image's bytes",                   _changed(_as_number, _IMAGES)),
    Case("hangs",               "a connection that hangs",                             Code.TIMED_OUT,             f"did not end within {TIMEOUT} s",                    _answered(Fault(Answer.HANG))),
    Case("half",                "half of an answer, and then nothing",                 Code.TIMED_OUT,             f"did not end within {TIMEOUT} s",                    _answered(Fault(Answer.HALF))),
    Case("hangs-at-layers",     "a connection that hangs at the layers",               Code.TIMED_OUT,             f"did not end within {TIMEOUT} s",                    _answered(Fault(Answer.HANG, operation=_LAYERS))),
    Case("kms",                 "the repository's key cannot be used",                 Code.KMS,                   "the KMS key",                                       _answered(Fault(Answer.IMAGES_FAILED, failure_code="KmsError"))),
    Case("upstream",            "the upstream of a cache cannot be used",              Code.UPSTREAM,              "pull-through cache rule",                           _answered(Fault(Answer.IMAGES_FAILED, failure_code="UpstreamUnavailable"))),
    Case("uncached",            "it was never pulled through the cache",               Code.CACHE_NOT_FILLED,      "a first pull by its runtime would bring the image", _uncached),
    Case("lost-of-1000",        "one of 1,000 layers is not there",                    Code.LAYER_MISSING,         "layers: 1 of 1001 is not available",                _many_layers),
    Case("lost-of-200",         "an index of 200 images, one without its layer",       Code.LAYER_MISSING,         "layers: 1 of 3 is not available",                   _wide_index, SERVICE),
    Case("archived-layers",     "the layers are archived",                             Code.LAYER_ARCHIVED,        "restore the image",                                 _changed(_archived_layers, _LAYERS)),
    Case("circular-index",      "an index that lists itself",                          Code.INCONSISTENT_ANSWER,   "these are not the image's bytes",                   _changed(_listing_itself, _IMAGES), SERVICE),
    Case("deepest-index",       "indexes that are nested four deep",                   Code.MANIFEST_UNREADABLE,   "nested more than 3 deep",                           _deep_index(4), SERVICE),
    Case("deep-index",          "indexes that are nested three deep",                  Code.AVAILABLE,             "",                                                  _deep_index(3), SERVICE),
    Case("extra-layers",        "an answer about more layers than were asked about",   Code.AVAILABLE,             "",                                                  _changed(_another, _LAYERS)),
    Case("layers-twice",        "every layer twice in an answer",                      Code.AVAILABLE,             "",                                                  _changed(_twice, _LAYERS)),
    Case("large-manifest",      "a manifest of 4 MB",                                  Code.AVAILABLE,             "",                                                  _large_manifest),
    Case("slow",                "answers that take a second",                          Code.AVAILABLE,             "",                                                  _answered(Fault(latency=1))),
    Case("throttled-at-first",  "throttled five times, then not",                      Code.AVAILABLE,             "",                                                  _answered(Fault(Answer.THROTTLED, first=5))),
    Case("errors-at-first",     "three server errors, then none",                      Code.AVAILABLE,             "",                                                  _answered(Fault(Answer.SERVER_ERROR, first=3))),
    Case("closed-at-first",     "three connections are closed, then none",             Code.AVAILABLE,             "",                                                  _answered(Fault(Answer.CONNECTION_CLOSED, first=3))),
)
# fmt: on


def page() -> str:
    """Return the matrix as a page in Markdown."""
    lines = [
        "# What goes wrong, and what Layerguard reports",
        "",
        "Written by `python -m tests.engine.fault_matrix`. Each row is put through preview, update",
        "and analyze on the real engine by a test, beside healthy images that are judged as if they",
        "were alone. A stopped preview or analyze ends with a failure; a stopped update never asks",
        "for the resource to be created. What does not stop is reported by the notice, and stops too",
        "with `undetermined: fail`; an image that is available in the end is not reported.",
        "",
        "| what goes wrong | verdict | state | preview, analyze | update |",
        "|---|---|---|---|---|",
    ]
    for case in CASES:
        preview, update = ("fails", "stops") if case.stops else ("notice", "goes on, notice")
        if not case.is_reported:
            preview, update = "passes", "goes on"
        state = case.code.state.value
        lines.append(f"| {case.fault} | `{case.code.text}` | {state} | {preview} | {update} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
