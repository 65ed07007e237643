"""Image references: the text a runtime pulls, parsed once at the edge and trusted inside."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

from layerguard.errors import ReferenceInvalid

_ACCOUNT = "(?P<account>[0-9]{12})"
_REGION = "(?P<region>[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2})"


@dataclass(frozen=True)
class _HostForm:
    service: str
    suffix: str
    fips: bool
    dual_stack: bool

    @cached_property  # most runs see one form only
    def _pattern(self) -> re.Pattern[str]:
        # ASCII: without it IGNORECASE takes a Kelvin sign for a "k".
        return re.compile(
            rf"{_ACCOUNT}\.{re.escape(self.service)}\.{_REGION}\.{re.escape(self.suffix)}",
            re.ASCII | re.IGNORECASE,
        )

    def match(self, host: str) -> RegistryHost | None:
        found = self._pattern.fullmatch(host)
        if found is None:
            return None
        return RegistryHost(
            host.lower(), found["account"], found["region"].lower(), self.fips, self.dual_stack
        )


# Source: the Amazon ECR user guide (registry URIs, FIPS and dual-stack endpoints) and the
# partitions of botocore's endpoint data.
# fmt: off
_HOST_FORMS = (
    #         service         suffix                         FIPS   dual-stack
    _HostForm("dkr.ecr",      "amazonaws.com",               False, False),
    _HostForm("dkr.ecr-fips", "amazonaws.com",               True,  False),
    _HostForm("dkr-ecr",      "on.aws",                      False, True),
    _HostForm("dkr-ecr-fips", "on.aws",                      True,  True),
    _HostForm("dkr.ecr",      "amazonaws.com.cn",            False, False),
    _HostForm("dkr-ecr",      "on.amazonwebservices.com.cn", False, True),
    _HostForm("dkr.ecr",      "c2s.ic.gov",                  False, False),
    _HostForm("dkr.ecr",      "sc2s.sgov.gov",               False, False),
    _HostForm("dkr.ecr",      "cloud.adc-e.uk",              False, False),
    _HostForm("dkr.ecr",      "csp.hci.ic.gov",              False, False),
    _HostForm("dkr.ecr",      "amazonaws.eu",                False, False),
)
# fmt: on
# Regions of other partitions than "aws", by what their names begin with. Source: botocore's
# partitions.json.
_PARTITIONS = {
    "cn-": "aws-cn",
    "eu-isoe-": "aws-iso-e",
    "eusc-": "aws-eusc",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "us-isof-": "aws-iso-f",
}
_SCHEMES = ("docker://", "docker-image://", "https://")
_REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*", re.ASCII)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """A SHA-256 content digest, in its canonical form ``sha256:`` and 64 lower-case hex digits.

    Source: OCI image specification, "Digests".
    """

    text: str

    @classmethod
    def parse(cls, text: str) -> Digest:
        """Return the digest that ``text`` is; raise ReferenceInvalid when it is none."""
        if not _DIGEST.fullmatch(text):
            raise ReferenceInvalid(
                f"'{text}' is not a digest: 'sha256:' and 64 lower-case hex digits are expected."
            )
        return cls(text)

    def __str__(self) -> str:
        return self.text


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


@dataclass(frozen=True, slots=True, order=True)
class Repository:
    """Where to ask: a repository of one account in one region, whatever host form named it."""

    account: str
    region: str
    name: str

    @property
    def partition(self) -> str:
        """The partition of AWS that the region belongs to."""
        found = (name for start, name in _PARTITIONS.items() if self.region.startswith(start))
        return next(found, "aws")

    @property
    def arn(self) -> str:
        """The name of the repository in policies."""
        return f"arn:{self.partition}:ecr:{self.region}:{self.account}:repository/{self.name}"

    def __str__(self) -> str:
        return f"{self.name} (account {self.account}, {self.region})"


@dataclass(frozen=True, slots=True, order=True)
class ImageId:
    """What to ask for in a repository: a tag, a digest, or both, and then both must agree."""

    tag: str | None
    digest: Digest | None

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return tag + (f"@{self.digest}" if self.digest else "")


@dataclass(frozen=True, slots=True)
class ImageReference:
    """A reference to an image in a private ECR registry.

    ``text`` is what the user wrote, for messages; it does not count when references are compared.
    """

    text: str = field(compare=False)
    host: RegistryHost
    repository: Repository
    tag: str | None
    digest: Digest | None

    @property
    def image_id(self) -> ImageId:
        """What a runtime asks for: the digest, or the tag where there is none, or ``latest``.

        Source: moby/moby and containerd pull ``repository:tag@digest`` by the digest alone.
        """
        return ImageId(None, self.digest) if self.digest else ImageId(self.tag or "latest", None)

    def __str__(self) -> str:
        return f"{self.host.name}/{self.repository.name}{ImageId(self.tag, self.digest)}"

    @classmethod
    def parse(cls, text: str) -> ImageReference | None:
        """Return the reference that ``text`` is, or None when it names no private ECR registry.

        Raises ReferenceInvalid when it names one, and the rest is not a repository of 2 to 256
        characters, with an optional tag and an optional digest after it.
        Source: the distribution project's reference grammar, with ECR's limits.
        """
        bare = text.strip()
        for scheme in _SCHEMES:
            if bare.startswith(scheme):
                bare = bare[len(scheme) :]
                break
        host_text, slash, rest = bare.partition("/")
        host = RegistryHost.parse(host_text)
        if host is None:
            return None
        if text != text.strip():
            raise ReferenceInvalid("There is white space around the reference.")
        if not slash or not rest:
            raise ReferenceInvalid("The reference names a registry, and no repository in it.")
        named, at, digest_text = rest.partition("@")
        digest = Digest.parse(digest_text) if at else None
        name, colon, tag = named.partition(":")
        if colon and not _TAG.fullmatch(tag):
            raise ReferenceInvalid(
                f"'{tag}' is not a tag: up to 128 letters, digits, '_', '.' and '-' are allowed, "
                "and it starts with a letter, a digit or '_'."
            )
        if not 2 <= len(name) <= 256 or not all(map(_REPOSITORY.fullmatch, name.split("/"))):
            raise ReferenceInvalid(
                f"'{name}' is not a repository name: 2 to 256 lower-case letters, digits and "
                "single separators ('.', '_', '__', '-', '/') between them are allowed."
            )
        repository = Repository(host.account, host.region, name)
        return cls(text, host, repository, tag if colon else None, digest)
