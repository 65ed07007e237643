"""The images that commands pull or assign."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerguard.discovery.documents.commands import command_images
from layerguard.discovery.tree import Tree, member

from tests.fakes import HOST

WEB = f"{HOST}/shop/web:1"
REPOSITORY = f"{HOST}/shop/web"
DUAL_STACK = "123456789012.dkr-ecr.eu-west-1.on.aws/shop/web:1"


def found(text: str) -> dict[str, Tree]:
    commands = member(command_images(text), "commands")
    assert commands is None or isinstance(commands, dict)
    return commands or {}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (f"docker pull {WEB}", "line 1, column 13"),
        (f"docker pull '{WEB}'", "line 1, column 14"),
        (f"sudo /usr/bin/docker run --rm -d -p 80:80 {WEB} serve --all", "line 1, column 43"),
        (f"set -e\nyum install docker && docker  run {WEB}", "line 2, column 35"),
        (f"docker run \\\n  --name web \\\r\n  {WEB}", "line 3, column 3"),
        (f"docker container run {WEB}", "line 1, column 22"),
        (f"docker service create --name web {WEB}", "line 1, column 34"),
        (f"if true; then podman pull {WEB}; fi", "line 1, column 27"),
        (f"(nerdctl pull {WEB})", "line 1, column 15"),
        (f"sudo ctr -n k8s.io images pull {WEB}", "line 1, column 32"),
        (f"crictl pull {WEB}", "line 1, column 13"),
        (f"[Service]\nExecStart=/usr/bin/docker run {WEB}", "line 2, column 31"),
        (f"cat <<EOF >compose.yml\nservices:\n  web:\n    image: {WEB}\nEOF", "line 4, column 12"),
        (f'task {{\n  image = "{WEB}"\n}}', "line 2, column 12"),
        (f'sandbox_image="{WEB}"', "line 1, column 16"),
        (f'{{"image": "{WEB}"', "line 1, column 12"),
    ],
)
def test_what_a_command_pulls_is_an_image_where_it_stands(text: str, place: str) -> None:
    assert found(text) == {place: {"image": WEB}}


@pytest.mark.parametrize(
    ("text", "place", "reference"),
    [
        (f"IMAGE={WEB}\ndocker run $IMAGE", "line 1, column 7", WEB),
        (f"export IMAGE={WEB}", "line 1, column 14", WEB),
        (f"kubectl set image deployment/web web={WEB}", "line 1, column 38", WEB),
        (f"docker run -e NEXT={WEB} nginx", "line 1, column 20", WEB),
        (f"kubectl run web --image={DUAL_STACK}", "line 1, column 25", DUAL_STACK),
    ],
)
def test_what_a_command_assigns_is_a_text(text: str, place: str, reference: str) -> None:
    assert found(text) == {place: reference}


def test_an_image_needs_no_tag_and_may_have_variables_in_it() -> None:
    parts = f"docker pull {REPOSITORY}\ndocker pull $ACCOUNT{HOST[12:]}/web:$TAG\ndocker pull $(account){HOST[12:]}/web:1"
    assert list(found(parts).values()) == [
        {"image": REPOSITORY},
        {"image": f"$ACCOUNT{HOST[12:]}/web:$TAG"},
        {"image": f"${HOST[12:]}/web:1"},
    ]


def test_each_command_has_its_own_image() -> None:
    text = f"docker pull {WEB} && docker pull {REPOSITORY}:2; docker run {REPOSITORY}:3"
    images = [{"image": WEB}, {"image": f"{REPOSITORY}:2"}, {"image": f"{REPOSITORY}:3"}]
    assert list(found(text).values()) == images


@pytest.mark.parametrize(
    "text",
    [
        "",
        "docker run nginx",
        f"# docker pull {WEB}",
        f"  # docker pull {WEB}",
        f"docker push {WEB}",
        f"docker tag web {WEB}",
        f"docker build -t {WEB} .",
        f"docker login -u AWS --password-stdin {HOST}",
        f"docker ps; echo {WEB}",
        f"echo {WEB}",
        f"The image {WEB} is ours.",
        f"docker pull\n{WEB}",
        f"{WEB}=",
    ],
)
def test_nothing_else_is_found(text: str) -> None:
    assert command_images(text) is None


PIECES = [
    "docker",
    "pull",
    "run",
    WEB,
    REPOSITORY,
    "image",
    ":",
    "=",
    "#",
    "\\",
    '"',
    "'",
    "\n",
    ";",
    " ",
    "$(",
    ")",
]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=30).map("".join))
def test_every_image_stands_where_it_is_said_to_be(text: str) -> None:
    lines = text.split("\n")
    for place, value in found(text).items():
        image = str(member(value, "image") or value)
        _, line, _, column = place.replace(",", "").split()
        there = lines[int(line) - 1][int(column) - 1 :]
        assert there.startswith(image) or f"${there}".startswith(image)
        assert ".dkr.ecr." in image
