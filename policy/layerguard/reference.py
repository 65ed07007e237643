"""Image references: the text a runtime pulls, parsed once at the edge and trusted inside."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from layerguard.errors import ReferenceInvalid
from layerguard.mistaken_host import mistake_in
from layerguard.mistaken_text import likely_cause, quoted
from layerguard.registry_host import RegistryHost, partition_of

_LABEL = "[a-zA-Z0-9]+(?:-+[a-zA-Z0-9]+)*"
_REGISTRY = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?", re.ASCII)
_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*", re.ASCII)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_ANY_DIGEST = re.compile("sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}", re.ASCII)
_IDENTIFIER = re.compile("[0-9a-f]{64}", re.ASCII)
_LONGEST_PATH = 255
_LONGEST_REPOSITORY = 256


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

    @classmethod
    def parse_known(cls, text: str) -> Digest:
        """Return the digest that ``text`` is, where ECR's support of its algorithm is known."""
        if not text.startswith("sha256:"):
            raise ReferenceInvalid(
                f"ECR is not known to support digests of the algorithm {text.partition(':')[0]}.",
                is_certain=False,
            )
        return cls.parse(text)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, order=True)
class Repository:
    """Where to ask: a repository of one account in one region, whatever host form named it."""

    account: str
    region: str
    name: str

    @property
    def partition(self) -> str:
        """The partition of AWS that the region belongs to."""
        return partition_of(self.region)

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
    def find(cls, text: str) -> ImageReference | None:
        """Return the reference that ``text`` is, None for anything else, invalid ones included."""
        try:
            return cls.parse(text)
        except ReferenceInvalid:
            return None

    @classmethod
    def parse(cls, text: str) -> ImageReference | None:
        """Return the reference that ``text`` is, or None when it names no private ECR registry.

        Raises ReferenceInvalid when no container runtime parses the text, when the registry is
        meant to be ECR's and is none, or when ECR takes no such repository; its ``is_certain`` is
        False where there may be such an image all the same.
        Source: the distribution project's reference grammar, with ECR's limits.
        """
        if not text:
            # A provider may take an empty property for one that is not set.
            raise ReferenceInvalid("The image reference is empty.", is_certain=False)
        try:
            name = _Name.parse(text)
        except ReferenceInvalid as error:
            mistake = mistake_in(text)
            words = likely_cause(text) or (mistake and mistake.cause) or str(error)
            raise ReferenceInvalid(words) from error
        host = RegistryHost.parse(name.registry)
        if host is None:
            mistake = mistake_in(text)
            if mistake is None:
                return None
            raise ReferenceInvalid(mistake.cause, is_certain=mistake.is_certain)
        if not 2 <= len(name.path) <= _LONGEST_REPOSITORY:
            raise ReferenceInvalid(
                f"'{name.path}' is not a repository of ECR, whose names have at least 2 characters."
            )
        digest = Digest.parse_known(name.digest) if name.digest else None
        repository = Repository(host.account, host.region, name.path)
        return cls(text, host, repository, name.tag, digest)


class _Name(NamedTuple):
    """The parts of a reference that a container runtime parses.

    ``registry`` is empty where the text names none. Source: distribution/reference 0.6,
    ``ParseNormalizedNamed``.
    """

    registry: str
    path: str
    tag: str | None
    digest: str | None

    @classmethod
    def parse(cls, text: str) -> _Name:
        """Return the parts of ``text``; raise ReferenceInvalid where a runtime does not."""
        named, at, digest = text.partition("@")
        registry, slash, rest = named.partition("/")
        if not slash or not (registry == "localhost" or _names_registry(registry)):
            registry, rest = "", named
        path, colon, tag = rest.partition(":")
        if registry and not path:
            raise ReferenceInvalid("The reference names a registry, and no repository in it.")
        if registry and not _REGISTRY.fullmatch(registry):
            # What is no host may still be the beginning of a path.
            registry, path = "", f"{registry}/{path}"
        if len(path) > _LONGEST_PATH or not all(map(_COMPONENT.fullmatch, path.split("/"))):
            raise ReferenceInvalid(
                f"{quoted(path)} is not a repository name: 2 to 255 lower-case letters, digits "
                "and single separators ('.', '_', '__', '-', '/') between them are allowed."
            )
        if colon and not _TAG.fullmatch(tag):
            raise ReferenceInvalid(
                f"{quoted(tag)} is not a tag: up to 128 letters, digits, '_', '.' and '-' are "
                "allowed, and it starts with a letter, a digit or '_'."
            )
        if at and not _ANY_DIGEST.fullmatch(digest):
            raise ReferenceInvalid(
                f"{quoted(digest)} is not a digest: 'sha256:' and 64 lower-case hex digits are "
                "expected."
            )
        if not (slash or colon or at) and _IDENTIFIER.fullmatch(text):
            raise ReferenceInvalid("64 hex digits are the identifier of an image, not its name.")
        return cls(registry, path, tag if colon else None, digest if at else None)


def _names_registry(first: str) -> bool:
    """Tell whether the ``first`` part of a reference is a registry, not a part of the path."""
    return "." in first or ":" in first or first != first.lower()


def names_ecr(text: str) -> bool:
    """Tell whether the host that ``text`` begins with is, or is meant to be, private ECR's."""
    text = text.strip()
    host = text.partition("/")[0]
    if any(map(str.isspace, host)):
        return False
    return RegistryHost.parse(host) is not None or mistake_in(text) is not None
