"""Which endpoints are Amazon ECR's own."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

# Of all partitions. Source: botocore's partitions.json, "dnsSuffix" and "dualStackDnsSuffix".
_SUFFIXES = (
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".amazonaws.eu",
    ".api.amazonwebservices.com.cn",
    ".api.amazonwebservices.eu",
    ".api.aws",
    ".api.aws.hci.ic.gov",
    ".api.aws.ic.gov",
    ".api.aws.scloud",
    ".api.cloud-aws.adc-e.uk",
    ".c2s.ic.gov",
    ".cloud.adc-e.uk",
    ".csp.hci.ic.gov",
    ".on.amazonwebservices.com.cn",
    ".on.aws",
    ".sc2s.sgov.gov",
)
# AWS's customers run servers under these suffixes too (load balancers, function URLs), and may name
# some of them "ecr" (databases, buckets), but then a region does not follow, or not the suffix.
# Source: botocore's endpoint rules of ECR; "Amazon ECR interface VPC endpoints".
_OWN = re.compile(r"(?:[a-z0-9-]+\.)*ecr(?:-fips)?\.[a-z]+(?:-[a-z]+)*-[0-9]+(?:\.vpce)?")


def is_foreign(url: str) -> bool:
    """Tell whether the endpoint ``url`` is not one of Amazon ECR."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return True
    if "\\" in url:  # which some parsers take for the end of the host
        return True
    bare = (host.removesuffix(each) for each in _SUFFIXES if host.endswith(each))
    return not any(map(_OWN.fullmatch, bare))
