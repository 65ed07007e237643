"""Which endpoints are Amazon ECR's own."""

from __future__ import annotations

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
# AWS's customers run servers under these suffixes too (load balancers, function URLs), but none
# that has a label of its own. Source: botocore's endpoint rules of ECR; "Amazon ECR interface VPC
# endpoints".
_LABELS = frozenset(("ecr", "ecr-fips"))


def is_foreign(url: str) -> bool:
    """Tell whether the endpoint ``url`` is not one of Amazon ECR."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return True
    return not host.endswith(_SUFFIXES) or not _LABELS & set(host.split("."))
