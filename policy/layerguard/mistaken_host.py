"""Host names that are meant to be a private ECR registry's and are none, with the likely cause.

Nobody but Amazon can own names under its domains, so a host there that no registry has is a
mistake; the same name in front of another domain is another registry.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from layerguard.mistaken_text import quoted
from layerguard.registry_host import SUFFIXES, RegistryHost, has_fips_host, is_region, suffix_of

# The longer ones first: they may end in a shorter one.
_SERVICES = ("dkr.ecr-fips", "dkr-ecr-fips", "dkr.ecr", "dkr-ecr")
_PUBLIC_DOMAINS = (
    "on.amazonwebservices.com.cn",
    "amazonaws.com.cn",
    "amazonaws.com",
    "amazonaws.eu",
    "amazonaws.cn",
    "on.aws",
)
_DOMAINS = (*_PUBLIC_DOMAINS, *sorted(set(SUFFIXES.values()) - set(_PUBLIC_DOMAINS)))
# Labels of names under Amazon's domains that belong to customers, whose registries may be there.
# Source: AWS documentation of Elastic Load Balancing, EC2, API Gateway, Lambda and PrivateLink.
_CUSTOMERS = ("elb", "compute", "compute-1", "execute-api", "lambda-url", "s3")
# Top-level domains that begin like a suffix. Source: IANA's root zone database.
_TOP_LEVEL_DOMAINS = ("commbank", "community", "company", "compare", "computer", "comsec", "eus")
_NO_VALUES = (
    "false",
    "nan",
    "nil",
    "none",
    "null",
    "true",
    "undefined",
    "unknown",
    "[object object]",
    "<no value>",
)
_NO_REGISTRIES = ("nan", "nil", "none", "null", "undefined")
_SCIENTIFIC = re.compile(r"[0-9](?:\.[0-9]+)?e\+?[0-9]{1,3}", re.ASCII)
_EXPECTED = "ACCOUNT.dkr.ecr.REGION.amazonaws.com is expected"
_LONGEST_HOST = 320  # a name in the DNS has 253 characters, and a variable may stand in it


@dataclass(frozen=True, slots=True)
class Mistake:
    """Why a host is not a registry's, in a sentence; ``is_certain`` where none can be there."""

    cause: str
    is_certain: bool = True


def mistake_in(text: str) -> Mistake | None:
    """Return what is mistaken in the registry that ``text``, an image reference, begins with.

    None where it is a registry of ECR, or one that has nothing to do with ECR.
    """
    host, slash, _ = text[:_LONGEST_HOST].lower().partition("/")
    if not slash:
        host = host.partition("@")[0]
    name, colon, port = host.partition(":")
    if slash and not colon and RegistryHost.parse(host):
        return None
    service = next((each for each in _SERVICES if each in name), None)
    if service is None:
        return _no_name(name) or _under_amazons_domains(name)
    account, _, rest = name.partition(service)
    account, rest = account.rstrip(".-"), rest.removeprefix(".")
    domain = next((each for each in _DOMAINS if f".{rest}".endswith(f".{each}")), None)
    if domain is None:
        return _without_domain(account, rest)
    region = rest[: -len(domain)].removesuffix(".")
    if not name.isascii():
        return Mistake("The registry has a character in it that is not of ASCII.")
    if ".vpce." in f".{rest}" or name.startswith("vpce-"):
        return Mistake(
            f"The registry is the name of a VPC endpoint. {_EXPECTED}: with private DNS it leads "
            "to the endpoint.",
            is_certain=False,
        )
    cause = _account(account) or _region(region) or _domain(region, domain)
    if cause:
        return Mistake(cause)
    mistake = _service(name, service, region, domain) or _port(slash, colon, port)
    return mistake or Mistake(f"No registry has the host {quoted(name)}. {_EXPECTED}.")


