"""Text that no runtime parses as an image reference: what it is likely to be, and what to do."""

from __future__ import annotations

from typing import NamedTuple

_LONGEST_QUOTE = 64


class _Cause(NamedTuple):
    marks: tuple[str, ...]
    words: str


# The first row with a mark in the text says the cause. Sources: Output's __str__, toString and
# String in Pulumi's SDKs; text/template and fmt of Go; ECMAScript's Object.prototype.toString.
_CAUSES = (
    _Cause(
        ("Calling __str__ on an Output", "<pulumi.output.Output", "pulumi.output.Output object"),
        "The program (Python) puts an Output into a string, before its value is known. Use "
        "apply, pulumi.Output.concat or pulumi.Output.format; for JSON pulumi.Output.json_dumps.",
    ),
    _Cause(
        ("Calling [toString] on an [Output<T>]", "Calling [toJSON] on an [Output<T>]"),
        "The program (JavaScript) puts an Output into a string, before its value is known. Use "
        "pulumi.interpolate, pulumi.concat or apply; for JSON pulumi.jsonStringify.",
    ),
    _Cause(
        ("Calling [ToString] on an [Output<T>]", "Pulumi.Output`1", "Pulumi.Input`1"),
        "The program (.NET) puts an Output into a string, before its value is known. Use "
        "Output.Format or Apply; for JSON Output.JsonSerialize.",
    ),
    _Cause(
        ("com.pulumi.core", "Calling [toString] on an [Output"),
        "The program (Java) puts an Output into a string, before its value is known. Use "
        "Output.format or applyValue; for JSON Output.json.",
    ),
    _Cause(
        ("%!", "0xc0", "&{", "Calling String on an Output"),
        "The program (Go) formats an Output or another value that is no string. Use "
        "pulumi.Sprintf or ApplyT; for JSON pulumi.JSONMarshal.",
    ),
    _Cause(
        ("[object ",),
        "The program (JavaScript) puts an object into a string. An Output's value is had with "
        "pulumi.interpolate or apply, an image's with a property of it such as imageUri.",
    ),
    _Cause(
        ("<no value>", "<nil>"),
        "A template has no value for a part of it: see the values that it is rendered with.",
    ),
    _Cause(
        ("!Sub ", "!Ref ", "!Join ", "!GetAtt ", "Fn::", "{{resolve:", "${AWS::"),
        "This is a function of CloudFormation, which nothing evaluates in this property.",
    ),
    _Cause(
        ("{{", "{%"),
        "This is a template that nothing renders in this property: render it in the program.",
    ),
    _Cause(
        ("${", "$("),
        "This is a variable that nothing fills in in this property. In the program's language it "
        'needs a string that is interpolated (pulumi.interpolate, an f-string, $"...").',
    ),
    _Cause(
        ("\ufeff",),
        "There is a byte order mark in it, as editors write it at the beginning of a file.",
    ),
    _Cause(
        ("\u200b", "\u200c", "\u200d", "\u2060", "\u00ad"),
        "There is a character of no width in it, as text that is copied from a page has it.",
    ),
    _Cause(
        ("://",),
        "The runtime takes no scheme in front of a reference: begin with the registry.",
    ),
    _Cause(("$",), "This is a variable that nothing fills in in this property."),
    _Cause(('{"', "{'", '["', "['"), "This is JSON, where an image reference is expected."),
    _Cause(
        ('"', "'", "`", "\u201c", "\u201d", "\u2018", "\u2019"),
        "There are quotation marks in it.",
    ),
    _Cause(("<", ">", "%"), "This is a placeholder that nothing fills in in this property."),
)


# How a printed value begins, which a reader of YAML or HCL takes for a document.
_PRINTED = ("[object ", "<pulumi.output.Output", "Calling __str__", "Calling [")


def is_printed_value(text: str) -> bool:
    """Tell whether ``text`` is what a program prints of an object or an Output, and no document."""
    return text.lstrip().startswith(_PRINTED)


def likely_cause(text: str) -> str | None:
    """Return in whole sentences why ``text`` is likely to be what it is; None where unknown."""
    for marks, words in _CAUSES:
        if any(mark in text for mark in marks):
            return words
    if any(each.isspace() for each in text):
        return "There is white space in the reference, or around it."
    return None


def quoted(text: str) -> str:
    """Return ``text`` in quotation marks, shortened where it is long."""
    return f"'{text}'" if len(text) <= _LONGEST_QUOTE else f"'{text[:_LONGEST_QUOTE]}...'"
