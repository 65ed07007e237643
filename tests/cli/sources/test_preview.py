"""Previews: what there will be after the update, and what the preview leaves out."""

from __future__ import annotations

from typing import Any

import pytest
from layerguard.enforcement import Mode, decide
from layerguard.identity import ORDINARY
from layerguard.settings import Settings
from layerguard.verdict import Code, Verdict
from layerguard_cli.sources.source import Source, SourceKind

from tests.cli.sources.states import HOST, RECORDED, export, read, recorded, state, summary_of, urn

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
NEW = [
    "as-keys imageUri: secret-not-shown",
    "cart imageUri: shop/cart:1",
    "grouped imageUri: shop/web:1.4.2",
    "later imageUri: unknown-in-preview",
    "secretive containerDefinitions: secret-not-shown",
    "web containerDefinitions[0].image: shop/web:1.4.2",
    "web containerDefinitions[1].image: not-private-ecr",
    "web spec.template.spec.containers[0].image: shop/web:1.4.2",
    "worker imageUri: shop/worker:1.4.2",
]
LEFT_OUT = (
    "13 unchanged resources are left out, with all images and providers among them: add "
    "--show-sames to pulumi preview --json."
)
MISSING = Verdict(Code.REPOSITORY_NOT_FOUND, "It is not there.")
FAILED = (
    "The preview ended with an error, so its steps may not be all: pulumi preview says what is "
    "wrong."
)


def step(op: str, name: str, image: object = f"{HOST}/shop/web:1", **more: Any) -> dict[str, Any]:
    return {"op": op, "urn": urn(name), "newState": state(name, image, **more)}


def digest(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"steps": list(steps), "changeSummary": {}, **more}


@pytest.mark.parametrize("name", ["preview.json", "preview-events.jsonl"])
def test_a_real_preview_has_the_images_that_there_will_be(name: str) -> None:
    source = recorded(name)
    assert (source.name, source.kind) == ("layerguard-sample/dev", SourceKind.PREVIEW)
    assert source.problems == ()
    assert sorted(map(summary_of, source.uses)) == NEW


@pytest.mark.parametrize("name", ["preview.json", "preview-events.jsonl"])
def test_an_image_that_the_stack_pushes_before_it_is_used_is_pending(name: str) -> None:
    source = recorded(name)
    cart = next(use for use in source.uses if use.text == f"{HOST}/shop/cart:1")
    verdict = decide(cart, MISSING, Settings(), source.run).verdict
    pushes = "urn:pulumi:dev::layerguard-sample::docker-build:index:Image::cart"
    assert verdict.code is Code.PUSHED_BY_THIS_STACK
    assert verdict.reason == f"It is not there. This stack's resource {pushes} pushes the image."
    assert verdict.next_step == (
        "nothing to do: the image is checked during the update, before its resource is created."
    )


def test_a_deployed_image_is_missing_whichever_resource_pushed_it_once() -> None:
    source = recorded("export.json")
    cart = next(use for use in source.uses if use.text == f"{HOST}/shop/cart:1")
    assert decide(cart, MISSING, Settings(), source.run).verdict == MISSING


@pytest.mark.parametrize("name", ["preview.json", "preview-events.jsonl"])
def test_a_preview_knows_what_a_gate_knows_in_a_preview(name: str) -> None:
    run = recorded(name).run
    assert run.mode is Mode.PREVIEW
    assert "urn:pulumi:dev::layerguard-sample::acme:index:Group::group" in run.components


def test_unchanged_resources_that_are_left_out_are_a_problem() -> None:
    source = recorded("preview-unchanged.json")
    assert (source.uses, source.problems) == ((), (LEFT_OUT,))


def test_a_preview_that_failed_is_a_problem() -> None:
    assert recorded("preview-failed.json").problems == (FAILED, LEFT_OUT)


