"""HCL: what a jobspec says, and what of it is not plain data."""

from __future__ import annotations

import contextlib
import json
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerguard.discovery.documents.hcl import MAX_DEPTH, read_hcl
from layerguard.discovery.documents.unreadable import DocumentUnreadable
from layerguard.discovery.tree import Mark, Tree

from tests.fakes import HOST

JOBSPEC = f"""\
# The shop.
variable "registry" {{
  type    = string
  default = "{HOST}"
}}

variable "tag" {{ type = string }}

job "shop" {{
  datacenters = ["eu-west-1a", "eu-west-1b",]
  type        = "service" // not a batch job

  constraint {{
    attribute = "${{attr.cpu.arch}}"
    value     = "arm64"
  }}
  constraint {{
    operator = "distinct_hosts"
    value    = true
  }}

  group "web" {{
    count = 3

    network {{
      port "http" {{ to = 8080 }}
      port "metrics" {{
        to = 9090
      }}
    }}

    /* Two tasks:
       one goes first. */
    task "migrate" {{
      driver = "docker"
      lifecycle {{
        hook    = "prestart"
        sidecar = false
      }}
      config {{
        image = "${{var.registry}}/shop/migrate:${{var.tag}}"
      }}
    }}

    task "server" {{
      driver = "docker"
      config {{
        image      = "${{var.registry}}/shop/web:1.4.2"
        args       = ["-bind", "${{NOMAD_ADDR_http}}", "-level", var.level]
        force_pull = true
        labels     = {{ team = "shop", "cost center": 12 }}
        mount {{
          type   = "bind"
          target = "/etc/shop"
        }}
      }}
      env {{
        "LOG_LEVEL" = "info"
        TAGS        = join(",", ["a", "b"])
      }}
      template {{
        data = <<-EOF
          {{{{ with secret "db" }}}}
            password = $${{password}}
          {{{{ end }}}}
          EOF
        destination = "local/db.conf"
      }}
      resources {{
        cpu    = 500
        memory = 512.5
      }}
    }}
  }}
}}
"""


def test_a_jobspec_reads_as_nested_dicts() -> None:
    assert read_hcl(JOBSPEC) == {
        "variable": {
            "registry": {"type": Mark.UNRESOLVED, "default": HOST},
            "tag": {"type": Mark.UNRESOLVED},
        },
        "job": {
            "shop": {
                "datacenters": ["eu-west-1a", "eu-west-1b"],
                "type": "service",
                "constraint": [
                    {"attribute": "${attr.cpu.arch}", "value": "arm64"},
                    {"operator": "distinct_hosts", "value": True},
                ],
                "group": {
                    "web": {
                        "count": 3,
                        "network": {"port": {"http": {"to": 8080}, "metrics": {"to": 9090}}},
                        "task": {
                            "migrate": {
                                "driver": "docker",
                                "lifecycle": {"hook": "prestart", "sidecar": False},
                                "config": {"image": Mark.UNRESOLVED},
                            },
                            "server": {
                                "driver": "docker",
                                "config": {
                                    "image": f"{HOST}/shop/web:1.4.2",
                                    "args": [
                                        "-bind",
                                        "${NOMAD_ADDR_http}",
                                        "-level",
                                        Mark.UNRESOLVED,
                                    ],
                                    "force_pull": True,
                                    "labels": {"team": "shop", "cost center": 12},
                                    "mount": {"type": "bind", "target": "/etc/shop"},
                                },
                                "env": {"LOG_LEVEL": "info", "TAGS": Mark.UNRESOLVED},
                                "template": {
                                    "data": '{{ with secret "db" }}\n  password = ${password}\n'
                                    "{{ end }}\n",
                                    "destination": "local/db.conf",
                                },
                                "resources": {"cpu": 500, "memory": 512.5},
                            },
                        },
                    }
                },
            }
        },
    }


