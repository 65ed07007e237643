"""What the whole stack knows, on the real engine: pushes, components, unknown values, runtimes."""

from __future__ import annotations

import pulumi
import pytest
from layerguard_sandbox.ecr import docker_image, image_index, oci_image
from layerguard_sandbox.ecr.registry import Registry

from tests.engine.conftest import Start
from tests.engine.programs import FUNCTION, HOST, NOTICE, PREVIEW, UPDATE, function, resource

STACK = "urn:pulumi:dev::layerguard-sample::"
BUILD = "docker-build:index:Image"


def test_an_image_that_the_stack_pushes_first_is_pending_and_then_there(
    start: Start, registry: Registry
) -> None:
    """The offline provider pushes nothing, so the program does it when the build is done."""
    registry.create_repository("shop/web")
    image = f"{HOST}/shop/web:1"

    def program() -> None:
        build = resource(BUILD, "build", {"tags": [image], "push": True})

        def push(_build: str) -> str:
            registry.push("shop/web", docker_image("web"), tag="1")
            return "pushed"

        description = build.id.apply(push)
        inputs = {"packageType": "Image", "imageUri": image, "description": description}
        resource(FUNCTION, "web", inputs, depends_on=[build])

    engine = start(program)
    preview = engine.preview()
    assert preview.passed, preview.output
    (pending,) = preview.messages(NOTICE)
    assert pending == (
        f"pushed-by-this-stack: imageUri: {image}\n"
        "  ECR says ImageNotFound: Requested image not found. The repository has no tags at all. "
        f"This stack's resource {STACK}{BUILD}::build pushes the image.\n"
        "  platform: linux/amd64\n"
        "  next step: nothing to do: the image is checked during the update, before its resource "
        "is created."
    )
    update = engine.up()
    assert update.passed, update.output
    assert update.messages(NOTICE) == ()


def test_an_image_that_is_pushed_too_late_stops_the_update_with_the_missing_dependency(
    start: Start, registry: Registry
) -> None:
    registry.create_repository("shop/web")
    image = f"{HOST}/shop/web:1"

    def program() -> None:
        build = resource(BUILD, "build", {"tags": [image], "push": True})
        other = resource("aws:ecs/cluster:Cluster", "other", {}, depends_on=[build])
        inputs = {"packageType": "Image", "imageUri": image, "description": other.id}
        resource(FUNCTION, "web", inputs)

    engine = start(program)
    preview = engine.preview()
    assert preview.passed, preview.output
    update = engine.up()
    assert not update.passed
    (violation,) = update.messages(UPDATE)
    assert violation.split("\n")[0] == f"image-not-found: imageUri: {image}"
    assert f"This stack's resource {STACK}{BUILD}::build pushes the image" in violation
    assert f"if the resource does not depend on {STACK}{BUILD}::build, that dependency" in violation


def test_without_a_dependency_the_preview_already_reports_that_one_is_missing(
    start: Start, registry: Registry
) -> None:
    registry.create_repository("shop/web")
    image = f"{HOST}/shop/web:1"

    def program() -> None:
        resource(BUILD, "build", {"tags": [image], "push": True})
        function("web", image)

    (pending,) = start(program).preview().messages(NOTICE)
    assert f"next step: let the resource depend on {STACK}{BUILD}::build" in pending


def test_a_repository_that_the_stack_creates_is_pending_in_preview_only(start: Start) -> None:
    image = f"{HOST}/shop/new:1"

    def program() -> None:
        repository = resource("aws:ecr/repository:Repository", "new", {"name": "shop/new"})
        function("web", image, depends_on=[repository])

    engine = start(program)
    preview = engine.preview()
    assert preview.passed, preview.output
    assert preview.headlines(NOTICE) == [f"repository-created-by-this-stack: imageUri: {image}"]
    update = engine.up()
    assert not update.passed
    (violation,) = update.messages(UPDATE)
    assert "This stack's resource" in violation
    assert "creates the repository" in violation


