"""Stack exports: what is deployed, as whom it is asked about, and what of it is hidden."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from layerguard.discovery.placement import Placement
from layerguard.identity import ORDINARY, AssumedRole, StaticKeys
from layerguard.verdict import Code, State, Verdict
from layerguard_cli.sources.source import SourceKind, SourceUnreadable

from tests.cli.sources.states import (
    HOST,
    SECRET,
    SIGNATURE,
    export,
    read,
    recorded,
    state,
    summary_of,
    urn,
)

PROVIDER = "pulumi:providers:aws"
STATES = Path(__file__).parents[2] / "states"
CIPHERTEXT = {SIGNATURE: SECRET, "ciphertext": "v1:abc"}


def test_a_real_export_has_the_images_of_its_resources_under_the_name_of_the_stack() -> None:
    source = recorded("export.json")
    assert (source.name, source.kind) == ("layerguard-sample/dev", SourceKind.STACK_EXPORT)
    assert source.problems == ()
    assert sorted(map(summary_of, source.uses)) == [
        "as-keys imageUri: secret-not-shown",
        "cart imageUri: shop/cart:1",
        "grouped imageUri: shop/web:1.4.2",
        "later imageUri: shop/cart:2",
        "secretive containerDefinitions: secret-not-shown",
        "web containerDefinitions[0].image: shop/web:1.4.2",
        "web containerDefinitions[1].image: not-private-ecr",
        "web spec.template.spec.containers[0].image: shop/web:1.4.2",
        "worker imageUri: shop/worker:1.4.2",
    ]


def test_each_resource_of_a_real_export_is_asked_about_as_its_own_provider() -> None:
    uses = {use.urn.rpartition("::")[2]: use for use in recorded("export-with-secrets.json").uses}
    assert uses["worker"].identity.roles == (AssumedRole("arn:aws:iam::123456789012:role/deploy"),)
    assert uses["worker"].placement == Placement("123456789012", "eu-west-1")
    assert uses["as-keys"].identity.keys == StaticKeys("AKIAEXAMPLE", "not-a-real-key")
    assert uses["cart"].identity == ORDINARY


def test_secrets_that_are_shown_are_read_for_images_and_nothing_more() -> None:
    source = recorded("export-with-secrets.json")
    assert "secretive containerDefinitions[0].image: shop/report:1.4.2" in map(
        summary_of, source.uses
    )
    assert "hidden-from-you" not in repr(source)
    assert "not-a-real-key" not in repr(source)


def test_an_image_in_a_shown_secret_is_marked_as_one() -> None:
    uses = recorded("export-with-secrets.json").uses
    secret = {use.urn.rpartition("::")[2] for use in uses if use.is_secret}
    assert secret == {"secretive"}


def test_what_waits_for_its_deletion_or_was_deleted_to_be_replaced_is_no_deployment() -> None:
    source = read(
        export(
            state("web", f"{HOST}/shop/web:2"),
            state("web", f"{HOST}/shop/web:1", delete=True),
            state("worker", f"{HOST}/shop/worker:1", pendingReplacement=True),
        )
    )
    assert [summary_of(use) for use in source.uses] == ["web imageUri: shop/web:2"]


def test_an_operation_that_was_interrupted_is_no_deployment() -> None:
    whole = export(state("web", f"{HOST}/shop/web:1"))
    going_on = {"resource": state("worker", f"{HOST}/shop/worker:1"), "type": "creating"}
    whole["deployment"]["pending_operations"] = [going_on]
    assert [summary_of(use) for use in read(whole).uses] == ["web imageUri: shop/web:1"]


def test_an_image_of_a_component_is_that_of_its_child() -> None:
    component = {
        "urn": urn("group", "acme:index:Group"),
        "type": "acme:index:Group",
        "inputs": {"image": f"{HOST}/shop/web:1"},
    }
    child = state(
        "web", f"{HOST}/shop/web:1", parent=component["urn"], provider=f"{urn('p', PROVIDER)}::id"
    )
    assert [summary_of(use) for use in read(export(component, child)).uses] == [
        "web imageUri: shop/web:1"
    ]


def test_what_a_resource_gives_out_is_no_image_that_it_uses() -> None:
    stack = {
        "urn": urn("shop-dev", "pulumi:pulumi:Stack"),
        "type": "pulumi:pulumi:Stack",
        "outputs": {"image": f"{HOST}/shop/web:1"},
    }
    assert read(export(stack)).uses == ()


def test_a_resource_that_is_only_read_has_its_outputs_where_it_has_no_inputs() -> None:
    outputs = state("web", f"{HOST}/shop/web:1")["inputs"]
    external = {**state("web", ""), "inputs": {}, "outputs": outputs, "external": True}
    assert [summary_of(use) for use in read(export(external)).uses] == ["web imageUri: shop/web:1"]


def test_a_provider_without_a_region_has_that_of_the_environment() -> None:
    resource = state("web", f"{HOST}/shop/web:1", provider=f"{urn('default', PROVIDER)}::id")
    (use,) = read(export(resource), {"AWS_REGION": "eu-central-1"}).uses
    assert use.placement == Placement(None, "eu-central-1")


def provider(**inputs: Any) -> dict[str, Any]:
    return {"urn": urn("own", PROVIDER), "type": PROVIDER, "inputs": inputs}


def test_a_hidden_secret_is_undetermined_with_how_to_show_it() -> None:
    (use,) = read(export(state("web", CIPHERTEXT))).uses
    assert use.text is None
    assert use.target == Verdict(
        Code.SECRET_NOT_SHOWN,
        "The value is a secret that is not shown here, so the images in it are not known.",
        "in an audit, export the stack with pulumi stack export --show-secrets; in a program that "
        "has the text [secret] itself, give it the value.",
    )
    assert use.target.state is State.UNDETERMINED


def test_hidden_credentials_of_a_provider_are_not_replaced_by_others() -> None:
    resource = state("web", f"{HOST}/shop/web:1", provider=f"{urn('own', PROVIDER)}::id")
    keys = provider(region="eu-west-1", accessKey="AKIAEXAMPLE", secretKey=CIPHERTEXT)
    (use,) = read(export(keys, resource)).uses
    assert use.identity_unknown is not None
    assert (use.text, use.identity_unknown.code) == (f"{HOST}/shop/web:1", Code.SECRET_NOT_SHOWN)
    assert use.identity_unknown.reason == (
        "The credentials of the resource's provider are secrets that are not shown here, so "
        "ECR cannot be asked with them."
    )


def test_a_secret_beside_an_image_hides_nothing_of_it() -> None:
    resource = state("web", f"{HOST}/shop/web:1")
    resource["inputs"]["environment"] = {"variables": {"TOKEN": CIPHERTEXT}}
    assert [summary_of(use) for use in read(export(resource)).uses] == ["web imageUri: shop/web:1"]


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("deployment", [None, {}, {"resources": None}, {"resources": []}])
def test_a_stack_without_resources_has_the_name_of_its_place(
    version: int, deployment: object
) -> None:
    source = read({"version": version, "deployment": deployment})
    assert (source.name, source.uses, source.problems) == ("the place", (), ())


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (
            export(version=2),
            "It is a stack export of a form that is not known; versions 3 and 4 are. Export the "
            "stack again, with a current Pulumi.",
        ),
        ({"version": 3, "deployment": [1]}, "It is a stack export without a list of resources."),
        (
            {"version": 3, "deployment": {"resources": {"a": 1}}},
            "It is a stack export without a list of resources.",
        ),
    ],
)
def test_another_form_is_refused_in_words(document: Any, problem: str) -> None:
    with pytest.raises(SourceUnreadable) as raised:
        read(document)
    assert str(raised.value) == problem


def test_what_makes_no_sense_hides_nothing_else() -> None:
    source = read(export(None, {"urn": 1}, {"urn": "u"}, state("web", f"{HOST}/shop/web:1")))
    assert [summary_of(use) for use in source.uses] == ["web imageUri: shop/web:1"]
    assert source.problems == (
        "Resource 1 has no URN or no type.",
        "Resource 2 has no URN or no type.",
        "Resource 3 has no URN or no type.",
    )


@pytest.mark.parametrize("more", [{"external": True}, {"importID": "web"}, {}])
@pytest.mark.parametrize("inputs", [{}, None, {"__defaults": []}, {"region": "eu-west-1"}])
def test_a_resource_that_nobody_declared_has_its_outputs(
    inputs: dict[str, Any] | None, more: dict[str, Any]
) -> None:
    outputs = {**state("web", f"{HOST}/shop/web:1")["inputs"], "arn": "arn:aws:lambda:x"}
    found = {**state("web", ""), "inputs": inputs, "outputs": outputs, **more}
    assert [summary_of(use) for use in read(export(found)).uses] == ["web imageUri: shop/web:1"]


def test_the_outputs_of_a_component_and_of_the_stack_are_no_images() -> None:
    kinds = ("pulumi:pulumi:Stack", "shop:index:Service")
    outputs = {"image": f"{HOST}/shop/web:1"}
    components = [
        {"urn": urn("web", kind), "type": kind, "custom": False, "outputs": outputs}
        for kind in kinds
    ]
    assert read(export(*components)).uses == ()


def test_an_empty_output_was_never_set() -> None:
    zipped = {**state("web", ""), "inputs": {}, "outputs": {"packageType": "Zip", "imageUri": ""}}
    assert read(export(zipped)).uses == ()


@pytest.mark.parametrize(
    ("name", "summary"),
    [
        ("B-hcl-bridged-ecs", "t containerDefinitions[0].image: shop/worker:1.4.2"),
        ("C-tfstate-in-cloud-ecs", "t container_definitions[0].image: shop/worker:1.4.2"),
        ("H-discovered-native-outputs-only", "t code.imageUri: shop/worker:1.4.2"),
        ("S2-secret-ecs", "t containerDefinitions: secret-not-shown"),
    ],
)
def test_the_given_states_have_their_image_in_every_spelling(name: str, summary: str) -> None:
    source = read((STATES / f"{name}.json").read_bytes())
    assert source.problems == ()
    assert list(map(summary_of, source.uses)) == [summary]


def test_an_empty_input_is_what_somebody_declared() -> None:
    (use,) = read(export(state("web", ""))).uses
    assert summary_of(use) == "web imageUri: reference-unclear"
