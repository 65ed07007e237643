"""Inputs as a policy gets them: in the policy SDK's proxies, unknown values as its sentinels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from layerguard.discovery import ImageUse, discover
from layerguard.discovery.catalog import Row
from layerguard.discovery.placement import NOWHERE, Placement
from layerguard.discovery.tree import Tree, plain
from layerguard.gates import SENTINELS
from layerguard.verdict import Verdict
from pulumi_policy import proxy


def tree(inputs: Mapping[str, Any]) -> Tree:
    """Return inputs as discovery reads them."""
    return plain(proxy.unknown_checking_proxy(dict(inputs)), SENTINELS)


def uses(
    resource_type: str,
    inputs: Mapping[str, Any],
    placement: Placement = NOWHERE,
    rows: Sequence[Row] | None = None,
) -> tuple[ImageUse, ...]:
    """Return the image uses of a resource."""
    return discover("urn", resource_type, tree(inputs), placement, rows)


def targets(found: tuple[ImageUse, ...]) -> list[tuple[str, str]]:
    """Return the path of each use, and its reference or the code of its verdict."""
    return [
        (use.path, use.target.code.text if isinstance(use.target, Verdict) else str(use.target))
        for use in found
    ]
