"""Host names of private ECR registries, and the partitions of AWS that they belong to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

# Every region is named after a direction. Source: AWS, "AWS Regions".
_REGION = (
    r"[a-z]{2,4}(?:-[a-z]+)?"
    r"-(?:central|north|northeast|northwest|south|southeast|southwest|east|west)-[0-9]{1,2}"
)
_FIPS_REGIONS = ("us-east-1", "us-east-2", "us-west-1", "us-west-2")
# Partitions by what the names of their regions begin with. Source: botocore's partitions.json.
_PARTITIONS = {
    "cn-": "aws-cn",
    "eu-isoe-": "aws-iso-e",
    "eusc-": "aws-eusc",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "us-isof-": "aws-iso-f",
}
SUFFIXES = {
    "aws": "amazonaws.com",
    "aws-cn": "amazonaws.com.cn",
    "aws-eusc": "amazonaws.eu",
    "aws-iso": "c2s.ic.gov",
    "aws-iso-b": "sc2s.sgov.gov",
    "aws-iso-e": "cloud.adc-e.uk",
    "aws-iso-f": "csp.hci.ic.gov",
    "aws-us-gov": "amazonaws.com",
}
"""The domain of each partition's services. Source: botocore's partitions.json."""


def partition_of(region: str) -> str:
    """Return the partition of AWS that ``region`` belongs to."""
    found = (name for start, name in _PARTITIONS.items() if region.startswith(start))
    return next(found, "aws")


def suffix_of(region: str) -> str:
    """Return the domain under which AWS's services in ``region`` have their ordinary hosts."""
    return SUFFIXES[partition_of(region)]


def is_region(text: str) -> bool:
    """Tell whether ``text`` has the form of a region's name."""
    return re.fullmatch(_REGION, text, re.ASCII) is not None


def has_fips_host(region: str) -> bool:
    """Tell whether ECR has FIPS hosts in ``region``. Source: AWS, "FIPS endpoints by service"."""
    return region in _FIPS_REGIONS or partition_of(region) == "aws-us-gov"


@dataclass(frozen=True)
class _HostForm:
    service: str
    suffix: str
    partitions: tuple[str, ...]
    fips: bool
    dual_stack: bool

    @cached_property  # most runs see one form only
    def _pattern(self) -> re.Pattern[str]:
        # ASCII: without it IGNORECASE takes a Kelvin sign for a "k".
        return re.compile(
            rf"(?P<account>[0-9]{{12}})\.{re.escape(self.service)}\.(?P<region>{_REGION})"
            rf"\.{re.escape(self.suffix)}",
            re.ASCII | re.IGNORECASE,
        )

    def match(self, host: str) -> RegistryHost | None:
        found = self._pattern.fullmatch(host)
        if found is None:
            return None
        region = found["region"].lower()
        is_there = has_fips_host(region) if self.fips else True
        if partition_of(region) not in self.partitions or not is_there:
            return None
        return RegistryHost(host.lower(), found["account"], region, self.fips, self.dual_stack)


_COMMERCIAL = ("aws", "aws-us-gov")
# Source: the Amazon ECR user guide (registry URIs, FIPS and dual-stack endpoints) and the
# partitions of botocore's endpoint data.
# fmt: off
_HOST_FORMS = (
    #         service         suffix                         partitions      FIPS   dual-stack
    _HostForm("dkr.ecr",      "amazonaws.com",               _COMMERCIAL,    False, False),
    _HostForm("dkr.ecr-fips", "amazonaws.com",               _COMMERCIAL,    True,  False),
    _HostForm("dkr-ecr",      "on.aws",                      _COMMERCIAL,    False, True),
    _HostForm("dkr-ecr-fips", "on.aws",                      _COMMERCIAL,    True,  True),
    _HostForm("dkr.ecr",      "amazonaws.com.cn",            ("aws-cn",),    False, False),
    _HostForm("dkr-ecr",      "on.amazonwebservices.com.cn", ("aws-cn",),    False, True),
    _HostForm("dkr.ecr",      "c2s.ic.gov",                  ("aws-iso",),   False, False),
    _HostForm("dkr.ecr",      "sc2s.sgov.gov",               ("aws-iso-b",), False, False),
    _HostForm("dkr.ecr",      "cloud.adc-e.uk",              ("aws-iso-e",), False, False),
    _HostForm("dkr.ecr",      "csp.hci.ic.gov",              ("aws-iso-f",), False, False),
    _HostForm("dkr.ecr",      "amazonaws.eu",                ("aws-eusc",),  False, False),
)
# fmt: on


@dataclass(frozen=True, slots=True)
class RegistryHost:
    """The host name of a private ECR registry, and what it says.

    ``name`` is in lower case. Source: Amazon ECR user guide, "Private registry".
    """

    name: str
    account: str
    region: str
    fips: bool
    dual_stack: bool

    @classmethod
    def parse(cls, host: str) -> RegistryHost | None:
        """Return the registry that the whole of ``host`` names, or None: then it is not ECR."""
        return next((found for form in _HOST_FORMS if (found := form.match(host))), None)