def test_windows_line_ends_change_nothing_outside_heredocs() -> None:
    text = JOBSPEC[: JOBSPEC.index("      template {")] + "}}}"
    assert read_hcl(text.replace("\n", "\r\n")) == read_hcl(text)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ('"a"', "a"),
        ('""', ""),
        (r'"\"\\\n\r\t\u00e9\U0001F600"', '"\\\n\r\té😀'),
        ('"$${a} %%{b} $ % $5 100%"', "${a} %{b} $ % $5 100%"),
        ("0", 0),
        ("-7", -7),
        ("1.50", 1.5),
        ("2e3", 2000.0),
        ("9" * 5000, float("inf")),
        ("true", True),
        ("false", False),
        ("null", None),
        ("[]", []),
        ("[1, [2],\n  # two\n  3,\n]", [1, [2], 3]),
        ("{}", {}),
        ("{ a = 1, b: 2 }", {"a": 1, "b": 2}),
        ('{\n  a = 1\n  "b c" = 2,\n\n  3 : [4]\n}', {"a": 1, "b c": 2, "3": [4]}),
        ("{ (var.none) = 1, (var.name) = 2 }", {"x": 2}),
        ('("a")', "a"),
        ("(\n1\n)", 1),
        ("<<EOF\n  a\n  b\nEOF", "  a\n  b\n"),
        ("<<EOF\n  EOF", ""),
        ("<<-EOF\n    a\n \n      b\n  EOF", "a\n \n  b\n"),
        ('<<EOF\n"\\n" $${x} ${var.name}\nEOF', '"\\n" ${x} x\n'),
        ("var.name", "x"),
        ('"${var.name}"', "x"),
        ('"${var.number}"', 1),
        ('"${ var.name }-${var.number}-${var.yes}-${1.0}"', "x-1-true-1"),
        ('["${var.name}", { a = var.list }]', ["x", {"a": ["y"]}]),
    ],
)
def test_a_literal_and_a_variable_with_a_default_are_plain(expression: str, value: Tree) -> None:
    text = (
        f"a = {expression}\n"
        'variable "name" { default = "x" }\nvariable "number" { default = 1 }\n'
        'variable "yes" { default = true }\nvariable "list" { default = ["y"] }\n'
    )
    document = read_hcl(text)
    assert isinstance(document, dict)
    assert document["a"] == value
    assert type(document["a"]) is type(value)


@pytest.mark.parametrize(
    "expression",
    [
        "local.x",
        "var.none",
        "var.name.x",
        "var",
        "1 + 2",
        "-var.none",
        "!true",
        'upper("x")',
        "f(\n  1,\n  g({ a = 1 })...\n)",
        "provider::f(1)",
        '"a"[0]',
        "a[*].b",
        'a ? "b" : "c"',
        "a == 1 && b != 2 || c >= 3",
        '(a ? "b" : "c")',
        "[for x in y : x if x]",
        "{ for k, v in x : k => v... }",
        "{\n  for k, v in x : k => v\n}",
        '"a-${var.none}"',
        '"a-${var.list}"',
        '"a-${var.nothing}"',
        '"a ${~ var.name ~} b"',
        '"${f("}")}"',
        '"%{ if a }b%{ else }c%{ endif }"',
        '"%{ for a, b in c }d%{ endfor }"',
    ],
)
def test_every_other_expression_is_unresolved_and_leaves_its_neighbours(expression: str) -> None:
    text = (
        f'a = {expression}\nb = [{expression}\n, 1]\nc = {{\n k = {expression}\n l = "m"\n}}\n'
        'variable "name" { default = "x" }\nvariable "list" { default = ["y"] }\n'
        'variable "nothing" { default = null }\n'
    )
    document = read_hcl(text)
    assert isinstance(document, dict)
    assert (document["a"], document["b"], document["c"]) == (
        Mark.UNRESOLVED,
        [Mark.UNRESOLVED, 1],
        {"k": Mark.UNRESOLVED, "l": "m"},
    )


def test_a_value_from_outside_comes_before_the_default_of_a_declared_variable() -> None:
    text = 'a = "web:${var.tag}"\nb = var.other\nvariable "tag" { default = "1" }\n'
    declared: Tree = {"tag": {"default": "1"}}
    assert read_hcl(text, {"tag": "2", "other": "3"}) == {
        "a": "web:2",
        "b": Mark.UNRESOLVED,
        "variable": declared,
    }
    assert read_hcl(text, {"tag": Mark.UNKNOWN}) == {
        "a": Mark.UNKNOWN,
        "b": Mark.UNRESOLVED,
        "variable": declared,
    }