def _account(account: str) -> str | None:
    if re.fullmatch("[0-9]{12}", account, re.ASCII):
        return None
    if re.fullmatch("[0-9]+", account, re.ASCII):
        return (
            f"The registry's account has {len(account)} digits, and an account has 12. A leading "
            "zero is lost where an account is kept as a number: quote it."
        )
    if _SCIENTIFIC.fullmatch(account) or re.fullmatch(r"[0-9]+\.0*", account, re.ASCII):
        return (
            f"The registry's account is {quoted(account)}: an account that is kept as a number "
            "is printed like this. Keep it as a string: quote it."
        )
    return _no_value("account", account) or (
        f"The registry's account is {quoted(account)}, and an account has 12 digits."
    )


def _region(region: str) -> str | None:
    if is_region(region):
        return None
    if is_region(region[:-1]) and region[-1:].isalpha():
        return (
            f"The registry's region is {quoted(region)}, which is an availability zone of "
            f"{region[:-1]}."
        )
    return _no_value("region", region) or f"The registry's region {quoted(region)} is none."


def _no_value(part: str, text: str) -> str | None:
    if not text:
        return f"The registry's {part} is empty: a variable in the program may have no value."
    if text in _NO_VALUES:
        return (
            f"The registry's {part} is '{text}': a variable in the program has no value, or is "
            "read before it has one."
        )
    if any(each in text for each in "${}<>%()[]"):
        return f"The registry's {part} is {quoted(text)}: a variable that was not filled in."
    return None


def _domain(region: str, domain: str) -> str | None:
    suffix = suffix_of(region)
    dual_stack = "on.amazonwebservices.com.cn" if suffix.endswith(".cn") else "on.aws"
    if domain in (suffix, dual_stack):
        return None
    return f"The registry ends in '{domain}', and those of {region} end in '{suffix}'."


def _service(name: str, service: str, region: str, domain: str) -> Mistake | None:
    if service.endswith("-fips") and not has_fips_host(region):
        return Mistake(f"ECR is not known to have FIPS hosts in {region}.", is_certain=False)
    is_dual_stack = domain.startswith("on.")
    if is_dual_stack != service.startswith("dkr-"):
        return Mistake(f"No registry of ECR has a host like {name}. {_EXPECTED}.", is_certain=False)
    return None


def _port(slash: str, colon: str, port: str) -> Mistake | None:
    if slash and colon and port.isdigit():
        return Mistake(
            "The registry has a port, with which the credentials for ECR are not found. "
            f"{_EXPECTED}.",
            is_certain=False,
        )
    if slash and colon:
        return Mistake("There is a colon behind the registry in the place of a slash.")
    return None if slash else Mistake("The reference names a registry, and no repository in it.")


def _without_domain(account: str, rest: str) -> Mistake | None:
    """Return the mistake of a host that is meant to be ECR's and is under no domain of Amazon's."""
    if rest.endswith("."):
        return Mistake("The registry ends in a dot, which no image reference may have.")
    if is_region(rest.removesuffix(".amazonaws")) and not _account(account):
        return Mistake(f"The end of the registry's host is missing. {_EXPECTED}.")
    for domain in _DOMAINS:
        _, found, behind = f".{rest}".partition(f".{domain}")
        last = domain.rpartition(".")[2] + behind
        if found and "." not in behind and last not in _TOP_LEVEL_DOMAINS:
            return Mistake(f"There is no slash between the registry and {quoted(behind)}.")
    return None


def _no_name(name: str) -> Mistake | None:
    if name not in _NO_REGISTRIES:
        return None
    cause = f"The reference begins with '{name}': a variable in the program may have no value."
    return Mistake(cause, is_certain=False)


def _under_amazons_domains(name: str) -> Mistake | None:
    name = name.removesuffix(".")
    domain = next((each for each in _PUBLIC_DOMAINS if name.endswith(f".{each}")), None)
    labels = name.split(".")
    if domain is None or any(
        each in _CUSTOMERS or each.startswith(("vpce-svc-", "s3-")) for each in labels
    ):
        return None
    return Mistake(
        f"The registry is under Amazon's domain '{domain}', and is none of ECR's. {_EXPECTED}.",
        is_certain=False,
    )
