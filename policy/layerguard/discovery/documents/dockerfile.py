"""The images that the build of a Dockerfile pulls.

Sources: Docker documentation, "Dockerfile reference"; where it is silent, the source of the
builder, moby/buildkit ``frontend/dockerfile``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TypeAlias

from layerguard.discovery.tree import Mark, Tree

_Pull: TypeAlias = "tuple[str, str | None]"
"""A reference, or the name of a stage, and the platform that the text asks for."""

# They stand in a text for a value that is not known. No reference has these characters.
_UNKNOWN, _UNRESOLVED = "\0", "\1"
_MARKS = {_UNKNOWN: Mark.UNKNOWN, _UNRESOLVED: Mark.UNRESOLVED}
# Arguments that need no ARG, with values that only the builder knows.
_PARTS = ("PLATFORM", "OS", "OSVERSION", "ARCH", "VARIANT")
_PREDEFINED = ("TARGETSTAGE", *(side + part for side in ("BUILD", "TARGET") for part in _PARTS))
# "dockerfile.v0" as the syntax is the builder's own.
_NO_IMAGES = ("", "scratch", "dockerfile.v0")

_DIRECTIVE = re.compile(r"\s*#\s*(syntax|escape|check)\s*=(.*)", re.IGNORECASE)
_FLAG = re.compile(r"""\s*--([\w-]+)(?:=((?:"[^"]*"|'[^']*'|\S)*))?""")
_WORD = re.compile(r"""(?:<<-?[ \t]*|'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\])+""")
_HEREDOC = re.compile(r"\d*<<(-?)\s*([^<]+)")
_QUOTING = re.compile(r"""\\(.)|['"]""")


def dockerfile_images(
    text: str, arguments: Mapping[str, Tree], target: str | None = None
) -> list[Tree]:
    """Return each image that building ``target`` pulls, once a platform, in order of appearance.

    An element has an ``image`` and a ``platform``: the one that ``FROM --platform`` names, None
    where the build decides. ``target`` is a stage, None the last one. ``arguments`` are the
    build's; an image that depends on one that is unknown is Mark.UNKNOWN, on one that only the
    builder knows Mark.UNRESOLVED. A text that makes no sense gives what can be read of it.
    """
    lines = text.removeprefix("\ufeff").split("\n")
    directives = _directives(lines)
    escape = "`" if directives.get("escape") == "`" else "\\"
    given = {name: _known(value) for name, value in arguments.items() if value is not None}
    stages = _stages(_instructions(iter(lines), escape), given, escape)
    syntax = given.get("BUILDKIT_SYNTAX", directives.get("syntax", ""))
    pulls: list[_Pull] = [(syntax.partition(" ")[0], None), *_external(stages, target)]
    return [
        {"image": _marked(image), "platform": platform}
        for image, platform in dict.fromkeys(pulls)
        if image not in _NO_IMAGES
    ]


def _known(value: Tree) -> str:
    if isinstance(value, str):
        return value
    return _UNKNOWN if value is Mark.UNKNOWN else _UNRESOLVED


def _marked(text: str) -> str | Mark:
    return next((mark for sign, mark in _MARKS.items() if sign in text), text)


def _directives(lines: Iterable[str]) -> dict[str, str]:
    """Return the directives: they are comments above everything else, other comments included."""
    directives: dict[str, str] = {}
    for line in lines:
        directive = _DIRECTIVE.match(line)
        if directive is None:
            break
        directives.setdefault(directive[1].lower(), directive[2].strip())
    return directives


@dataclass(frozen=True, slots=True)
class _Instruction:
    keyword: str
    flags: tuple[tuple[str, str], ...]
    rest: str

    @classmethod
    def parse(cls, line: str) -> _Instruction:
        keyword, _, rest = line.strip().replace("\t", " ").partition(" ")
        flags, position = [], 0
        while flag := _FLAG.match(rest, position):
            flags.append((flag[1], re.sub("[\"']", "", flag[2] or "")))
            position = flag.end()
        return cls(keyword.lower(), tuple(flags), rest[position:].lstrip())

    def heredocs(self) -> Iterator[tuple[str, bool]]:
        """Yield the line that ends each heredoc, and whether tabs may stand in front of it."""
        if self.keyword == "onbuild":
            yield from _Instruction.parse(self.rest).heredocs()
        if self.keyword not in ("run", "copy", "add"):
            return
        for word in _WORD.findall(self.rest):
            if heredoc := _HEREDOC.fullmatch(word):
                yield _QUOTING.sub(r"\1", heredoc[2]), bool(heredoc[1])

    def sources(self) -> Iterator[str]:
        """Yield the images and stages that a COPY or a RUN reads from."""
        for name, value in self.flags:
            if (self.keyword, name) == ("copy", "from"):
                yield value
            elif (self.keyword, name) == ("run", "mount"):
                fields = (each.partition("=") for each in value.split(","))
                yield from (source for key, _, source in fields if key.lower() == "from")


def _instructions(lines: Iterator[str], escape: str) -> Iterator[_Instruction]:
    for line in _joined(lines, escape):
        instruction = _Instruction.parse(line)
        for end, may_be_indented in instruction.heredocs():
            for body in lines:
                if end == (body.lstrip("\t") if may_be_indented else body).rstrip("\r"):
                    break
        yield instruction


def _joined(lines: Iterator[str], escape: str) -> Iterator[str]:
    """Yield ``lines`` with those that continue another one joined, without comments."""
    parts: list[str] = []
    for line in lines:
        # Comments and empty lines end no instruction: it goes on below them.
        if line.lstrip()[:1] in ("", "#"):
            continue
        line = line.rstrip(" \t\r")
        continued = line.endswith(escape) and not line.endswith(escape * 2)
        parts.append(line[:-1] if continued else line)
        if not continued:
            yield "".join(parts)
            parts = []
    yield "".join(parts)


@dataclass(frozen=True, slots=True)
class _Stage:
    name: str
    base: _Pull
    parent: int | None
    sources: list[str] = field(default_factory=list)


def _stages(
    instructions: Iterable[_Instruction], given: Mapping[str, str], escape: str
) -> list[_Stage]:
    """Return the stages. Only an ARG above the first of them counts in a FROM."""
    values = {name: given.get(name, _UNRESOLVED) for name in _PREDEFINED}
    stages: list[_Stage] = []
    numbers: dict[str, int] = {}
    for instruction in instructions:
        if instruction.keyword == "from":
            base, as_, name, *_ = (*instruction.rest.split(), "", "", "")
            name = name.lower() if as_.lower() == "as" else ""
            base = _expanded(base, values, escape)
            platform = _expanded(dict(instruction.flags).get("platform", ""), values, escape)
            is_known = platform and isinstance(_marked(platform), str)
            pull = (base, platform if is_known else None)
            stages.append(_Stage(name, pull, numbers.get(base.lower())))
            if name:
                numbers[name] = len(stages) - 1
        elif stages:
            # The builder refuses variables here: they would make the stages' order depend on them.
            stages[-1].sources.extend(each for each in instruction.sources() if "$" not in each)
        elif instruction.keyword == "arg":
            for word in _WORD.findall(instruction.rest):
                name, has_default, default = word.partition("=")
                if name in given:
                    values[name] = given[name]
                elif has_default:
                    values[name] = _expanded(default, values, escape)
    return stages


def _external(stages: list[_Stage], target: str | None) -> Iterator[_Pull]:
    """Yield what the stages that ``target`` needs, and only these, pull from a registry."""
    numbers = {str(number): number for number in range(len(stages))}
    numbers |= {stage.name: number for number, stage in enumerate(stages) if stage.name}
    last = len(stages) - 1
    open_ = [numbers.get(target.lower()) if target is not None else last if stages else None]
    needed: set[int] = set()
    while open_:
        number = open_.pop()
        if number is not None and number not in needed:
            needed.add(number)
            stage = stages[number]
            open_ += (stage.parent, *(numbers.get(each.lower()) for each in stage.sources))
    for number in sorted(needed):
        stage = stages[number]
        if stage.parent is None:
            yield stage.base
        for source in stage.sources:
            if source.lower() not in numbers and not source.isdecimal():
                yield source, None


@cache
def _pieces(escape: str) -> re.Pattern[str]:
    return re.compile(
        rf"""\$\{{(?P<opened>\w+)(?P<operator>:?[-+?]|[\#%/])? | (?P<closed>\}}) | \$(?P<name>\w+)
        | {re.escape(escape)}(?P<escaped>.) | '(?P<single>[^']*)' | (?P<double>") | (?P<plain>.)""",
        re.VERBOSE | re.DOTALL,
    )


def _expanded(text: str, values: Mapping[str, str], escape: str) -> str:
    """Return ``text`` with ``values`` for its variables and without its quotes."""
    heads: list[tuple[str, str]] = []
    parts: list[list[str]] = [[]]
    for piece in _pieces(escape).finditer(text):
        if piece["opened"]:
            heads.append((piece["opened"], piece["operator"] or ""))
            parts.append([])
        elif piece["closed"] and heads:
            word = "".join(parts.pop())
            name, operator = heads.pop()
            parts[-1].append(_substituted(values.get(name), operator, word))
        elif piece["name"]:
            parts[-1].append(values.get(piece["name"], ""))
        else:
            parts[-1] += filter(None, piece.group("escaped", "single", "plain", "closed"))
    return "" if heads else "".join(parts[0])


def _substituted(value: str | None, operator: str, word: str) -> str:
    """Return what ``${NAME}`` stands for, or ``${NAME:-word}`` and its like."""
    if value is not None and value in _MARKS:
        return value
    is_set = value is not None and (value != "" or ":" not in operator)
    if operator.endswith("-") and not is_set:
        return word
    if operator.endswith("+"):
        return word if is_set else ""
    if operator in ("#", "%", "/") and value:
        return _UNRESOLVED  # patterns, which only the builder matches
    return value or ""
