"""Quoted references in documents that need no parser for them: HCL (Nomad) and TOML (Bottlerocket).

Sources: HCL native syntax specification; TOML specification.
"""

from __future__ import annotations

import re

from layerguard.discovery.tree import Tree
from layerguard.reference import names_ecr

# A string ends with its line at the latest, so that no part of a line is read twice.
_CODE = re.compile(
    r"""(?:\#|//).* | (?P<block>/\*) | <<-?(?P<heredoc>\w+)
    | (?P<image>\bimage\s*=\s*)?(?:"(?P<double>(?:[^"\\]|\\.?)*)"? | '(?P<single>[^']*)'?)""",
    re.VERBOSE,
)
_BLOCK_END = re.compile(r"\*/")


def quoted_references(text: str) -> Tree:
    """Return the strings in ``text`` that begin with a private ECR host, by line and column.

    A scheme may stand before the host, which may only be meant to be one. Strings that an
    attribute ``image`` has stand under ``image``, the others under ``other``.
    Comments and heredocs are left out.
    """
    image: dict[str, Tree] = {}
    other: dict[str, Tree] = {}
    pattern, heredoc = _CODE, ""
    for number, line in enumerate(text.split("\n"), 1):
        if heredoc:
            heredoc = "" if line.strip() == heredoc else heredoc
            continue
        position = 0
        while token := pattern.search(line, position):
            position = token.end()
            if pattern is _BLOCK_END:
                pattern = _CODE
                continue
            if token["block"]:
                pattern = _BLOCK_END
            heredoc = token["heredoc"] or heredoc
            string = token["double"] or token["single"] or ""
            if names_ecr(string.rpartition("://")[2]):
                found = image if token["image"] else other
                found[f"line {number}, column {token.start() + 1}"] = string
    return {"image": image, "other": other}
