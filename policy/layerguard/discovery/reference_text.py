"""Texts that name an image in private ECR: a whole reference, a repository, an expression."""

from __future__ import annotations

import re

from layerguard.errors import ReferenceInvalid
from layerguard.reference import ImageReference, names_ecr

# Source: the documentation of skopeo, docker buildx and Nomad.
_SCHEMES = ("docker://", "docker-image://", "https://")
_SERVICES = (".dkr.ecr", ".dkr-ecr")
_HOST_BEGINS_IN = 64
_BLANK = re.compile(r"\s")
# A variable or an option in front, which is a document of one command: --image=REFERENCE.
_ASSIGNED = re.compile(r"[\w.-]+=", re.ASCII)


def holds_host(text: str) -> bool:
    """Tell whether somewhere in ``text`` is what every host of ECR has in its name."""
    return any(each in text for each in _SERVICES)


def is_whole_reference(text: str) -> bool:
    """Tell whether ``text`` is, or is meant as, a private ECR reference with a tag or a digest.

    What a file or a command gave may have a line break at its end, with which nothing pulls it.
    """
    if not _begins_with_host(text):
        return False
    bare = without_scheme(text.rstrip())
    if _BLANK.search(bare):
        return False
    try:
        reference = ImageReference.parse(bare)
    except ReferenceInvalid:
        _, _, rest = bare.partition("/")
        has_version = ":" in rest or "@" in rest
        return has_version and names_ecr(bare) and not _ASSIGNED.match(bare)
    return reference is not None and bool(reference.tag or reference.digest)


def is_image(text: str) -> bool:
    """Tell whether ``text``, where an image is expected, is or is meant as one in private ECR.

    It may have no tag, and an expression may stand in it anywhere.
    """
    if has_expression(text) and holds_host(text):
        return True
    if not _begins_with_host(text):
        return False
    bare = without_scheme(text)
    try:
        return ImageReference.parse(bare) is not None
    except ReferenceInvalid:
        return names_ecr(bare)


def _begins_with_host(text: str) -> bool:
    """Tell it of a text that may begin with a host: this spares all others the parsing.

    A pattern, as the policies of admission controllers have it, names no one image.
    """
    return ".dkr" in text[:_HOST_BEGINS_IN].lower() and "*" not in text


def without_scheme(text: str) -> str:
    """Return ``text`` without the scheme that a tool may take in front of a reference."""
    scheme = next((each for each in _SCHEMES if text.startswith(each)), "")
    return text.removeprefix(scheme)


def has_expression(text: str) -> bool:
    """Tell whether there is an expression in ``text`` that an engine may fill in before a pull.

    Sources: Argo Workflows and Tekton documentation, "Variables"; Step Functions developer guide,
    "Intrinsic functions".
    """
    return "$" in text or "{{" in text


def may_be_valid(text: str) -> bool:
    """Tell whether ``text`` is a reference, or may become one when its expressions are known."""
    if has_expression(text):
        return True
    try:
        ImageReference.parse(without_scheme(text))
    except ReferenceInvalid as error:
        return not error.is_certain
    return True
