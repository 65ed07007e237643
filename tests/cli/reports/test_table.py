"""The table: what needs attention, for people at a terminal."""

from __future__ import annotations

import re

import pytest
from layerguard_cli.reports.as_table import render as render_table
from layerguard_cli.reports.audit_report import AuditReport
from layerguard_cli.reports.formats import TableLayout
from layerguard_cli.sources.source import Source, SourceKind
from rich.text import Text

from tests.cli.reports import reports
from tests.cli.reports.reports import (
    STACK,
    audit,
    elsewhere,
    image,
    registry,
    unknown,
    without_credentials,
)

NARROW = """\
acme/shop/production (stack)
unavailable   123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:broken
              aws:ecs/taskDefinition:TaskDefinition broken,
              containerDefinitions[0].image, container "web"
              layer-missing: The image's manifest is in ECR, and at least one
              of its layers (or its config) is not.
              1 of 4 layers not available:
                sha256:7d6ed28285c8 UNAVAILABLE (layer 2 of 3, 41,932,000
              bytes)
              next step: push the image again, which uploads what is missing:
              docker push
              123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:broken
undetermined  123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:secret
              aws:ecs/taskDefinition:TaskDefinition secret,
              containerDefinitions[0].image, container "api"
              access-denied: ECR says AccessDeniedException: not authorized to
              perform ecr:BatchGetImage.
              next step: allow the principal that runs Pulumi
              ecr:BatchCheckLayerAvailability, ecr:BatchGetImage and
              ecr:DescribeImages on this repository; for another account's
              repository its repository policy must allow it too.
pending       reference not known
              aws:ecs/taskDefinition:TaskDefinition next,
              containerDefinitions[0].image
              unknown-in-preview: The value is an output of a resource that
              does not exist yet.
              next step: the update checks it, before the resource is created.

list.txt (references)
not read  Line 2 has more than one word: it is no image reference.

1 image use is unavailable, 1 image use is undetermined, 1 image use is pending,
the sources could not be read in full.
1 unavailable, 1 undetermined, 1 pending, 1 skipped, 1 available
Images checked: 3. Layers: 7. Calls to ECR: 9. Seconds: 1.2.
"""
EVERYTHING = """\
acme/shop/production (stack)
skipped    docker.io/library/nginx:1.29
           containers[1].image
           not-private-ecr: The image is in another registry than private ECR.
available  123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:whole
           aws:ecs/taskDefinition:TaskDefinition whole, containerDefinitions[0].image, container "web"

Every layer of every image in private ECR is available.
0 unavailable, 0 undetermined, 0 pending, 1 skipped, 1 available
Images checked: 1. Layers: 4. Calls to ECR: 9. Seconds: 1.2.
"""


def render(
    report: AuditReport, *, every_use: bool = False, width: int | None = None, color: bool = False
) -> str:
    return render_table(report, TableLayout(every_use, width, color))


NGINX = elsewhere("docker.io/library/nginx:1.29", "containers[1].image")


def test_a_row_is_an_image_use_that_needs_attention_and_80_columns_are_enough() -> None:
    whole, broken, secret = image("whole"), image("broken", "web"), image("secret", "api")
    problem = "Line 2 has more than one word: it is no image reference."
    report = audit(
        Source(STACK, SourceKind.STACK, (whole, NGINX, unknown(), secret, broken)),
        Source("list.txt", SourceKind.REFERENCES, (), (problem,)),
        registry=registry(),
    )
    assert render(report, width=80) == NARROW


def test_on_request_every_image_use_has_a_row_and_a_pipe_has_long_lines() -> None:
    source = Source(STACK, SourceKind.STACK, (image("whole", "web"), NGINX))
    assert render(audit(source, registry=registry()), every_use=True) == EVERYTHING


def test_where_nothing_needs_attention_there_is_no_table() -> None:
    assert render(reports.clean()) == (
        "Every layer of every image in private ECR is available.\n"
        "0 unavailable, 0 undetermined, 0 pending, 0 skipped, 1 available\n"
        "Images checked: 1. Layers: 4. Calls to ECR: 9. Seconds: 1.2.\n"
    )


def test_an_interrupted_audit_is_marked_and_counts_what_it_did_not_come_to() -> None:
    assert render(reports.interrupted()) == (
        f"{STACK} (stack)\n"
        "not checked  1 image use that the audit did not come to.\n"
        "\n"
        "The audit is not complete.\n"
        "0 unavailable, 0 undetermined, 0 pending, 0 skipped, 1 available\n"
        "Images checked: 1. Layers: 4. Calls to ECR: 9. Seconds: 1.2.\n"
    )


def test_an_image_that_stops_no_deployment_has_the_reason() -> None:
    assert (
        "  a notice that stops no deployment: The text is only handed on, so it is not certain that anything pulls it.\n"
        in render(reports.full())
    )


def test_of_many_bad_layers_a_few_are_named() -> None:
    lost = [reports.layer(name, 10) for name in "abcdef"]
    made = reports.registry()
    made.put(reports.image_of(*lost, config="g"), "gutted")
    for each in lost:
        made.lose(each)
    text = render(audit(Source("-", SourceKind.REFERENCES, (image("gutted"),)), registry=made))
    assert "6 of 7 layers not available:\n" in text
    assert len(re.findall(r"^ +sha256:[0-9a-f]{12} UNAVAILABLE \(", text, re.MULTILINE)) == 3
    assert "  and 3 more\n" in text


@pytest.mark.parametrize("width", [20, 40, 80, 120])
def test_no_line_is_longer_than_the_terminal(width: int) -> None:
    assert max(map(len, render(reports.full(), every_use=True, width=width).splitlines())) <= width


def test_colors_only_color_the_same_text() -> None:
    plain = render(reports.full(), width=80)
    colored = render(reports.full(), width=80, color=True)
    assert "\x1b[" not in plain
    assert "\x1b[1;31munavailable" in colored
    lines = [line.rstrip() for line in Text.from_ansi(colored).plain.splitlines()]
    assert lines == plain.splitlines()


def test_markup_of_a_user_is_text() -> None:
    assert "[red]x[/red]" in render(reports.one_bad("[red]x[/red]", "reason"))


def test_a_cause_that_is_not_about_one_image_is_told_once_with_every_place() -> None:
    text = render_table(without_credentials(60), TableLayout())
    lines = text.splitlines()
    assert text.count("no-credentials") == text.count("next step") == 1
    assert lines[1] == "undetermined  60 image uses"
    assert lines[2] == f"{' ' * 14}no-credentials: There are no credentials."
    places = [line.strip() for line in lines if "containerDefinitions" in line]
    assert places[0] == (
        "aws:ecs/taskDefinition:TaskDefinition 0: containerDefinitions[0].image: "
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:0"
    )
    assert len(places) == 20
    assert f"{' ' * 14}and 40 more" in lines
