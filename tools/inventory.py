"""Writes docs/inventory.md: every place where Layerguard looks for an image, from the rows.

``python -m tools.inventory`` writes it, and a test fails when it is not what the rows say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from layerguard.discovery import runtimes
from layerguard.discovery.catalog import ROWS, Role, Row
from layerguard.discovery.catalog.terraform import terraform_types
from layerguard.discovery.helm_values import SPLITS
from layerguard.discovery.image_use import Naming
from layerguard.discovery.member_names import CONTAINERS, IMAGES
from layerguard.discovery.platforms.rule import Presumed, words
from layerguard.discovery.runtimes import Runtime
from layerguard.discovery.spellings import bridged_token, spellings

PAGE = Path(__file__).parent.parent / "docs" / "inventory.md"
_PROVIDERS = {
    "aws": "AWS (pulumi-aws)",
    "aws-native": "AWS Cloud Control (pulumi-aws-native)",
    "awsx": "Crosswalk for AWS (awsx)",
    "docker": "Docker (pulumi-docker)",
    "docker-build": "Docker Build (pulumi-docker-build)",
    "kubernetes": "Kubernetes (pulumi-kubernetes)",
    "layerguard": "Files that an audit reads",
    "nomad": "Nomad (pulumi-nomad)",
}
_OTHER_ROLES = {
    Role.OPTIONAL: (
        "Caches",
        "They are checked, and a missing one is a warning: a cache may be absent.",
    ),
    Role.DOCUMENT: (
        "Documents and values that are read",
        "Each string in them that is as a whole a private ECR reference with a tag or a digest is "
        "an image use; a registry, a repository, a tag and a digest beside each other are put "
        "together.",
    ),
    Role.MANIFEST: (
        "Objects of Kubernetes",
        "They are read as the rows of their own kind are, and every other string in them.",
    ),
    Role.TEMPLATE: (
        "CloudFormation templates",
        "Their resources are read as the rows of aws-native are, with CloudFormation's names.",
    ),
    Role.RESOURCE: (
        "Properties of one CloudFormation resource",
        "They are read as the rows of aws-native are, with CloudFormation's names.",
    ),
    Role.CARRIER: (
        "Values that are handed on",
        "Whole references in them are checked, and a missing image is a warning.",
    ),
    Role.PUSH: (
        "What a resource pushes",
        "Never an image use. A reference to it that is not there yet is pending in a preview.",
    ),
    Role.NOT_PULLED: ("Never an image use", "Names that no runtime pulls from there."),
}


def page(rows: Iterable[Row] = ROWS) -> str:
    """Return the page, in Markdown."""
    return "\n".join(_lines(tuple(rows))) + "\n"


def _lines(rows: tuple[Row, ...]) -> Iterator[str]:
    pulls = [row for row in rows if row.role is Role.PULL]
    types = {row.resource_type for row in pulls}
    yield "# Where Layerguard looks for images"
    yield ""
    yield "Written by `python -m tools.inventory` from the rows in"
    yield "`policy/layerguard/discovery/catalog`; a test holds it."
    yield ""
    yield f"{len(pulls)} properties of {len(types)} resource types name an image that a runtime"
    yield "pulls. Beside them every other string input of every resource type is read: one that is"
    yield "as a whole a private ECR reference with a tag or a digest is an image use too, and so is"
    yield "[what its name calls an image](#any-other-resource). In environment variables, tags,"
    yield "labels, annotations, commands and descriptions one that is missing is only a warning."
    yield ""
    yield "Property paths: `a.b` is a member, `[]` each element, `{*}` each value of a map, `:json`"
    yield "and its like the document in a string."
    for provider, title in _PROVIDERS.items():
        own = [row for row in pulls if row.resource_type.partition(":")[0] == provider]
        yield from ("", f"## {title}", "")
        yield "| resource type | property | platform | runtime |"
        yield "|---|---|---|---|"
        for row in own:
            runtime = f"[{row.runtime.name}](#runtimes)" if row.runtime.rules else ""
            yield f"| `{row.resource_type}` | `{row.path}` | {_rule_name(row)} | {runtime} |"
    yield from _spellings(rows)
    yield from _any_other_resource()
    yield from _platforms(pulls)
    yield from _runtimes()
    for role, (title, what) in _OTHER_ROLES.items():
        yield from ("", f"## {title}", "", what, "")
        yield "| resource type | property |"
        yield "|---|---|"
        yield from (
            f"| `{each.resource_type}` | `{each.path}` |" for each in rows if each.role is role
        )


def _spellings(rows: Iterable[Row]) -> Iterator[str]:
    yield from ("", "## Other spellings", "")
    yield "The rows serve the same resources under other type tokens: `pulumi:terraform:TYPE` in a"
    yield "Terraform state that Pulumi Cloud keeps, `MODULE:tf:TYPE` in a Terraform module (any"
    yield "package), and the token of a provider that is bridged while a program runs, as in"
    yield "Pulumi HCL. Names are read in snake_case and camelCase, in the singular and the plural,"
    yield "and a block that stands there once as a list with one object or as that object."
    yield from ("", "| resource type | TYPE in Terraform | bridged |", "|---|---|---|")
    for resource_type in dict.fromkeys(row.resource_type for row in rows):
        for name in terraform_types(resource_type):
            token = bridged_token(name)
            is_bridged = spellings().get(token) == resource_type
            bridged = f"`{token}`" if is_bridged else ""
            yield f"| `{resource_type}` | `{name}` | {bridged} |"


def _any_other_resource() -> Iterator[str]:
    yield from ("", "## Any other resource", "")
    yield "Names are compared without their case, `_` and `-`. A member whose name ends in one of"
    yield f"these is an image: {_codes(IMAGES)}. Without a tag it is certain in a Kubernetes"
    yield f"resource, in these members: {_codes(sorted(CONTAINERS))}; elsewhere a missing one is"
    yield "only a warning. The parts of a reference that stand beside each other are put together:"
    yield from ("", "| name | tag | digest | a missing image |", "|---|---|---|---|")
    for split in SPLITS:
        parts = " | ".join(map(_codes, ((split.name,), split.tags, split.digests)))
        yield f"| {parts} | {'block' if split.naming is Naming.FOUND else 'warn'} |"


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _rule_name(row: Row) -> str:
    presumed = isinstance(row.platform, Presumed)
    rule = row.platform.rule if isinstance(row.platform, Presumed) else row.platform
    return f"{_name(rule)}, presumed" if presumed else _name(rule)


def _name(rule: Callable[..., object]) -> str:
    return rule.__name__.replace("_", " ")


def _platforms(pulls: Iterable[Row]) -> Iterator[str]:
    rules = {
        row.platform.rule if isinstance(row.platform, Presumed) else row.platform for row in pulls
    }
    yield from ("", "## Platforms", "")
    yield "Where a platform is presumed, it is not documented: an image without it is a warning."
    yield "Where it is undecided, every runnable platform of the image is checked."
    yield from ("", "| platform | what a runtime will pull |", "|---|---|")
    for rule in sorted(rules, key=_name):
        yield f"| {_name(rule)} | {words(rule)} |"


def _runtimes() -> Iterator[str]:
    yield from ("", "## Runtimes", "")
    yield "What they refuse although every layer is there (`runtime-rejects`). What AWS documents"
    yield "blocks a deployment; what users report, or what is only likely, is a warning."
    yield from ("", "| runtime | takes | otherwise |", "|---|---|---|")
    known = (each for each in vars(runtimes).values() if isinstance(each, Runtime) and each.rules)
    lines = (line for each in known for line in _lines_of(each))
    yield from sorted(dict.fromkeys(lines), key=lambda line: line.split("|")[1])


def _lines_of(runtime: Runtime) -> Iterator[str]:
    for rule in runtime.rules:
        words = (rule.check.__doc__ or "").strip().removesuffix(".")
        yield f"| {runtime.name} | {words} | {'block' if rule.certain else 'warn'} |"
    if runtime.form:
        words = f"What the API's model accepts: {runtime.form.shape}"
        yield f"| {runtime.name} | {words} | block |"


def main() -> None:
    """Write the page."""
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
