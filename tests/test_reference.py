"""References and digests: every private ECR host form, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerguard.errors import ReferenceInvalid
from layerguard.reference import Digest, ImageId, ImageReference, Repository
from layerguard.registry_host import RegistryHost

# Made for this project with distribution/reference v0.6 (``ParseNormalizedNamed``): whether it parses
# the text, and into which parts. ``crane`` is not used here.
RUNTIMES = Path(__file__).with_name("references.jsonl")
ACCOUNT = "123456789012"
HEX = "0123456789abcdef" * 4
HOST = f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com"
HOSTS = [
    # host                                                       region            partition     FIPS   dual-stack
    (f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com", "eu-west-1", "aws", False, False),
    (f"{ACCOUNT}.dkr.ecr.us-gov-west-1.amazonaws.com", "us-gov-west-1", "aws-us-gov", False, False),
    (f"{ACCOUNT}.dkr.ecr-fips.us-east-2.amazonaws.com", "us-east-2", "aws", True, False),
    (f"{ACCOUNT}.dkr-ecr.eu-west-1.on.aws", "eu-west-1", "aws", False, True),
    (f"{ACCOUNT}.dkr-ecr-fips.us-east-1.on.aws", "us-east-1", "aws", True, True),
    (f"{ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1", "aws-cn", False, False),
    (f"{ACCOUNT}.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn", "cn-north-1", "aws-cn", False, True),
    (f"{ACCOUNT}.dkr.ecr.us-iso-east-1.c2s.ic.gov", "us-iso-east-1", "aws-iso", False, False),
    (f"{ACCOUNT}.dkr.ecr.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1", "aws-iso-b", False, False),
    (f"{ACCOUNT}.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk", "eu-isoe-west-1", "aws-iso-e", False, False),
    (f"{ACCOUNT}.dkr.ecr.us-isof-south-1.csp.hci.ic.gov", "us-isof-south-1", "aws-iso-f", False, False),
    (f"{ACCOUNT}.dkr.ecr.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1", "aws-eusc", False, False),
]  # fmt: skip
NOT_ECR = [
    "nginx",
    "nginx:1.27",
    "library/nginx@sha256:" + HEX,
    "public.ecr.aws/nginx/nginx:1.27",
    "ghcr.io/example/app:1",
    "localhost:5000/app:1",
    f"{HOST}.evil.example/app:1",
    f"{HOST}.evil/app:1",
    f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.company/app:1",
    f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonawsxcom/app:1",
    "shop-1234.eu-west-1.elb.amazonaws.com/app:1",
    "ec2-203-0-113-1.compute-1.amazonaws.com:5000/app:1",
]
INVALID = [
    # after the host     what the words must say
    ("", "The reference names a registry, and no repository in it."),
    ("/", "The reference names a registry, and no repository in it."),
    ("/Shop", "'Shop' is not a repository name"),
    ("/a", "names have at least 2 characters"),
    ("/shop//web", "'shop//web' is not a repository name"),
    ("/shop/web/", "'shop/web/' is not a repository name"),
    ("/shop___web", "'shop___web' is not a repository name"),
    ("/" + "a" * 257, "is not a repository name"),
    ("/shop:", "'' is not a tag"),
    ("/shop:1:2", "'1:2' is not a tag"),
    ("/shop:-1", "'-1' is not a tag"),
    ("/shop:" + "a" * 129, "is not a tag"),
    ("/shop@", "'' is not a digest"),
    ("/shop@sha256:abc", "'sha256:abc' is not a digest"),
    ("/shop@sha512:" + HEX * 2, "not known to support digests of the algorithm sha512"),
    ("/shop@md5:" + HEX[:32], "is not a digest"),
    ("/shop@sha256:" + HEX.upper(), "is not a digest"),
    ("/shop:1\n", "white space"),
]


@pytest.mark.parametrize(("host", "region", "partition", "fips", "dual_stack"), HOSTS)
def test_every_host_form_of_a_private_registry_is_read(
    host: str, region: str, partition: str, fips: bool, dual_stack: bool
) -> None:
    expected = RegistryHost(host, ACCOUNT, region, fips, dual_stack)
    assert RegistryHost.parse(host) == expected
    assert RegistryHost.parse(host.upper()) == expected
    arn = f"arn:{partition}:ecr:{region}:{ACCOUNT}:repository/shop/web"
    assert Repository(ACCOUNT, region, "shop/web").arn == arn


def test_every_region_is_of_the_partition_that_aws_says() -> None:
    session = botocore.session.Session()
    for partition in session.get_available_partitions():
        for region in session.get_available_regions("ecr", partition):
            assert Repository(ACCOUNT, region, "web").partition == partition, region


@pytest.mark.parametrize("text", NOT_ECR)
def test_nothing_else_is_ecr_least_of_all_a_look_alike(text: str) -> None:
    assert ImageReference.parse(text) is None


@pytest.mark.parametrize(("rest", "words"), INVALID)
def test_what_names_ecr_and_no_image_is_invalid_with_the_reason(rest: str, words: str) -> None:
    with pytest.raises(ReferenceInvalid) as raised:
        ImageReference.parse(HOST + rest)
    assert words in str(raised.value)


def test_a_reference_has_tag_and_digest_when_both_are_written() -> None:
    parsed = ImageReference.parse(f"{HOST}/shop/web:1.4@sha256:{HEX}")
    assert parsed is not None
    assert (parsed.repository.name, parsed.tag, str(parsed.digest)) == (
        "shop/web",
        "1.4",
        f"sha256:{HEX}",
    )
    assert parsed.image_id == ImageId(None, Digest(f"sha256:{HEX}"))


def test_without_tag_and_digest_a_runtime_pulls_latest() -> None:
    parsed = ImageReference.parse(f"{HOST}/shop/web")
    assert parsed is not None
    assert parsed.image_id == ImageId("latest", None)
    assert str(parsed) == f"{HOST}/shop/web"


@pytest.mark.parametrize(
    "row",
    [json.loads(line) for line in RUNTIMES.read_text().splitlines()],
    ids=lambda row: ascii(row["text"])[:80],
)
def test_a_text_is_valid_exactly_where_a_container_runtime_parses_it(row: dict[str, str]) -> None:
    if not row["valid"]:
        with pytest.raises(ReferenceInvalid) as raised:
            ImageReference.parse(row["text"])
        assert raised.value.is_certain
        return
    try:
        parsed = ImageReference.parse(row["text"])
    except ReferenceInvalid:
        # It names no image in ECR, for another reason than the grammar.
        assert ".amazonaws.com" in row["text"] or row["text"].startswith(
            ("undefined/", "null/", "None/")
        )
        return
    if parsed is not None:
        assert parsed.host.name == row["host"].lower()
        assert (parsed.repository.name, parsed.tag) == (row["path"], row.get("tag"))
        assert str(parsed.digest or "") == row.get("digest", "")


@pytest.mark.parametrize(
    "scheme", ["docker://", "docker-image://", "https://", "HTTP://", "oci://"]
)
def test_a_scheme_is_not_part_of_a_reference(scheme: str) -> None:
    with pytest.raises(ReferenceInvalid, match="takes no scheme"):
        ImageReference.parse(f"{scheme}{HOST}/shop/web:1")


def test_that_ecr_supports_an_algorithm_or_an_empty_text_means_no_image_is_not_certain() -> None:
    for text in (f"{HOST}/shop@sha512:{HEX * 2}", ""):
        with pytest.raises(ReferenceInvalid) as raised:
            ImageReference.parse(text)
        assert not raised.value.is_certain


def test_all_host_forms_of_a_region_lead_to_the_same_repository() -> None:
    ordinary = ImageReference.parse(f"{HOST}/shop/web:1")
    dual_stack = ImageReference.parse(f"{ACCOUNT}.dkr-ecr.eu-west-1.on.aws/shop/web:1")
    assert ordinary is not None
    assert dual_stack is not None
    assert ordinary.repository == dual_stack.repository


_COMPONENT = st.from_regex(r"[a-z0-9]{2,8}((\.|_|__|-{1,3})[a-z0-9]{1,8}){0,2}", fullmatch=True)
_NAME = st.lists(_COMPONENT, min_size=1, max_size=4).map("/".join)
_TAG = st.none() | st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,127}", fullmatch=True).filter(
    str.isascii
)
_DIGEST = st.none() | st.text("0123456789abcdef", min_size=64, max_size=64)


@given(st.sampled_from([host for host, *_ in HOSTS]), _NAME, _TAG, _DIGEST)
def test_a_reference_survives_parse_and_print(
    host: str, name: str, tag: str | None, digest: str | None
) -> None:
    text = f"{host}/{name}" + (f":{tag}" if tag else "") + (f"@sha256:{digest}" if digest else "")
    parsed = ImageReference.parse(text)
    assert str(parsed) == text
    assert ImageReference.parse(str(parsed)) == parsed


@given(st.text() | st.text().map(lambda rest: HOST + rest))
def test_no_text_makes_the_parser_fail_otherwise(text: str) -> None:
    try:
        parsed = ImageReference.parse(text)
    except ReferenceInvalid as error:
        assert str(error).endswith(".")
    else:
        assert parsed is None or parsed.text == text
