"""Hosts that are meant to be ECR's: what is mistaken, and whether that is certain."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerguard.mistaken_host import mistake_in
from layerguard.registry_host import RegistryHost, suffix_of

ACCOUNT = "123456789012"
HOST = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"
CERTAIN = [
    # host, and what follows it                              what the words must say
    ("12345678901.dkr.ecr.us-east-1.amazonaws.com/a/b", "has 11 digits, and an account has 12"),
    ("1234567890123.dkr.ecr.us-east-1.amazonaws.com/a/b", "has 13 digits"),
    ("12345678901.dkr-ecr.us-east-1.on.aws/a/b", "has 11 digits"),
    ("1.23456789012e+11.dkr.ecr.us-east-1.amazonaws.com/a/b", "quote it"),
    ("1e11.dkr.ecr.us-east-1.amazonaws.com/a/b", "quote it"),
    ("123456789012.0.dkr.ecr.us-east-1.amazonaws.com/a/b", "quote it"),
    ("undefined.dkr.ecr.us-east-1.amazonaws.com/a/b", "account is 'undefined'"),
    ("None.dkr.ecr.us-east-1.amazonaws.com/a/b", "account is 'none'"),
    ("<no value>.dkr.ecr.us-east-1.amazonaws.com/a/b", "account is '<no value>'"),
    (".dkr.ecr.us-east-1.amazonaws.com/a/b", "account is empty"),
    ("dkr.ecr.us-east-1.amazonaws.com/a/b", "account is empty"),
    ("${ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/a/b", "a variable that was not filled in"),
    ("my-account.dkr.ecr.us-east-1.amazonaws.com/a/b", "an account has 12 digits"),
    (f"a.{HOST}/a/b", "an account has 12 digits"),
    (f"{ACCOUNT}-dkr.ecr.us-east-1.amazonaws.com/a/b", "No registry has the host"),
    (f"{ACCOUNT}.dkr.ecr..amazonaws.com/a/b", "region is empty"),
    (f"{ACCOUNT}.dkr.ecr.amazonaws.com/a/b", "region is empty"),
    (f"{ACCOUNT}.dkr.ecr.null.amazonaws.com/a/b", "region is 'null'"),
    (f"{ACCOUNT}.dkr.ecr.us-east-1a.amazonaws.com/a/b", "an availability zone of us-east-1"),
    (f"{ACCOUNT}.dkr.ecr.us-esat-1.amazonaws.com/a/b", "region 'us-esat-1' is none"),
    (f"{ACCOUNT}.dkr.ecr.us_east_1.amazonaws.com/a/b", "region 'us_east_1' is none"),
    (f"{ACCOUNT}.dkr.ecr.us-east.1.amazonaws.com/a/b", "region 'us-east.1' is none"),
    (f"{ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.cn/a/b", "end in 'amazonaws.com.cn'"),
    (f"{ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com/a/b", "end in 'amazonaws.com.cn'"),
    (f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com.cn/a/b", "end in 'amazonaws.com'"),
    (f"{ACCOUNT}.dkr.ecr.us-iso-east-1.amazonaws.com/a/b", "end in 'c2s.ic.gov'"),
    (f"{ACCOUNT}.dkr.ecr.us-east-1.sc2s.sgov.gov/a/b", "end in 'amazonaws.com'"),
    (f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.eu/a/b", "end in 'amazonaws.com'"),
    (f"{ACCOUNT}.dkr.ecr.us-east-1/a/b", "The end of the registry's host is missing"),
    (f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws/a/b", "The end of the registry's host is missing"),
    (f"{HOST}shop/web:1", "no slash between the registry and 'shop'"),
    (f"{HOST}shop:1", "no slash between the registry and 'shop'"),
    (f"{HOST}:shop/web:1", "a colon behind the registry"),
    (f"{HOST}:1", "no repository in it"),
    (f"{HOST}@sha256:00", "no repository in it"),
    (HOST, "no repository in it"),
    (f"{HOST}./a/b", "ends in a dot"),
]  # fmt: skip
LIKELY = [
    (f"{HOST}:443/a/b", "has a port"),
    (f"{ACCOUNT}.dkr.erc.us-east-1.amazonaws.com/a/b", "under Amazon's domain 'amazonaws.com'"),
    (f"{ACCOUNT}.ecr.us-east-1.amazonaws.com/a/b", "under Amazon's domain 'amazonaws.com'"),
    (f"{ACCOUNT}.dkr.us-east-1.on.aws/a/b", "under Amazon's domain 'on.aws'"),
    (f"{ACCOUNT}.dkr.ecr.us-east-1.on.aws/a/b", "No registry of ECR has a host like"),
    (f"{ACCOUNT}.dkr-ecr.us-east-1.amazonaws.com/a/b", "No registry of ECR has a host like"),
    ("vpce-01-a.dkr.ecr.us-east-1.vpce.amazonaws.com/a/b", "the name of a VPC endpoint"),
    (f"{ACCOUNT}.dkr.ecr-fips.eu-west-1.amazonaws.com/a/b", "FIPS hosts in eu-west-1"),
    ("undefined/shop/web:1", "begins with 'undefined'"),
    ("null:1", "begins with 'null'"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words"), CERTAIN)
def test_a_host_that_can_be_no_registrys_is_a_certain_mistake(text: str, words: str) -> None:
    mistake = mistake_in(text)
    assert mistake is not None
    assert words in mistake.cause
    assert mistake.is_certain


@pytest.mark.parametrize(("text", "words"), LIKELY)
def test_a_host_that_only_seems_to_be_none_is_a_likely_mistake(text: str, words: str) -> None:
    mistake = mistake_in(text)
    assert mistake is not None
    assert words in mistake.cause
    assert not mistake.is_certain


@pytest.mark.parametrize(
    "text",
    [
        f"{HOST}/a/b",
        f"{HOST.upper()}/a/b",
        f"{HOST}.evil.example/a/b",
        f"evil.example/{HOST}/a/b",
        f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.community/a/b",
        f"{ACCOUNT}.dkr.ecr.us-east-1.example.com/a/b",
        "shop.us-east-1.elb.amazonaws.com/a/b",
        "vpce-1.vpce-svc-2.us-east-1.vpce.amazonaws.com/a/b",
        "abc.lambda-url.us-east-1.on.aws/a/b",
        "public.ecr.aws/a/b",
        "docker.io/a/b",
        "nginx:1",
        "",
    ],
)
def test_ecr_itself_and_every_other_registry_are_no_mistake(text: str) -> None:
    assert mistake_in(text) is None


@given(
    st.text("0123456789", max_size=14),
    st.sampled_from(["us-east-1", "cn-north-1", "eusc-de-east-1", "us-iso-west-1", "", "us"]),
    st.sampled_from(["amazonaws.com", "amazonaws.com.cn", "amazonaws.eu", "c2s.ic.gov"]),
)
def test_a_host_is_a_registry_or_a_mistake(account: str, region: str, suffix: str) -> None:
    host = f"{account}.dkr.ecr.{region}.{suffix}"
    is_registry = RegistryHost.parse(host) is not None
    assert is_registry is (mistake_in(f"{host}/a/b") is None)
    assert not is_registry or suffix == suffix_of(region)
