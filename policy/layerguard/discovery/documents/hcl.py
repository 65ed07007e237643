"""HCL2 documents, as Nomad's jobspecs are written in it.

Sources: HCL native syntax specification; Nomad documentation, "HCL2".
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from layerguard.discovery.documents.unreadable import DocumentUnreadable
from layerguard.discovery.tree import Mark, Tree

# Far beyond any jobspec, and far from where Python's own stack ends.
MAX_DEPTH = 100

_EXPRESSION = Mark.UNRESOLVED
# What Nomad itself fills in when a task starts stays in the text as it is written.
_AT_RUN_TIME = re.compile(r"\$\{(?:(?:attr|device|env|meta|node)\.[\w.-]+|NOMAD_\w+)\}")
_CONSTANTS: Mapping[str, Tree] = MappingProxyType({"true": True, "false": False, "null": None})
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_CLOSED = (*_CLOSING.values(), "end")
_ENDS = (*_CLOSED, "newline", ",")

_TOKEN = re.compile(
    r"""(?P<blank>[ \t]+|(?:\#|//)[^\n]*) | (?P<comment>/\*) | (?P<newline>\r?\n) | (?P<end>\Z)
    | (?P<name>[^\W\d][\w-]*) | (?P<number>-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
    | (?P<heredoc><<(?P<flush>-?)(?P<marker>[^\W\d][\w-]*)\r?\n)
    | (?P<symbol>[=!<>]=|=>|["+\-*/%<>=!?:.,&|()\[\]{}~])""",
    re.VERBOSE,
)
_SEQUENCE = r"\$\$\{|%%\{|\$\{|%\{|[$%]"
_QUOTED = re.compile(
    rf"""[^"\\$%\r\n]+|(?P<escape>\\(?:[nrt"\\]|u[0-9A-Fa-f]{{4}}|U[0-9A-Fa-f]{{8}}))|{_SEQUENCE}"""
)
_HEREDOC = re.compile(rf"[^$%]+|{_SEQUENCE}")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}


def read_hcl(text: str, variables: Mapping[str, Tree] = MappingProxyType({})) -> Tree:
    """Return the document in ``text``; raise DocumentUnreadable, with the line, when it is none.

    A block's labels are keys around its body; where blocks share type and labels, a list of their
    bodies stands there. An expression is Mark.UNRESOLVED, unless it is a literal or a variable that
    the document declares. The value of such a variable is the one in ``variables``, which are
    given from outside, or else its default.
    """
    text = text.removeprefix("\ufeff")
    document = _Reader(text, {}).document()
    declared = document.get("variable")
    if not isinstance(declared, dict):
        return document
    values = {
        name: variables[name] if name in variables else block["default"]
        for name, block in declared.items()
        if isinstance(block, dict) and (name in variables or "default" in block)
    }
    # A second reading, because a variable may be declared below its uses.
    return _Reader(text, values).document()


class _Reader:
    """Reads onwards from a position; what is not a literal it reads past."""

    def __init__(self, text: str, variables: Mapping[str, Tree], depth: int = 0) -> None:
        self._text = text
        self._variables = variables
        self._depth = depth
        self._position = 0
        self._newlines_count = True

    def document(self) -> dict[str, Tree]:
        body = self._body()
        self._expect("end")
        return body

    def template(self, literals: re.Pattern[str]) -> Tree:
        """Read literals and sequences, up to where there is neither."""
        parts: list[Tree] = []
        while piece := literals.match(self._text, self._position):
            filled_in_later = _AT_RUN_TIME.match(self._text, self._position)
            piece = filled_in_later or piece
            self._position = piece.end()
            text = piece[0]
            if filled_in_later:
                parts.append(text)
            elif text == "${":
                with self._newlines(count=False):
                    parts.append(self._expression())
                    self._expect("}")
            elif text == "%{":
                self._skip_to("}")
                parts.append(_EXPRESSION)
            elif piece.lastgroup == "escape":
                parts.append(_ESCAPES.get(text[1]) or self._character(text[2:]))
            else:
                parts.append(text[1:] if text in ("$${", "%%{") else text)
        if len(parts) == 1:
            return parts[0]
        if Mark.UNKNOWN in parts:
            return Mark.UNKNOWN
        known = [_as_text(part) for part in parts if isinstance(part, (str, int, float))]
        return "".join(known) if len(known) == len(parts) else _EXPRESSION

    def _unreadable(self, problem: str = "is not HCL") -> DocumentUnreadable:
        line = 1 + self._text.count("\n", 0, self._position)
        # The text of the line stays out of the message: it may hold a secret.
        return DocumentUnreadable(f"Line {line} {problem}.")

    def _next(self) -> re.Match[str]:
        """Return the token ahead, past blanks, comments and newlines that do not count."""
        while token := _TOKEN.match(self._text, self._position):
            if token.lastgroup == "comment":
                end = self._text.find("*/", token.end())
                if end < 0:
                    break
                self._position = end + 2
            elif token.lastgroup == "blank" or (
                token.lastgroup == "newline" and not self._newlines_count
            ):
                self._position = token.end()
            else:
                return token
        raise self._unreadable()

    def _peek(self) -> str:
        """Return the kind of the token ahead; a symbol is its own kind."""
        token = self._next()
        return token[0] if token.lastgroup == "symbol" else str(token.lastgroup)

    def _expect(self, kind: str) -> re.Match[str]:
        if self._peek() != kind:
            raise self._unreadable()
        token = self._next()
        self._position = token.end()
        return token

    def _accept(self, *kinds: str) -> bool:
        kind = self._peek()
        return kind in kinds and bool(self._expect(kind))

    @contextmanager
    def _newlines(self, *, count: bool) -> Iterator[None]:
        before, self._newlines_count = self._newlines_count, count
        yield
        self._newlines_count = before

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._unreadable("is nested too deeply")
        yield
        self._depth -= 1

    def _body(self) -> dict[str, Tree]:
        body: dict[str, Tree] = {}
        with self._deeper():
            while self._peek() not in ("}", "end"):
                if not self._accept("newline"):
                    self._attribute_or_block(body)
                    if self._peek() not in ("newline", "}", "end"):
                        raise self._unreadable()
        return body

    def _attribute_or_block(self, body: dict[str, Tree]) -> None:
        # Nomad's HCL takes a quoted name too: env { "KEY" = "value" }.
        names = [self._name()]
        if self._accept("="):
            if names[0] in body:
                raise self._unreadable("defines a name again")
            body[names[0]] = self._expression()
            return
        while self._peek() in ("name", '"'):
            names.append(self._name())
        self._expect("{")
        block = self._body()
        self._expect("}")
        for name in names[:-1]:
            inner = body.setdefault(name, {})
            if not isinstance(inner, dict):
                raise self._unreadable("ends a block with other labels than one before it")
            body = inner
        before = body.setdefault(names[-1], block)
        if isinstance(before, list):
            before.append(block)
        elif before is not block:
            body[names[-1]] = [before, block]

    def _name(self) -> str:
        name = self._quoted() if self._peek() == '"' else self._expect("name")[0]
        if not isinstance(name, str):
            raise self._unreadable()
        return name

    def _expression(self) -> Tree:
        with self._deeper():
            value = self._operand()
            if self._peek() in _ENDS:
                return value
            while self._peek() not in _ENDS:
                self._skip()
        return _EXPRESSION

    def _operand(self) -> Tree:
        kind = self._peek()
        if kind == '"':
            return self._quoted()
        if kind == "heredoc":
            return self._heredoc()
        if kind == "number":
            return _number(self._expect(kind)[0])
        if kind == "[":
            return self._list()
        if kind == "{":
            return self._object()
        if self._accept("("):
            with self._newlines(count=False):
                value = self._expression()
                self._expect(")")
            return value
        if kind == "name":
            name = self._expect(kind)[0]
            if name == "var" and self._accept("."):
                return self._variables.get(self._expect("name")[0], _EXPRESSION)
            return _CONSTANTS.get(name, _EXPRESSION)
        self._skip()
        return _EXPRESSION

    def _skip(self) -> None:
        kind = self._peek()
        if kind == '"':
            self._quoted()
        elif kind == "heredoc":
            self._heredoc()
        elif kind in _ENDS:
            raise self._unreadable()
        else:
            self._expect(kind)
            if kind in _CLOSING:
                self._skip_to(_CLOSING[kind])

    def _skip_to(self, closing: str) -> None:
        with self._deeper(), self._newlines(count=False):
            while not self._accept(closing):
                if not self._accept(","):
                    self._skip()

    def _for(self, closing: str) -> bool:
        """Read past the rest of a for expression, if there is one."""
        with self._newlines(count=False):
            is_there = self._next()[0] == "for"
        if is_there:
            self._skip_to(closing)
        return is_there

    def _list(self) -> Tree:
        elements: list[Tree] = []
        self._expect("[")
        if self._for("]"):
            return _EXPRESSION
        with self._newlines(count=False):
            while not self._accept("]"):
                elements.append(self._expression())
                if self._peek() != "]":
                    self._expect(",")
        return elements

    def _object(self) -> Tree:
        members: dict[str, Tree] = {}
        self._expect("{")
        if self._for("}"):
            return _EXPRESSION
        with self._newlines(count=True):
            while not self._accept("}"):
                if self._accept("newline"):
                    continue
                key = self._expect("name")[0] if self._peek() == "name" else self._operand()
                if not self._accept("=", ":"):
                    raise self._unreadable()
                value = self._expression()
                # A key that is an expression cannot be told, and neither can whose value it is.
                if isinstance(key, (str, int, float)):
                    members[_as_text(key)] = value
                if self._peek() != "}" and not self._accept(",", "newline"):
                    raise self._unreadable()
        return members

    def _quoted(self) -> Tree:
        self._expect('"')
        value = self.template(_QUOTED)
        if not self._text.startswith('"', self._position):
            raise self._unreadable()
        self._position += 1
        return value

    def _heredoc(self) -> Tree:
        opening = self._expect("heredoc")
        self._position = opening.start()  # where an error in the heredoc is told
        marker = re.compile(rf"^[ \t]*{opening['marker']}[ \t\r]*$", re.MULTILINE)
        end = marker.search(self._text, opening.end())
        if end is None:
            raise self._unreadable()
        body = self._text[opening.end() : end.start()]
        try:
            reader = _Reader(
                _flushed(body) if opening["flush"] else body, self._variables, self._depth
            )
            value = reader.template(_HEREDOC)
        except DocumentUnreadable as error:
            raise self._unreadable() from error
        self._position = end.end()
        return value

    def _character(self, digits: str) -> str:
        code = int(digits, 16)
        if code > sys.maxunicode or 0xD800 <= code <= 0xDFFF:
            raise self._unreadable()
        return chr(code)


def _flushed(body: str) -> str:
    """Return ``body`` without the indentation that all its lines have."""
    lines = body.split("\n")
    indents = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
    indent = min(indents, default=0)
    return "\n".join(line[indent:] if line.strip() else line for line in lines)


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)  # a fraction, or more digits than int() takes


def _as_text(value: str | int | float) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)
