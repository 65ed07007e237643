"""What the whole stack knows of an image that is not there: who of it pushes or creates it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from layerguard.discovery.provisions import Provides, Provision
from layerguard.discovery.resource_graph import ResourceGraph
from layerguard.enforcement.finding import Finding
from layerguard.reference import ImageReference
from layerguard.verdict import Code, State, Verdict

# A push decides what a tag leads to, so it may mend each of these.
_MENDED_BY_A_PUSH = (
    Code.IMAGE_NOT_FOUND,
    Code.REPOSITORY_NOT_FOUND,
    Code.LAYER_MISSING,
    Code.LAYER_ARCHIVED,
    Code.IMAGE_ARCHIVED,
    Code.PLATFORM_MISSING,
)


def is_pushed(use_target: ImageReference | Verdict, provisions: Iterable[Provision]) -> bool:
    """Tell whether a resource of the stack pushes the image, so that it may change on the way."""
    return isinstance(use_target, ImageReference) and any(
        each.provides is Provides.IMAGE and each.covers(use_target) for each in provisions
    )


def foreseen(finding: Finding, provisions: Iterable[Provision], stack: ResourceGraph) -> Finding:
    """Return ``finding`` with what the update that follows a preview will do about it."""
    mended = before_the_update(finding, provisions, stack.transitive_dependencies(finding.use.urn))
    return depending_on(mended, stack.sources(finding.use))


def before_the_update(
    finding: Finding, provisions: Iterable[Provision], depends_on: frozenset[str]
) -> Finding:
    """Return ``finding``, pending where the update itself puts the image there.

    ``depends_on`` are the URNs of the resources that the use's resource waits for.
    """
    provider = _provider(finding, provisions)
    if provider is None:
        return finding
    image = provider.provides is Provides.IMAGE
    waits = provider.urn in depends_on
    verdict = Verdict(
        Code.PUSHED_BY_THIS_STACK if image else Code.REPOSITORY_CREATED_BY_THIS_STACK,
        f"{finding.verdict.reason} This stack's resource {provider.urn} {provider.provides.value}.",
        "nothing to do: the image is checked during the update, before its resource is created."
        if waits or not image
        else f"let the resource depend on {provider.urn} (dependsOn, or use its output as the "
        "image): without it the update may create the resource before the image is there.",
        finding.verdict.digest,
        finding.verdict.wanted,
    )
    return replace(finding, verdict=verdict)


def during_the_update(finding: Finding, provisions: Iterable[Provision]) -> Finding:
    """Return ``finding`` with the resource of the stack that was to put the image there."""
    provider = _provider(finding, provisions)
    if provider is None:
        return finding
    verdict = replace(
        finding.verdict,
        reason=f"{finding.verdict.reason} This stack's resource {provider.urn} "
        f"{provider.provides.value}, and it is not there now that the resource which uses it "
        "comes up.",
        next_step=f"if the resource does not depend on {provider.urn}, that dependency is what is "
        "missing: add it with dependsOn, or use its output as the image.",
    )
    return replace(finding, verdict=verdict)


def depending_on(finding: Finding, urns: Iterable[str]) -> Finding:
    """Return the finding on an unknown value with the resources that the value comes from."""
    known = ", ".join(sorted(urns))
    if finding.verdict.code is not Code.UNKNOWN_IN_PREVIEW or not known:
        return finding
    reason = f"{finding.verdict.reason} It depends on {known}."
    return replace(finding, verdict=replace(finding.verdict, reason=reason))


def _provider(finding: Finding, provisions: Iterable[Provision]) -> Provision | None:
    target, verdict = finding.use.target, finding.verdict
    if verdict.state is not State.UNAVAILABLE or not isinstance(target, ImageReference):
        return None
    found = [each for each in provisions if each.covers(target)]
    images = [each for each in found if each.provides is Provides.IMAGE]
    if images and verdict.code in _MENDED_BY_A_PUSH:
        return images[0]
    if verdict.code is Code.REPOSITORY_NOT_FOUND:
        return next(iter(found), None)
    return None