@pytest.mark.parametrize(
    ("text", "document"),
    [
        ("", {}),
        ("\ufeff\n# nothing\n", {}),
        ("a {}", {"a": {}}),
        ("a { b = 1 }", {"a": {"b": 1}}),
        ("a {\n b = 1 }", {"a": {"b": 1}}),
        ('a "b" c {\n}', {"a": {"b": {"c": {}}}}),
        ('a "b" { x = 1 }\na "c" { x = 2 }', {"a": {"b": {"x": 1}, "c": {"x": 2}}}),
        ("a { x = 1 }\na {}\na { x = 3 }", {"a": [{"x": 1}, {}, {"x": 3}]}),
        ('a "b" { x = 1 }\na "b" { x = 2 }', {"a": {"b": [{"x": 1}, {"x": 2}]}}),
        ("a = 1 /* one */\n/* b = 2\n*/ c = 3 # d", {"a": 1, "c": 3}),
        ("größe-2_x = 1", {"größe-2_x": 1}),
        ('"quoted name" = 1', {"quoted name": 1}),
    ],
)
def test_blocks_nest_by_their_labels_and_repeat_as_lists(text: str, document: Tree) -> None:
    assert read_hcl(text) == document


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("hunter2", 1),
        ("\n}", 2),
        ("a {\n\n", 3),
        ("a = \nb = 1", 1),
        ("a = hunter2 = 'x'", 1),
        ("a = 1, b = 2", 1),
        ("a = 1\na = 2", 2),
        ("\n\na = ]", 3),
        ("a = [1 2", 1),
        ("a = [hunter2}", 1),
        ("a = [1", 1),
        ("a = { b }", 1),
        ("a = { b = 1 c = 2", 1),
        ("a = f(]", 1),
        ('a = "hunter2', 1),
        ('a = "hunter2\n"', 1),
        (r'a = "\q"', 1),
        (r'a = "\ud800"', 1),
        (r'a = "\UFFFFFFFF"', 1),
        ('a = "${hunter2"', 1),
        ('a = "${}"', 1),
        ("b = 1\na = <<EOF\nhunter2\n", 2),
        ("b = 1\na = <<EOF\n\n${\nEOF\n", 2),
        ("/* hunter2", 1),
        ('a "${var.x}" {}', 1),
        ("a { x = 1 }\na {}\na b {}", 3),
        ("\x00", 1),
        ("{}", 1),
        ('{"job": {}}', 1),
    ],
)
def test_a_text_that_is_not_hcl_is_unreadable_at_a_line_and_is_not_shown(
    text: str, line: int
) -> None:
    with pytest.raises(DocumentUnreadable) as raised:
        read_hcl(text)
    assert re.fullmatch(rf"Line {line} [a-z HCL]+\.", str(raised.value))


@pytest.mark.parametrize(
    ("head", "opening", "inside", "closing"),
    [
        ("", "a {\n", "", "}\n"),
        ("a = ", "[", "1", "]"),
        ("a = ", "{ b = ", "1", "}"),
        ("a = ", "(", "1", ")"),
        ("a = ", "f(", "1", ")"),
        ("a = ", "- [", "1", "]"),
        ("a = ", '"${', "1", '}"'),
        ("a = ", '"%{ if ', "b", '}"'),
    ],
)
def test_a_document_may_be_deep_up_to_a_bound(
    head: str, opening: str, inside: str, closing: str
) -> None:
    deep = MAX_DEPTH // 2 - 1
    assert read_hcl(head + opening * deep + inside + closing * deep)
    for too_deep in (MAX_DEPTH + 1, 50_000):
        with pytest.raises(DocumentUnreadable, match=r"^Line \d+ is nested too deeply\.$"):
            read_hcl(head + opening * too_deep + inside + closing * too_deep)


def test_a_document_may_be_as_wide_as_it_is() -> None:
    blocks: list[Tree] = [{}] * (MAX_DEPTH + 1)
    elements: list[Tree] = ["x"] * (MAX_DEPTH + 1)
    text = "a {}\n" * len(blocks) + "b = [" + '"${"x"}",' * len(elements) + "]"
    assert read_hcl(text) == {"a": blocks, "b": elements}


