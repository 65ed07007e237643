"""The images that the build of a Dockerfile pulls.

Sources: Docker documentation, "Dockerfile reference"; for what that leaves open, the source of the
builder, moby/buildkit ``frontend/dockerfile``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TypeAlias

from layerguard.discovery.tree import Mark, Tree, text_of

MAX_EXPANDED = 65_536
"""Characters of all values that stand in the place of a variable. References need few of them."""

_Pull: TypeAlias = "tuple[str, str | None]"
"""A reference, or the name of a stage, and the platform that the text asks for."""

# They stand in a text for a value that is not known. No reference has these characters.
_UNRESOLVED = "\1"
_MARKS = {"\0": Mark.UNKNOWN, "\2": Mark.HIDDEN, _UNRESOLVED: Mark.UNRESOLVED}
_SIGNS = {mark: sign for sign, mark in _MARKS.items()}
# Arguments that need no ARG, with values that only the builder knows.
_PARTS = ("PLATFORM", "OS", "OSVERSION", "ARCH", "VARIANT")
_PREDEFINED = ("TARGETSTAGE", *(side + part for side in ("BUILD", "TARGET") for part in _PARTS))
# "dockerfile.v0" as the syntax is the builder's own.
_NO_IMAGES = ("", "scratch", "dockerfile.v0")

_DIRECTIVE = re.compile(r"\s*#\s*(syntax|escape|check)\s*=(.*)", re.IGNORECASE)
_FLAG = re.compile(r"""\s*--([\w-]+)(?:=((?:"[^"]*"|'[^']*'|\S)*))?""")
_WORD = re.compile(r"""(?:<<-?[ \t]*|'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\])+""")
_HEREDOC = re.compile(r"\d*<<(-?)[ \t]*([^<\s][^<]*)")
_QUOTING = re.compile(r"""\\(.)|['"]""")


def dockerfile_images(
    text: str, arguments: Mapping[str, Tree], target: str | None = None
) -> list[Tree]:
    """Return each image that building ``target`` pulls, once a platform, in order of appearance.

    An element has an ``image`` and a ``platform``: the one that ``FROM --platform`` names, None
    where the build decides. ``target`` is a stage, None the last one. ``arguments`` are the
    build's; an image that depends on one that is unknown or hidden is that mark, on one that only
    the builder knows Mark.UNRESOLVED. A text that makes no sense gives what can be read of it.
    """
    lines = text.removeprefix("\ufeff").split("\n")
    directives = _directives(lines)
    escape = "`" if directives.get("escape") == "`" else "\\"
    given = {name: _known(value) for name, value in arguments.items() if value is not None}
    stages = _stages(_instructions(iter(lines), escape), _Variables(given, escape))
    syntax = given.get("BUILDKIT_SYNTAX", directives.get("syntax", ""))
    frontend = text_of(syntax.partition(" ")[0], syntax)
    pulls: list[_Pull] = [(frontend, None), *_pulled(stages, target)]
    return [
        {"image": _marked(image), "platform": platform}
        for image, platform in dict.fromkeys(pulls)
        if image not in _NO_IMAGES
    ]


def _known(value: Tree) -> str:
    if isinstance(value, str):
        return value
    return _SIGNS.get(value, _UNRESOLVED) if isinstance(value, Mark) else _UNRESOLVED


def _marked(text: str) -> str | Mark:
    return next((mark for sign, mark in _MARKS.items() if sign in text), text)


def _directives(lines: Iterable[str]) -> dict[str, str]:
    """Return the directives: comments that stand above everything, also above other comments."""
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
        # The builder refuses a trigger of a trigger.
        instruction = _Instruction.parse(self.rest) if self.keyword == "onbuild" else self
        if instruction.keyword not in ("run", "copy", "add"):
            return
        for word in _WORD.findall(instruction.rest):
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


@cache
def _pieces(escape: str) -> re.Pattern[str]:
    escape = re.escape(escape)
    return re.compile(
        rf"""\$\{{(?P<opened>\w+)(?P<operator>:?[-+?]|[\#%/])? | (?P<closed>\}}) | \$(?P<name>\w+)
        | {escape}(?P<escaped>.) | '(?P<single>[^']*)' | (?P<double>")
        | (?P<plain>[^$}}'"{escape}]+|.)""",
        re.VERBOSE | re.DOTALL,
    )


class _Variables:
    """The arguments above the first FROM, the only ones that count in a FROM.

    ``given`` are the build's, which win over the defaults of the text.
    """

    def __init__(self, given: Mapping[str, str], escape: str) -> None:
        self._given = given
        self._pieces = _pieces(escape)
        self._values = {name: given.get(name, _UNRESOLVED) for name in _PREDEFINED}
        self._characters_left = MAX_EXPANDED

    def declare(self, arguments: str) -> None:
        """Take on what an ARG declares."""
        for word in _WORD.findall(arguments):
            name, has_default, default = word.partition("=")
            if name in self._given:
                self._values[name] = self._given[name]
            elif has_default:
                self._values[name] = self.expand(default)

    def expand(self, text: str) -> str:
        """Return ``text`` with the values of its variables and without its quotes.

        Values in values can grow without end: beyond ``MAX_EXPANDED`` the text is unresolved.
        """
        heads: list[tuple[str, str]] = []
        parts: list[list[str]] = [[]]
        for piece in self._pieces.finditer(text):
            value = None
            if piece["opened"]:
                heads.append((piece["opened"], piece["operator"] or ""))
                parts.append([])
            elif piece["closed"] and heads:
                word = _joined_text(parts.pop())
                name, operator = heads.pop()
                value = _substituted(self._values.get(name), operator, word)
            elif piece["name"]:
                value = self._values.get(piece["name"], "")
            else:
                parts[-1] += filter(None, piece.group("escaped", "single", "plain", "closed"))
            if value:
                self._characters_left -= len(value)
                if self._characters_left < 0:
                    return _UNRESOLVED
                parts[-1].append(value)
        return "" if heads else _joined_text(parts[0])


def _joined_text(parts: list[str]) -> str:
    return text_of("".join(parts), *parts)


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


@dataclass(frozen=True, slots=True)
class _Stage:
    name: str
    base: _Pull
    parent: int | None
    sources: list[str] = field(default_factory=list)


def _stages(instructions: Iterable[_Instruction], variables: _Variables) -> list[_Stage]:
    stages: list[_Stage] = []
    numbers: dict[str, int] = {}
    for instruction in instructions:
        if instruction.keyword == "from":
            stage = _stage(instruction, variables, numbers)
            if stage.name:
                numbers[stage.name] = len(stages)
            stages.append(stage)
        elif stages:
            # The builder refuses variables here: they would make the stages' order depend on them.
            stages[-1].sources.extend(each for each in instruction.sources() if "$" not in each)
        elif instruction.keyword == "arg":
            variables.declare(instruction.rest)
    return stages


def _stage(from_: _Instruction, variables: _Variables, numbers: Mapping[str, int]) -> _Stage:
    """Return the stage that a FROM begins; ``numbers`` are those of the stages above it."""
    base, as_, name, *_ = (*from_.rest.split(), "", "", "")
    base = variables.expand(base)
    platform = variables.expand(dict(from_.flags).get("platform", ""))
    is_known = platform and isinstance(_marked(platform), str)
    return _Stage(
        name.lower() if as_.lower() == "as" else "",
        (base, platform if is_known else None),
        numbers.get(base.lower()),
    )


def _pulled(stages: list[_Stage], target: str | None) -> Iterator[_Pull]:
    """Yield what the stages that ``target`` needs, and only these, pull from a registry."""
    numbers = {str(number): number for number in range(len(stages))}
    numbers |= {stage.name: number for number, stage in enumerate(stages) if stage.name}
    last = len(stages) - 1 if stages else None
    start = last if target is None else numbers.get(target.lower())
    for number in sorted(_needed(stages, numbers, start)):
        stage = stages[number]
        if stage.parent is None:
            yield stage.base
        for source in stage.sources:
            if source.lower() not in numbers and not source.isdecimal():
                yield source, None


def _needed(stages: list[_Stage], numbers: Mapping[str, int], start: int | None) -> set[int]:
    """Return the numbers of the stages that ``start`` is made from, its own among them."""
    needed: set[int] = set()
    ahead = [start]
    while ahead:
        number = ahead.pop()
        if number is not None and number not in needed:
            needed.add(number)
            stage = stages[number]
            ahead += (stage.parent, *(numbers.get(each.lower()) for each in stage.sources))
    return needed
