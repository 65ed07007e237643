"""The images in commands and settings: shell scripts, unit files, files of variables.

Sources: the command lines of Docker, Podman, nerdctl, Finch, crictl and ctr; POSIX, "Shell Command
Language".
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from layerguard.discovery.reference_text import holds_host, without_scheme
from layerguard.discovery.tree import Tree

_TOKEN = re.compile(
    r"""^[ \t]*\#(?!!).* | \\\r?\n | (?P<end>[\n;&|]) | (?P<word>[^\s;&|()<>"'`\\]+)""",
    re.VERBOSE | re.MULTILINE,
)
_SEPARATORS = ("=", ":")
_TOOLS = frozenset({"crictl", "ctr", "docker", "finch", "nerdctl", "podman"})
_PULLS = frozenset({"create", "pull", "run"})
_IMAGE_KEY = re.compile(r"[\w.-]*image[:=]", re.ASCII | re.IGNORECASE)

# Sources: the command lines of Docker and its like, buildx, skopeo, crane, oras, regctl and kaniko.
_WRITES = re.compile(r"(?<![\w.-])(?:push|--push|copy|cp|--destination)(?![\w.-])", re.ASCII)


def pushes(text: str) -> bool:
    """Tell whether a command in ``text`` may write an image to a registry."""
    return _WRITES.search(text) is not None


def references(text: str) -> Iterator[str]:
    """Yield the words of ``text`` with a host of ECR in them, without a scheme or an option."""
    for token in _TOKEN.finditer(text):
        word = token["word"]
        if word and holds_host(word):
            yield without_scheme(word.rpartition("=")[2])


def command_images(text: str) -> Tree:
    """Return what the commands in ``text`` pull or assign, by line and column; None for nothing.

    ``docker pull REF``, ``docker run ... REF`` and their like are an ``image``, as are the lines
    ``image: REF`` and ``image = REF`` of a file that a script writes; ``NAME=REF`` is only the
    text. It is not certain that a command runs, so they stand under ``commands``. What a variable
    stands for is not known.
    """
    line_starts = [0, *(each.end() for each in re.finditer("\n", text))]
    found: dict[str, Tree] = {}
    for position, value in _images(text):
        line = bisect_right(line_starts, position)
        found[f"line {line}, column {position - line_starts[line - 1] + 1}"] = value
    return {"commands": found} if found else None


def _images(text: str) -> Iterator[tuple[int, Tree]]:
    tool = pulls = False
    before = ""
    for token in _TOKEN.finditer(text):
        word = token["word"]
        if token["end"]:
            tool = pulls = False
        if word is None:
            continue
        if not holds_host(word):
            pulls = pulls or (tool and word in _PULLS)
            tool = tool or word.rpartition("/")[2] in _TOOLS
        elif (value := word.rpartition("=")[2]) != word and holds_host(value):
            yield token.end() - len(value), value
        elif _IMAGE_KEY.fullmatch(before) or (pulls and word[0] != "-"):
            # The result of a command may stand in front: $(aws sts ...).dkr.ecr...
            yield token.start(), {"image": f"${word}" if word.startswith(".") else word}
            tool = pulls = False
        # A separator may stand apart from the key.
        is_apart = word in _SEPARATORS and not before.endswith(_SEPARATORS)
        before = f"{before}{word}" if is_apart else word
