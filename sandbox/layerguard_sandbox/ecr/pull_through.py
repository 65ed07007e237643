"""Pull-through-cache rules of one registry: kept and listed; nothing is ever fetched upstream."""

import re
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from layerguard_sandbox.ecr.errors import (
    PullThroughCacheRuleAlreadyExistsException,
    PullThroughCacheRuleNotFoundException,
    UnsupportedUpstreamRegistryException,
)

# upstream URL -> its name in the API (ECR user guide, "Creating a pull through cache rule")
_UPSTREAMS = (
    (r"[0-9]{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com", "ecr"),
    (r"[a-z0-9]+\.azurecr\.(io|us)",                     "azure-container-registry"),
    (r"cgr\.dev",                                        "chainguard"),
    (r"ghcr\.io",                                        "github-container-registry"),
    (r"public\.ecr\.aws",                                "ecr-public"),
    (r"quay\.io",                                        "quay"),
    (r"registry-1\.docker\.io",                          "docker-hub"),
    (r"registry\.gitlab\.com",                           "gitlab-container-registry"),
    (r"registry\.k8s\.io",                               "k8s"),
)  # fmt: skip

Rule = dict[str, Any]


class PullThroughCache:
    """The rules of one registry, by the prefix of the repositories that they fill."""

    def __init__(self, registry_id: str) -> None:
        self._registry_id = registry_id
        self._rules: dict[str, Rule] = {}

    def create(self, prefix: str, upstream_url: str, **options: str | None) -> Rule:
        """Add a rule; `options` are the request's other members, as the API names them."""
        if prefix in self._rules:
            raise PullThroughCacheRuleAlreadyExistsException(
                f"A pull through cache rule with the ECR repository prefix '{prefix}' already "
                f"exists in the registry with id '{self._registry_id}'"
            )
        self._rules[prefix] = {
            "ecrRepositoryPrefix": prefix,
            "upstreamRegistryUrl": upstream_url,
            "registryId": self._registry_id,
            "createdAt": datetime.now(timezone.utc),
            **options,
            "upstreamRegistry": options.get("upstreamRegistry") or _upstream(upstream_url),
        }
        return self._rules[prefix]

    def describe(self, prefixes: Sequence[str] = ()) -> list[Rule]:
        """Return the rules of `prefixes`, or all of them."""
        return [self._rule(prefix) for prefix in prefixes or self._rules]

    def delete(self, prefix: str) -> Rule:
        """Remove a rule and return what it was."""
        rule = self._rule(prefix)
        del self._rules[prefix]
        return rule

    def _rule(self, prefix: str) -> Rule:
        if prefix not in self._rules:
            raise PullThroughCacheRuleNotFoundException(
                f"The pull through cache rule with the ECR repository prefix '{prefix}' was not "
                f"found in the registry with id '{self._registry_id}'"
            )
        return self._rules[prefix]


def _upstream(url: str) -> str:
    for pattern, name in _UPSTREAMS:
        if re.fullmatch(pattern, url):
            return name
    raise UnsupportedUpstreamRegistryException(
        f"The upstream registry '{url}' is not one that ECR can cache"
    )