def test_a_build_that_pushes_nowhere_excuses_nothing(start: Start, registry: Registry) -> None:
    registry.create_repository("shop/web")
    image = f"{HOST}/shop/web:1"

    def program() -> None:
        resource(BUILD, "build", {"tags": [image]})
        function("web", image)

    assert start(program).preview().headlines(PREVIEW) == [f"image-not-found: imageUri: {image}"]


class Service(pulumi.ComponentResource):
    def __init__(self, name: str, image: str, *, child: bool) -> None:
        super().__init__("my:index:Service", name, {"image": image})
        if child:
            function(f"{name}-function", image, parent=self)


@pytest.mark.parametrize("child", [True, False])
def test_a_component_and_its_child_are_one_finding(
    start: Start, registry: Registry, *, child: bool
) -> None:
    registry.create_repository("shop/web")
    image = f"{HOST}/shop/web:1"
    engine = start(lambda: Service("web", image, child=child) and None)
    preview = engine.preview()
    assert not preview.passed
    (violation,) = preview.violations
    assert violation.urn.endswith("::web-function" if child else "my:index:Service::web")
    update = engine.up()
    assert update.passed is not child
    assert len(update.messages(UPDATE)) == (1 if child else 0)
    assert len(update.messages(NOTICE)) == (0 if child else 1)


def test_an_unknown_image_names_the_resources_that_it_depends_on(start: Start) -> None:
    def program() -> None:
        repository = resource("aws:ecr/repository:Repository", "new", {"name": "shop/new"})
        definitions = repository.id.apply(lambda name: f'[{{"image": "{HOST}/{name}:1"}}]')
        inputs = {"family": "web", "containerDefinitions": definitions}
        resource("aws:ecs/taskDefinition:TaskDefinition", "task", inputs)

    (pending,) = start(program).preview().messages(NOTICE)
    assert pending.split("\n")[0] == "unknown-in-preview: containerDefinitions"
    assert f"It depends on {STACK}aws:ecr/repository:Repository::new." in pending


def test_a_runtime_refuses_what_it_does_not_run_and_the_neighbour_is_judged_alone(
    start: Start, registry: Registry
) -> None:
    index = registry.push("shop/index", image_index([docker_image("index")]), tag="1")
    single = registry.push("shop/single", oci_image("single"), tag="1")

    def program() -> None:
        function("index", index.reference)
        function("single", single.reference)
        function(
            "away",
            single.reference,
            provider=pulumi.ProviderResource("aws", "us", {"region": "us-east-1"}),
        )
        function("public", "public.ecr.aws/lambda/python:3.12")
        resource(
            "aws:sagemaker/model:Model", "model", {"primaryContainer": {"image": single.reference}}
        )

    engine = start(program)
    preview = engine.preview()
    assert not preview.passed
    gated = {
        violation.urn.rpartition("::")[2]: violation
        for violation in preview.violations
        if violation.level == "mandatory"
    }
    assert set(gated) == {"index", "away", "public"}
    messages = preview.messages(PREVIEW)
    assert preview.headlines(PREVIEW) == [
        f"runtime-rejects: imageUri: {index.reference}",
        f"runtime-rejects: imageUri: {single.reference}",
        "runtime-rejects: imageUri: public.ecr.aws/lambda/python:3.12",
    ]
    (refused,) = [message for message in messages if index.reference in message]
    assert (
        "AWS Lambda does not run this image: the reference leads to an OCI index, and it takes a "
        "single manifest." in refused
    )
    assert preview.headlines(NOTICE) == [
        f"runtime-rejects: primaryContainer.image: {single.reference}"
    ]


def test_what_is_only_handed_on_never_stops_a_deployment(start: Start, registry: Registry) -> None:
    good = registry.push("shop/good", docker_image("good"), tag="1")
    environment = {"variables": {"NEXT": f"{HOST}/shop/none:1"}}
    inputs = {"packageType": "Image", "imageUri": good.reference, "environment": environment}
    engine = start(lambda: resource(FUNCTION, "web", inputs) and None)
    for outcome in (engine.preview(), engine.up()):
        assert outcome.passed, outcome.output
        assert outcome.headlines(NOTICE) == [
            f"repository-not-found: environment.variables.NEXT: {HOST}/shop/none:1"
        ]
