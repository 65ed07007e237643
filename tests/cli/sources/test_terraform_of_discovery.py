"""What discovery finds in the resources of Terraform."""

from __future__ import annotations

import json

from tests.cli.sources.states import HOST, read, summary_of
from tests.cli.sources.test_terraform import FUNCTION, WEB, plan, resource, state

TASK = "aws_ecs_task_definition"
DEFINITIONS = json.dumps([{"name": "web", "image": WEB}])


def test_an_image_that_is_not_known_yet_is_pending() -> None:
    change = {"address": f"{FUNCTION}.web", "change": {"after_unknown": {"image_uri": True}}}
    source = read(plan(resource("web", None), resource_changes=[change]))
    assert [summary_of(use) for use in source.uses] == [
        f"{FUNCTION}.web.image_uri: unknown-in-preview"
    ]


def test_the_containers_of_a_task_definition_are_found_in_a_plan_and_in_a_state() -> None:
    values = {"family": "web", "container_definitions": DEFINITIONS}
    names = {"mode": "managed", "type": TASK, "name": "web"}
    planned = plan({"address": f"{TASK}.web", **names, "values": values})
    stored = state({**names, "instances": [{"attributes": values}]})
    for document in (planned, stored):
        assert [summary_of(use) for use in read(document).uses] == [
            f"{TASK}.web.container_definitions[0].image: shop/web:1"
        ]


def test_an_image_without_a_tag_is_the_latest() -> None:
    assert [summary_of(use) for use in read(plan(resource("web", f"{HOST}/shop/web"))).uses] == [
        f"{FUNCTION}.web.image_uri: shop/web:latest"
    ]