def test_heredocs_in_heredocs_are_bounded_too() -> None:
    levels = range(MAX_DEPTH + 1)
    text = "a = " + "".join(f"<<E{level}\n${{" for level in levels)
    text += "1" + "".join(f"}}\nE{level}\n" for level in reversed(levels))
    with pytest.raises(DocumentUnreadable, match=r"^Line 1 is not HCL\.$"):
        read_hcl(text)


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "/*" * 200_000,
        "a = [" + "1, " * 50_000 + "]",
        "a = " + "- " * 50_000 + "1",
        'a = "' + "$${" * 50_000 + '"',
        "a = <<EOF\n" + "  EO\n" * 50_000 + "EOF",
        "a = 1 " + "\n" * 100_000,
        "a = " + " " * 100_000 + "1",
        "a" * 200_000,
    ],
)
def test_a_long_text_does_not_hold_the_reader_up(text: str) -> None:
    start = time.monotonic()
    with contextlib.suppress(DocumentUnreadable):
        read_hcl(text)
    assert time.monotonic() - start < 10


_PIECES = st.sampled_from(
    [
        *(
            "a",
            "b",
            "=",
            ":",
            ",",
            '"',
            "${",
            "%{",
            "}",
            "{",
            "[",
            "]",
            "(",
            ")",
            "var.a",
            "1",
            "-",
        ),
        *("<<EOF\n", "<<-EOF\n", "EOF", ".", "?", "for", "null", "#", "//", "/*", "*/"),
        *("\\", "\\n", "\\ud800", "$${", "~", "\0", "ß", " ", "\n", "\r\n"),
        'variable "a" { default = 1 }\n',
    ]
)


@given(
    st.text()
    | st.lists(_PIECES).map("".join)
    | st.lists(_PIECES).map(lambda x: "a = " + "".join(x))
)
def test_any_text_reads_or_is_unreadable(text: str) -> None:
    try:
        assert isinstance(read_hcl(text), dict)
    except DocumentUnreadable as error:
        assert re.fullmatch(r"Line \d+ [a-z HCL]+\.", str(error))


_NAMES = st.from_regex(r"[a-z_][a-z0-9_-]{0,8}", fullmatch=True).filter(
    lambda name: name not in ("for", "variable")
)
_PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs", "Cc"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=8,
)


def printed(value: Tree) -> str:
    """Print plain data as HCL; JSON's strings differ in what begins a sequence."""
    if isinstance(value, dict):
        return "{\n" + "".join(f"{key} = {printed(each)}\n" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(printed(each) for each in value) + "]"
    text = json.dumps(value, ensure_ascii=False)
    return text.replace("${", "$${").replace("%{", "%%{") if isinstance(value, str) else text


def printed_body(body: dict[str, Tree]) -> str:
    return "".join(f"{key} = {printed(each)}\n" for key, each in body.items())


@given(
    st.dictionaries(_NAMES, _PLAIN, max_size=3),
    st.dictionaries(_NAMES, st.dictionaries(_NAMES, _PLAIN, max_size=3), min_size=1, max_size=3),
)
def test_a_jobspec_that_is_printed_reads_back(
    job: dict[str, Tree], tasks: dict[str, dict[str, Tree]]
) -> None:
    job.pop("task", None)
    blocks = "".join(f'task "{name}" {{\n{printed_body(task)}}}\n' for name, task in tasks.items())
    text = f'job "web" {{\n{printed_body(job)}{blocks}}}\n'
    assert read_hcl(text) == {"job": {"web": {**job, "task": tasks}}}


def test_what_nomad_fills_in_at_run_time_stays_as_it_is_written() -> None:
    text = 'a = "${attr.cpu.arch}"\nb = "x-${NOMAD_META_tag}-${var.a}"\nc = "${node.class}"'
    assert read_hcl(text + '\nvariable "a" { default = "1" }') == {
        "a": "${attr.cpu.arch}",
        "b": "x-${NOMAD_META_tag}-1",
        "c": "${node.class}",
        "variable": {"a": {"default": "1"}},
    }
