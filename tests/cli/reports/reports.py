"""An audit with every state and every kind of trouble in it, with verdicts of the real checker."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone

from layerguard.checking.checker import Checker
from layerguard.discovery import ImageUse, Naming
from layerguard.discovery.walker import target_of
from layerguard.enforcement import Enforcement, Finding, Run, decide
from layerguard.identity import Identity, StaticKeys
from layerguard.platform import Platform
from layerguard.reference import ImageId, ImageReference
from layerguard.registry import Availability, RegistryError
from layerguard.settings import Settings
from layerguard.verdict import BlobState, CheckedBlob, Code, ManifestReport, Verdict
from layerguard_cli.reports.audit_report import AuditedSource, AuditReport
from layerguard_cli.sources.source import Source, SourceKind

from tests.fakes import HOST, OCI_MANIFEST, Document, FakeRegistry, digest_of, index, manifest, use

BEGAN = datetime(2026, 11, 24, 9, 30, 5, tzinfo=timezone.utc)
AMD64 = Platform("linux", "amd64")
ARM64 = Platform("linux", "arm64")
SECRET = "wJalrXUtnFEMIthisIsASecretAccessKey"
SCALE = 10_483
STACK = "acme/shop/production"
TASK = "aws:ecs/taskDefinition:TaskDefinition"


def layer(name: str, size: int) -> str:
    """The content of a layer of this many bytes, or of ``SCALE`` times as many in an image."""
    return name.ljust(size, ".")


def image_of(*layers: str, config: str) -> Document:
    """A manifest in which the layers and the config are ``SCALE`` times as large."""
    made = json.loads(manifest(*layers, config=config).text)
    for entry in (made["config"], *made["layers"]):
        entry["size"] *= SCALE
    return Document(json.dumps(made), OCI_MANIFEST)


def registry() -> FakeRegistry:
    """Images of shop/web with every fate."""
    made = FakeRegistry()
    base = layer("base", 2_900)
    made.put(image_of(base, layer("packages", 6_100), layer("app", 240), config="a"), "whole")
    made.put(image_of(base, layer("lost", 4_000), layer("app", 1_000), config="b"), "broken")
    made.lose(layer("lost", 4_000))
    made.put(image_of(base, layer("frozen", 800), config="c"), "frozen")
    made.lose(layer("frozen", 800), Availability.ARCHIVED)
    amd64 = image_of(base, layer("amd64", 5_000), config="d")
    arm64 = image_of(layer("arm64 base", 2_700), layer("arm64", 4_400), config="e")
    for child in (amd64, arm64):
        made.put(child)
    made.put(index(amd64.child("linux/amd64"), arm64.child("linux/arm64")), "both")
    made.lose(layer("arm64", 4_400))
    made.image_answers[ImageId("secret", None)] = RegistryError(
        Code.ACCESS_DENIED,
        "ECR says AccessDeniedException: not authorized to perform ecr:BatchGetImage.",
    )
    return made


def image(
    tag: str, container: str | None = None, platform: Platform | None = None, n: int = 0
) -> ImageUse:
    """A use of the image of shop/web with this tag."""
    found = use(f"shop/web:{tag}", platform, container)
    return replace(
        found,
        urn=f"urn:pulumi:production::shop::{TASK}::{tag}",
        resource_type=TASK,
        path=f"containerDefinitions[{n}].image",
    )


def elsewhere(text: str, path: str) -> ImageUse:
    """A use of this text that belongs to no resource."""
    return ImageUse("", "", path, None, text, target_of(text), None)


def unknown() -> ImageUse:
    """A use whose reference is not known yet, to be asked about with an access key."""
    pending = Verdict(
        Code.UNKNOWN_IN_PREVIEW,
        Code.UNKNOWN_IN_PREVIEW.meaning,
        "the update checks it, before the resource is created.",
    )
    identity = Identity(keys=StaticKeys("AKIAEXAMPLE", SECRET))
    return replace(image("next"), text=None, target=pending, identity=identity)


def audit(
    *sources: Source, answered: int | None = None, registry: FakeRegistry | None = None
) -> AuditReport:
    """The report of these sources, with only so many answers where it was interrupted."""
    checker = Checker.in_process(registry or FakeRegistry(), clock=lambda: 0.0)
    try:
        audited = tuple(_audited(source, checker, answered) for source in sources)
        verdicts = [finding.verdict for each in audited for finding in each.findings]
        # How the questions are batched, and how long they take, is chance.
        summary = replace(checker.summary(verdicts), calls=9, seconds=1.25)
    finally:
        checker.close()
    return AuditReport(audited, summary, BEGAN, complete=answered is None)


def _audited(source: Source, checker: Checker, answered: int | None) -> AuditedSource:
    uses = source.uses[:answered]
    verdicts = checker.check(uses)
    findings = [
        decide(use, verdict, Settings(), Run()) for use, verdict in zip(uses, verdicts, strict=True)
    ]
    return AuditedSource.of(source, [*findings, *[None] * (len(source.uses) - len(uses))])


def full() -> AuditReport:
    """Every state, an index, problems, and a file."""
    stack = (
        image("whole", "web", AMD64),
        image("broken", "web", AMD64),
        image("frozen", "sidecar"),
        image("both", "web"),
        replace(image("gone", "cron"), naming=Naming.CARRIED),
        image("secret", "api"),
        unknown(),
        image("whole", "again"),
    )
    file = (
        elsewhere("docker.io/library/nginx:1.29", "Deployment/web.containers[0].image"),
        elsewhere(f"{HOST}/Not Valid", "CronJob/report.containers[0].image"),
        elsewhere(f"{HOST}/shop/web:whole", "Pod/debug.containers[0].image"),
    )
    return audit(
        Source(STACK, SourceKind.STACK, stack),
        Source("deploy/my app.yaml", SourceKind.KUBERNETES, file, ("Document 3 is not YAML.",)),
        registry=registry(),
    )


def clean() -> AuditReport:
    """Nothing but an available image."""
    return audit(Source(STACK, SourceKind.STACK, (image("whole"),)), registry=registry())


def empty() -> AuditReport:
    """No source at all."""
    return audit()


def interrupted() -> AuditReport:
    """One answer of two."""
    uses = (image("whole"), image("broken"))
    return audit(Source(STACK, SourceKind.STACK, uses), answered=1, registry=registry())


def one_bad(text: str, reason: str) -> AuditReport:
    """One unavailable image, with any text as its reference and its reason."""
    bad = Verdict(Code.REFERENCE_INVALID, reason, reason)
    of = replace(elsewhere(HOST, text), text=text, target=bad, container=text)
    return audit(Source(text, SourceKind.REFERENCES, (of,), (reason,)))


def everywhere(text: str) -> AuditReport:
    """A report with ``text`` wherever it may hold text of a user, a service or a manifest."""
    platform = Platform(text, text, text, text)
    digest = digest_of("layer")
    blob = CheckedBlob(digest, text, BlobState.UNAVAILABLE, 1)
    verdict = Verdict(
        Code.LAYER_MISSING,
        reason=text,
        next_step=text,
        digest=digest,
        wanted=platform,
        manifests=(ManifestReport(digest_of("manifest"), platform, (blob,)),),
    )
    named = ImageUse(text, text, text, text, text, verdict, platform)
    finding = Finding(named, verdict, Enforcement.WARN, text)
    source = Source(text, SourceKind.REFERENCES, (named, named), (text,))
    return replace(empty(), sources=(AuditedSource(source, (finding,), (named,)),))


def secret(answered: int) -> AuditReport:
    """An unavailable image whose reference is a secret, checked or not."""
    use = replace(image("gone"), is_secret=True)
    return audit(Source(STACK, SourceKind.STACK, (use,)), answered=answered)


def without_credentials(count: int) -> AuditReport:
    """The report of a stack with so many images, about which nobody could ask."""
    made = registry()
    uses = tuple(image(str(tag)) for tag in range(count))
    for each in uses:
        assert isinstance(each.target, ImageReference)
        made.image_answers[each.target.image_id] = RegistryError(
            Code.NO_CREDENTIALS, "There are no credentials."
        )
    return audit(Source(STACK, SourceKind.STACK, uses), registry=made)
