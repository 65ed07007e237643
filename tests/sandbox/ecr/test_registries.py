"""Accounts, regions and sandboxes share nothing; pull-through-cache rules belong to one registry."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from layerguard_sandbox.ecr import Registry, SandboxEcr, oci_image

Connect = Callable[..., Any]


def repositories(client: Any, **members: str) -> list[str]:
    answer = client.describe_repositories(**members)
    return [repository["repositoryName"] for repository in answer["repositories"]]


def test_each_account_and_region_has_its_own_images(ecr: SandboxEcr, connect: Connect) -> None:
    for account, region in (
        ("123456789012", "eu-west-1"),
        ("123456789012", "us-east-1"),
        ("210987654321", "eu-west-1"),
    ):
        pushed = ecr.registry(account, region).push(
            f"of-{account}/{region}", oci_image("report"), "1"
        )
        assert (
            pushed.reference == f"{account}.dkr.ecr.{region}.amazonaws.com/of-{account}/{region}:1"
        )
    ireland, virginia = connect(region_name="eu-west-1"), connect(region_name="us-east-1")
    assert repositories(ireland) == ["of-123456789012/eu-west-1"]
    assert repositories(virginia) == ["of-123456789012/us-east-1"]
    assert repositories(ireland, registryId="210987654321") == ["of-210987654321/eu-west-1"]
    assert repositories(virginia, registryId="210987654321") == []


def test_two_sandboxes_share_nothing(ecr: SandboxEcr, registry: Registry, client: Any) -> None:
    with SandboxEcr() as other:
        other.registry(registry.account, registry.region).create_repository("other")
        registry.create_repository("mine")
        assert repositories(client) == ["mine"]
        assert other.endpoint != ecr.endpoint
        assert other.requests == ()


def test_an_image_pushed_without_a_tag_is_referred_to_by_digest(registry: Registry) -> None:
    pushed = registry.push("shop/report", oci_image("report"))
    assert pushed.reference == (
        f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/report@{pushed.digest}"
    )


def test_the_host_in_china_has_its_own_ending(ecr: SandboxEcr) -> None:
    host = ecr.registry("123456789012", "cn-north-1").host
    assert host == "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn"


def test_pull_through_cache_rules_are_created_listed_and_deleted(
    connect: Connect, client: Any
) -> None:
    client.create_pull_through_cache_rule(
        ecrRepositoryPrefix="docker-hub", upstreamRegistryUrl="registry-1.docker.io"
    )
    (rule,) = client.describe_pull_through_cache_rules()["pullThroughCacheRules"]
    assert rule.pop("createdAt")
    assert rule == {
        "ecrRepositoryPrefix": "docker-hub",
        "upstreamRegistryUrl": "registry-1.docker.io",
        "registryId": "123456789012",
        "upstreamRegistry": "docker-hub",
    }
    elsewhere = connect(region_name="us-east-1")
    assert elsewhere.describe_pull_through_cache_rules()["pullThroughCacheRules"] == []
    client.delete_pull_through_cache_rule(ecrRepositoryPrefix="docker-hub")
    assert client.describe_pull_through_cache_rules()["pullThroughCacheRules"] == []


def test_pull_through_cache_rules_that_cannot_be_are_refused(
    client: Any, registry: Registry
) -> None:
    registry.cache_upstream("ROOT", "public.ecr.aws")
    with pytest.raises(ClientError) as caught:
        client.create_pull_through_cache_rule(
            ecrRepositoryPrefix="ROOT", upstreamRegistryUrl="quay.io"
        )
    assert caught.value.response["Error"]["Message"] == (
        "A pull through cache rule with the ECR repository prefix 'ROOT' already exists in the "
        "registry with id '123456789012'"
    )
    with pytest.raises(ClientError) as caught:
        client.describe_pull_through_cache_rules(ecrRepositoryPrefixes=["quay"])
    assert caught.value.response["Error"]["Message"] == (
        "The pull through cache rule with the ECR repository prefix 'quay' was not found in the "
        "registry with id '123456789012'"
    )
    with pytest.raises(ClientError, match="UnsupportedUpstreamRegistryException"):
        client.create_pull_through_cache_rule(
            ecrRepositoryPrefix="mine", upstreamRegistryUrl="registry.example"
        )