def test_a_stream_of_events_that_breaks_off_is_a_problem_and_hides_nothing_before() -> None:
    text = (RECORDED / "preview-events.jsonl").read_text()
    source = read(text[: text.index('"summaryEvent"')])
    assert sorted(map(summary_of, source.uses)) == NEW
    broken, unfinished = source.problems
    assert broken.startswith("It is not valid JSON at line ")
    assert unfinished == "The preview has no summary, so it did not come to its end."


@pytest.mark.parametrize("op", ["delete", "delete-replaced", "discard", "remove-pending-replace"])
def test_what_the_update_deletes_is_not_audited(op: str) -> None:
    gone = {"op": op, "urn": urn("old"), "oldState": state("old", f"{HOST}/shop/old:1")}
    assert (
        read(digest(gone, step("create", "web"))).uses == read(digest(step("create", "web"))).uses
    )
    assert read(digest({**step(op, "web")})).uses == ()


def test_a_replacement_of_several_steps_is_one_resource() -> None:
    steps = [step(op, "web") for op in ("create-replacement", "replace")]
    old = {"op": "delete-replaced", "urn": urn("web"), "oldState": state("web", "old")}
    assert [summary_of(use) for use in read(digest(*steps, old)).uses] == [
        "web imageUri: shop/web:1"
    ]


@pytest.mark.parametrize(("former_copy", "expected"), [(False, []), (True, ["web"])])
def test_what_is_refreshed_and_then_deleted_is_gone_unless_only_a_former_copy_is(
    former_copy: bool, expected: list[str]
) -> None:
    old = state("web", f"{HOST}/shop/web:0", delete=former_copy)
    delete = {"op": "delete", "urn": urn("web"), "oldState": old}
    uses = read(digest(step("refresh", "web"), delete)).uses
    assert [use.urn.rpartition("::")[2] for use in uses] == expected


def test_a_default_provider_is_what_the_configuration_says() -> None:
    provider = f"{urn('default_7_0_0', 'pulumi:providers:aws')}::{UNKNOWN}"
    config = {"aws:region": "eu-central-1", "aws:profile": "shop", "kubernetes:region": "none"}
    (use,) = read(digest(step("create", "web", provider=provider), config=config)).uses
    assert (use.placement.region, use.identity.profile) == ("eu-central-1", "shop")


def test_no_other_provider_is_what_the_configuration_says() -> None:
    provider = f"{urn('own', 'pulumi:providers:aws')}::{UNKNOWN}"
    (use,) = read(
        digest(step("create", "web", provider=provider), config={"aws:profile": "shop"})
    ).uses
    assert use.identity == ORDINARY


def test_unknown_and_secret_values_of_one_resource_are_distinguished() -> None:
    containers = [{"image": UNKNOWN}, {"image": "[secret]"}, {"image": UNKNOWN}]
    inputs = {"containerDefinitions": containers}
    token = "aws-native:ecs:TaskDefinition"
    made = {"urn": urn("task", token), "type": token, "inputs": inputs}
    uses = read(digest({"op": "create", "urn": made["urn"], "newState": made})).uses
    assert [summary_of(use) for use in uses] == [
        "task containerDefinitions[0].image: unknown-in-preview",
        "task containerDefinitions[1].image: secret-not-shown",
        "task containerDefinitions[2].image: unknown-in-preview",
    ]


@pytest.mark.parametrize("summary", [{}, {"changeSummary": None}])
def test_a_preview_without_a_summary_is_a_problem(summary: dict[str, None]) -> None:
    whole = digest(step("create", "web"))
    del whole["changeSummary"]
    assert read({**whole, **summary}).problems == (
        "The preview has no summary, so it did not come to its end.",
    )


@pytest.mark.parametrize(
    "steps", [None, {}, [None], [{"op": 1}], [{"op": "create", "newState": 1}]]
)
def test_steps_that_make_no_sense_are_no_images(steps: object) -> None:
    source: Source = read({"steps": steps, "changeSummary": {}, "config": [], "diagnostics": 1})
    assert source.uses == ()


def test_an_export_is_no_preview() -> None:
    assert read(export()).kind is SourceKind.STACK_EXPORT
