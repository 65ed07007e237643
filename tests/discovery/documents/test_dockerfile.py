"""Dockerfiles: which images their build pulls, and for which platform."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerguard.discovery.documents.dockerfile import dockerfile_images
from layerguard.discovery.tree import Mark, Tree

from tests.fakes import HOST

MULTI_STAGE = f"""\
# syntax=docker/dockerfile:1.7
# check=error=true

ARG REGISTRY={HOST}
ARG NODE_VERSION=22
ARG GO_IMAGE="${{REGISTRY}}/build/go:1.24"

# The front end.
FROM --platform=$BUILDPLATFORM node:${{NODE_VERSION}}-slim AS web
WORKDIR /src
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/var/cache/npm \\
    # comments may stand between continued lines
    npm ci

COPY . .
RUN npm run build

FROM --platform=linux/amd64 $GO_IMAGE AS Build
ARG NODE_VERSION=20
RUN --mount=type=bind,from={HOST}/build/tools:3,source=/bin,target=/tools <<-'EOF'
\tset -e
\tFROM ignored:1
\tgo build ./...
\tEOF

FROM build AS test
COPY --from={HOST}/build/fixtures:5 /data /data
RUN go test ./...

FROM scratch AS assets
COPY --from=web /src/dist /

FROM ${{REGISTRY}}/base/static@sha256:{"a" * 64}
LABEL from="FROM label:1"
COPY --from=BUILD /app /app
COPY --chown=1:1 --from=assets / /assets
COPY --from=public.ecr.aws/docker/library/busybox:1 /bin/sh /bin/sh
ENTRYPOINT ["/app"]
"""


def images(
    text: str, target: str | None = None, arguments: dict[str, Tree] | None = None
) -> list[Tree]:
    """Return the images alone; for their platforms there is pulls()."""
    found = dockerfile_images(text, arguments or {}, target)
    return [each["image"] for each in found if isinstance(each, dict)]


def pulls(text: str, **arguments: Tree) -> list[Tree]:
    return dockerfile_images(text, arguments)


def test_a_build_pulls_what_its_stages_start_from_copy_from_and_mount() -> None:
    assert dockerfile_images(MULTI_STAGE, {}) == [
        {"image": "docker/dockerfile:1.7", "platform": None},
        {"image": "node:22-slim", "platform": None},
        {"image": f"{HOST}/build/go:1.24", "platform": "linux/amd64"},
        {"image": f"{HOST}/build/tools:3", "platform": None},
        {"image": f"{HOST}/base/static@sha256:{'a' * 64}", "platform": None},
        {"image": "public.ecr.aws/docker/library/busybox:1", "platform": None},
    ]


def test_a_target_needs_its_own_stages_only() -> None:
    syntax = "docker/dockerfile:1.7"
    build = [f"{HOST}/build/go:1.24", f"{HOST}/build/tools:3"]
    assert images(MULTI_STAGE, "web") == [syntax, "node:22-slim"]
    assert images(MULTI_STAGE, "assets") == [syntax, "node:22-slim"]
    assert images(MULTI_STAGE, "TEST") == [syntax, *build, f"{HOST}/build/fixtures:5"]
    assert images(MULTI_STAGE, "no-such-stage") == [syntax]


def test_arguments_of_the_build_come_before_defaults() -> None:
    arguments: dict[str, Tree] = {"REGISTRY": "mirror.example", "NODE_VERSION": "23", "OTHER": "x"}
    assert images(MULTI_STAGE, arguments=arguments)[1:3] == [
        "node:23-slim",
        "mirror.example/build/go:1.24",
    ]


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("$A", ["x"]),
        ("${A}:1", ["x:1"]),
        ("$A-$A", ["x-x"]),
        ("${A:-d}", ["x"]),
        ("${A:+alt}", ["alt"]),
        ("${EMPTY:-d}", ["d"]),
        ("${EMPTY-d}", []),
        ("${EMPTY:+alt}", []),
        ("${NONE:-d}", ["d"]),
        ("${NONE-d}", ["d"]),
        ("${NONE:+alt}", []),
        ("${NONE:-${EMPTY:-${A}}}:1", ["x:1"]),
        ("${A:?unset}", ["x"]),
        ("$NONE", []),
        ("${DERIVED}", ["x/y"]),
        ("${QUOTED}", ["a b"]),
        ('"x:1"', ["x:1"]),
        ("'$A'", ["$A"]),
        ("\\$A", ["$A"]),
        ("${A%:*}", [Mark.UNRESOLVED]),
        ("x${A", []),
        ("$STAGE_ONLY", []),
        ("$UNDECLARED", []),
    ],
)
def test_a_from_is_expanded_with_the_arguments_above_the_first_one(
    image: str, expected: list[Tree]
) -> None:
    text = (
        "ARG A=x EMPTY=\nARG NONE\nARG DERIVED=${A}/y\nARG QUOTED='a b'\n"
        f"FROM scratch AS first\nARG STAGE_ONLY=s\nFROM {image}\n"
    )
    assert images(text, arguments={"UNDECLARED": "u"}) == expected


def test_an_image_is_as_unknown_as_the_argument_it_depends_on() -> None:
    text = (
        "ARG TAG=1\nARG UNUSED\nARG BASE=web:${TAG}\nFROM other:1 AS other\nFROM $BASE\n"
        "COPY --from=other / /\n"
    )
    assert images(text, arguments={"TAG": Mark.UNKNOWN, "UNUSED": Mark.UNKNOWN}) == [
        "other:1",
        Mark.UNKNOWN,
    ]
    assert images(text, arguments={"TAG": Mark.OPAQUE}) == ["other:1", Mark.UNRESOLVED]
    assert images(text, arguments={"TAG": None}) == ["other:1", "web:1"]
    for image in ("${A:-x}", "${A:+x}", "x:${A}"):
        assert images(f"ARG A\nFROM {image}", arguments={"A": Mark.UNKNOWN}) == [Mark.UNKNOWN]


@pytest.mark.parametrize(
    ("flag", "platform"),
    [
        ("--platform=linux/arm64", "linux/arm64"),
        ("--platform=linux/$CPU", "linux/arm64"),
        ('--platform="linux/arm64"', "linux/arm64"),
        ("--platform=$BUILDPLATFORM", None),
        ("--platform=${TARGETOS}/arm64", None),
        ("--platform=$CPU_UNKNOWN", None),
        ("--platform=", None),
        ("", None),
    ],
)
def test_a_platform_counts_where_the_text_or_an_argument_names_it(
    flag: str, platform: str | None
) -> None:
    text = f"ARG CPU=arm64\nARG CPU_UNKNOWN\nFROM {flag} base:1"
    assert pulls(text, CPU_UNKNOWN=Mark.UNKNOWN) == [{"image": "base:1", "platform": platform}]


def test_what_only_the_builder_knows_is_known_when_it_is_an_argument_of_the_build() -> None:
    text = "FROM --platform=$TARGETPLATFORM base-${TARGETARCH}:1"
    assert pulls(text) == [{"image": Mark.UNRESOLVED, "platform": None}]
    assert pulls(text, TARGETPLATFORM="linux/arm64", TARGETARCH="arm64") == [
        {"image": "base-arm64:1", "platform": "linux/arm64"}
    ]


def test_an_image_is_there_once_for_each_platform() -> None:
    text = (
        "FROM --platform=linux/arm64 a:1 AS arm\nFROM a:1 AS any\nFROM a:1\n"
        "COPY --from=arm / /\nCOPY --from=any / /\nCOPY --from=a:1 / /\n"
    )
    assert pulls(text) == [
        {"image": "a:1", "platform": "linux/arm64"},
        {"image": "a:1", "platform": None},
    ]


@pytest.mark.parametrize(
    "line",
    [
        "COPY --from=0 / /",
        "COPY --from=9 / /",
        "COPY --from=scratch / /",
        "COPY --from=LATER / /",
        "COPY --from=$IMAGE / /",
        "RUN --mount=type=bind,from=${IMAGE},target=/x true",
        "RUN --mount=type=cache,target=/x true",
        "ADD --from=b:1 / /",
        "ONBUILD COPY --from=b:1 / /",
        "RUN echo --mount=from=b:1",
        "COPY / --from=b:1",
        "# COPY --from=b:1 / /",
        'CMD ["FROM", "b:1"]',
    ],
)
def test_nothing_else_is_an_image(line: str) -> None:
    text = f"ARG IMAGE=b:1\nFROM a:1 AS built\n{line}\nFROM built AS later\n"
    assert images(text) == ["a:1"]


@pytest.mark.parametrize(
    "line",
    [
        "COPY --from=b:1 / /",
        "copy --chown=1:1 --from=b:1 / /",
        '  COPY --link --from="b:1" / /',
        "COPY \\\n  --from=b:1 / /",
        "COPY \\  \n# a comment\n\n  --from=b:1 \\\n / /",
        "RUN --mount=from=b:1,target=/x true",
        'RUN --mount=type=bind,"from=b:1",target=/x true',
        "RUN --network=none --mount=type=cache,target=/x --mount=type=bind,from=b:1 true",
        "RUN --mount=from=b:1,target=/x cat <<A <<-B\nFROM no:1\nB\nA\nFROM no:2\n\tB",
        "RUN cat <<'A B'\nCOPY --from=no:1 / /\nA B\nCOPY --from=b:1 / /",
        "COPY <<EOF /x\nFROM no:1\n EOF\nEOF\nCOPY --from=b:1 / /",
        "ONBUILD RUN <<EOF\nFROM no:1\nEOF\nCOPY --from=b:1 / /",
        'RUN ["echo", "<<EOF"]\nCOPY --from=b:1 / /',
        "RUN cat <<<EOF '<<EOF'\nCOPY --from=b:1 / /",
        "ENV A=<<EOF\nCOPY --from=b:1 / /",
        "RUN echo \\\\\nCOPY --from=b:1 / /",
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_an_instruction_is_read_whole_and_a_heredoc_is_not(line: str, newline: str) -> None:
    text = f"FROM a:1\n{line}\nRUN true\n".replace("\n", newline)
    assert images(text) == ["a:1", "b:1"]


def test_the_escape_directive_names_the_character_that_continues_a_line() -> None:
    text = "# escape=`\nFROM a:1\nCOPY x C:\\\nCOPY `\n --from=b:1 / /\n"
    assert images(text) == ["a:1", "b:1"]
    assert images(text.replace("# escape", "# a comment above\n# escape")) == ["a:1"]


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("# syntax=docker/dockerfile:1", ["docker/dockerfile:1"]),
        ("# syntax=docker/dockerfile:1 --option", ["docker/dockerfile:1"]),
        ("#SYNTAX = docker/dockerfile:1 \r", ["docker/dockerfile:1"]),
        ("# escape=\\\n# syntax=docker/dockerfile:1", ["docker/dockerfile:1"]),
        ("\ufeff# syntax=docker/dockerfile:1", ["docker/dockerfile:1"]),
        ("# hello\n# syntax=docker/dockerfile:1", []),
        ("\n# syntax=docker/dockerfile:1", []),
        ("# syntax=", []),
    ],
)
def test_the_syntax_directive_is_an_image_where_it_stands_first(
    head: str, expected: list[str]
) -> None:
    assert images(f"{head}\nFROM a:1") == [*expected, "a:1"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (f"{HOST}/frontend:1", [f"{HOST}/frontend:1"]),
        ("dockerfile.v0", []),
        (Mark.UNKNOWN, [Mark.UNKNOWN]),
    ],
)
def test_an_argument_of_the_build_replaces_the_syntax(value: Tree, expected: list[Tree]) -> None:
    arguments = {"BUILDKIT_SYNTAX": value}
    assert images("# syntax=x:1\nFROM a:1", arguments=arguments) == [*expected, "a:1"]


def test_a_stage_is_found_by_the_last_name_above_it() -> None:
    assert images("FROM a AS a\nFROM b AS x\nFROM x AS x\nFROM x") == ["b"]
    assert images("FROM a AS a\nFROM a") == ["a"]
    assert images("from a as X\nFROM x") == ["a"]
    assert images("FROM later\nFROM b AS later", "later") == ["b"]
    assert images("FROM x AS x\nCOPY --from=x / /") == ["x"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("RUN true", []),
        ("FROM", []),
        ("FROM AS x", ["AS"]),
        ("FROM a extra words", ["a"]),
        ("FROM a\nRUN cat <<EOF\nFROM b", ["a"]),
        ("FROM a\nCOPY --from=b \\", ["a", "b"]),
        ("COPY --from=b / /\nFROM a", ["a"]),
        ("ARG\nARG =\nARG A=${B\nFROM a$A", ["a"]),
    ],
)
def test_a_text_that_makes_no_sense_gives_what_can_be_read(text: str, expected: list[str]) -> None:
    assert images(text) == expected


_PIECES = st.sampled_from(
    [
        *("FROM ", "from ", " AS ", "ARG ", "COPY --from=", "RUN ", "--mount=from=", "--platform="),
        *("a:1", "b", "A=", "$A", "${A:-", "}", "$TARGETARCH", ",", "<<EOF", "EOF", "`", '"', "'"),
        *("\n", "\\\n", "\r\n", "# escape=`\n", "\0", "9" * 5000, "²", " ", "\t", "ONBUILD "),
    ]
)


@given(
    st.text() | st.lists(_PIECES).map("".join),
    st.dictionaries(st.sampled_from(["A", "TARGETARCH"]), st.text() | st.sampled_from(Mark)),
    st.none() | st.text() | st.just("b"),
)
def test_no_text_makes_the_reader_fail(
    text: str, arguments: dict[str, Tree], target: str | None
) -> None:
    for pull in dockerfile_images(text, arguments, target):
        assert isinstance(pull, dict)
        assert isinstance(pull["image"], str) or pull["image"] in (Mark.UNKNOWN, Mark.UNRESOLVED)
        assert pull["platform"] is None or isinstance(pull["platform"], str)


@pytest.mark.parametrize(
    "text",
    [
        "FROM " + "${A:-" * 50_000,
        "FROM " + "${A:-" * 50_000 + "a" + "}" * 50_000,
        "FROM a\nCOPY " + "--link " * 50_000 + "/ /",
        "FROM a\nRUN " + "'\"" * 50_000 + "<<EOF",
        "FROM a\nRUN " + "[" * 100_000,
        "\n".join(f"FROM s{number} AS s{number + 1}" for number in range(5_000)),
    ],
)
def test_no_depth_and_no_length_makes_the_reader_fail(text: str) -> None:
    assert len(images(text)) <= 1
