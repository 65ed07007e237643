"""Which endpoints are Amazon ECR's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.loaders import Loader
from layerguard.registry.endpoints import is_foreign

PARTITIONS = Loader().load_data("partitions")["partitions"]


def url_templates(rules: object) -> Iterator[str]:
    """Yield the URLs of the endpoint rules of a service, with their placeholders."""
    if isinstance(rules, dict):
        if "url" in rules:
            yield rules["url"]
        rules = list(rules.values())
    if isinstance(rules, list):
        for each in rules:
            yield from url_templates(each)


def test_no_endpoint_in_the_rules_of_botocore_is_foreign() -> None:
    rules = Loader().load_service_model("ecr", "endpoint-rule-set-1")["rules"]
    templates = [each for each in url_templates(rules) if isinstance(each, str)]
    assert len(templates) > 5
    for partition in PARTITIONS:
        for template in templates:
            url = (
                template.replace("{Region}", "region-1")
                .replace("{PartitionResult#dnsSuffix}", partition["outputs"]["dnsSuffix"])
                .replace(
                    "{PartitionResult#dualStackDnsSuffix}",
                    partition["outputs"]["dualStackDnsSuffix"],
                )
            )
            assert not is_foreign(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://vpce-0a1b-2c3d.api.ecr.eu-west-1.vpce.amazonaws.com/",
        "https://API.ECR.EU-WEST-1.AMAZONAWS.COM:443/",
        "https://user:password@api.ecr.eu-west-1.amazonaws.com/",
    ],
)
def test_a_vpc_endpoint_a_port_and_upper_case_change_nothing(url: str) -> None:
    assert not is_foreign(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:4566/",
        "https://registry.example/",
        "https://api.ecr.eu-west-1.amazonaws.com.example/",
        "https://api.ecr.eu-west-1.amazonaws.com@registry.example/",
        "https://ecr-123456.eu-west-1.elb.amazonaws.com/",
        "https://abcdef.lambda-url.eu-west-1.on.aws/",
        "https://example-amazonaws.com/",
        "http://ecr.cabcdef.eu-west-1.rds.amazonaws.com:8080/",
        "http://my.ecr.s3.eu-west-1.amazonaws.com/",
        "https://registry.example\\@api.ecr.eu-west-1.amazonaws.com/",
        "https://registry.example?@api.ecr.eu-west-1.amazonaws.com/",
        "https://[malformed/",
        "",
    ],
)
def test_any_other_host_is_foreign_even_one_of_a_customer_of_aws(url: str) -> None:
    assert is_foreign(url)
