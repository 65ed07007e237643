"""What the resources of a run bring, and that a bug in one step hides nothing else."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from threading import Thread
from typing import Any

import pytest
from layerguard.discovery import ImageUse
from layerguard.discovery.placement import Placement
from layerguard.discovery.provisions import Provides
from layerguard.discovery.resources import (
    DiscoveredResource,
    DiscoveredResources,
    EngineResource,
    read_resource,
)
from layerguard.gates import SENTINELS
from layerguard.identity import Identity
from layerguard.reference import ImageReference
from layerguard.verdict import Code, Verdict
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE as UNKNOWN
from pulumi_policy.proxy import unknown_checking_proxy

from tests.discovery.engine_inputs import targets
from tests.discovery.engine_resources import Provider, Resource
from tests.fakes import HOST, without_place

ENVIRONMENT = {"AWS_REGION": "eu-west-1"}
WEB = f"{HOST}/shop/web:1"
POD = "kubernetes:core/v1:Pod"
ROLE = "arn:aws:iam::210987654321:role/deploy"


def function(urn: str, image: str = WEB, **fields: Any) -> Resource:
    return Resource(urn, unknown_checking_proxy({"imageUri": image}), **fields)


def component(urn: str, props: Mapping[str, Any], **fields: Any) -> Resource:
    kind = "my:index:Service"
    return Resource(urn, unknown_checking_proxy(dict(props)), kind, provider=None, **fields)


def resources(**options: Any) -> DiscoveredResources:
    return DiscoveredResources(SENTINELS, ENVIRONMENT, **options)


def code(use: ImageUse) -> Code | None:
    return use.target.code if isinstance(use.target, Verdict) else None


def test_a_resource_brings_its_images_as_its_provider_sees_them() -> None:
    provider = Provider(props={"profile": "team", "assumeRoles": [{"roleArn": ROLE}]})
    (use,) = resources().discover(function("a", provider=provider)).uses
    assert use.target == ImageReference.parse(WEB)
    assert use.placement == Placement("210987654321", "eu-west-1")
    assert use.identity.profile == "team"


@pytest.mark.parametrize(
    ("props", "pushed"),
    [
        ({"sourceImage": "docker://nginx:1", "destinationImage": f"docker://{WEB}"}, ["shop/web 1"]),
        ({"source": {"image": "nginx"}, "targetImage": WEB}, ["shop/web 1"]),
        ({"image": WEB}, []),
        ({"destinationImage": "docker://nginx:1"}, []),
    ],
)  # fmt: skip
def test_a_copy_provides_what_it_writes(props: dict[str, str], pushed: list[str]) -> None:
    copy = Resource("a", unknown_checking_proxy(props), "skopeo2:index/copy:Copy")
    found = resources().discover(copy).provisions
    assert [f"{each.repository} {each.tag}" for each in found] == pushed
    assert {each.provides for each in found} <= {Provides.IMAGE}


def test_what_was_discovered_is_kept() -> None:
    found = resources()
    for urn in ("a", "b", "a"):
        found.discover(function(urn))
    repository = Resource("c", {"name": "shop/web"}, "aws:ecr/repository:Repository")
    found.discover(repository)
    assert [use.urn for use in found.uses] == ["a", "b"]
    assert [each.provides for each in found.provisions] == [Provides.REPOSITORY]


def test_many_threads_may_discover_at_once() -> None:
    found = resources()
    threads = [
        Thread(
            target=lambda start=start: [
                found.discover(function(f"{start}-{number}")) and found.uses for number in range(50)
            ]
        )
        for start in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found.uses) == 400


def test_the_credentials_of_a_provider_that_does_not_exist_yet_are_pending() -> None:
    provider = Provider(props=unknown_checking_proxy({"profile": UNKNOWN}))
    (use,) = resources().discover(function("a", provider=provider)).uses
    assert use.identity_unknown is not None
    assert use.identity_unknown.code is Code.UNKNOWN_IN_PREVIEW
    assert use.identity_unknown.next_step == Code.UNKNOWN_IN_PREVIEW.next_step


def a_bug_in_b(
    resource: EngineResource, sentinels: Collection[str], environment: Mapping[str, str]
) -> DiscoveredResource:
    if resource.urn == "b":
        raise KeyError("x")
    return read_resource(resource, sentinels, environment)


def test_a_bug_in_reading_a_resource_is_one_use_that_names_it() -> None:
    found = resources(read=a_bug_in_b)
    stack = found.of_stack([function(urn) for urn in "abc"], read_unseen=True)
    assert [(use.urn, code(use)) for use in stack.uses()] == [
        ("a", None),
        ("b", Code.INTERNAL_ERROR),
        ("c", None),
    ]
    bug = next(use for use in found.uses if use.urn == "b")
    assert (bug.path, bug.text, bug.resource_type) == (
        "(all inputs)",
        None,
        "aws:lambda/function:Function",
    )
    assert isinstance(bug.target, Verdict)
    assert without_place(bug.target.reason) == (
        "This is a bug of Layerguard 0.1.0, in reading a resource of type aws:lambda/function:Function: KeyError: 'x'"
    )
    assert bug.target.next_step == Code.INTERNAL_ERROR.next_step


class Broken(Mapping[str, object]):
    """Inputs that end every reading of them."""

    def __getitem__(self, key: str) -> object:
        raise RuntimeError("broken")

    def __iter__(self) -> Any:
        raise RuntimeError("broken")

    def __len__(self) -> int:
        return 1


def test_a_bug_in_reading_the_provider_hides_no_image() -> None:
    uses = resources().discover(function("a", provider=Provider(props=Broken()))).uses
    assert targets(uses) == [("imageUri", WEB), ("(inputs of the provider)", "internal-error")]


@pytest.mark.parametrize("duration", [float("nan"), float("inf"), "²h", "9" * 5_000 + "h"])
def test_an_odd_duration_of_a_providers_role_is_none(duration: object) -> None:
    key = "duration" if isinstance(duration, str) else "durationSeconds"
    role = {"roleArn": ROLE, key: duration}
    provider = Provider(props={"assumeRoles": [role]})
    (use,) = resources().discover(function("a", provider=provider)).uses
    assert use.identity.roles[0].duration_seconds is None


@pytest.mark.parametrize(
    "props",
    [
        {"imageUri": "\ud800"},
        {"imageUri": "\0", 5: {None: float("nan")}},
        {"imageUri": "x" * 3_000_000},
        {"imageUri": f"{HOST}/{'x' * 3_000_000}"},
        {"imageUri": object(), "a": {1, 2}, "b": b"x"},
        {"imageUri": [], "architectures": float("inf")},
    ],
)
def test_whatever_the_engine_hands_over_is_read_without_a_bug(props: Any) -> None:
    uses = resources().discover(Resource("a", props)).uses
    assert Code.INTERNAL_ERROR not in map(code, uses)


def test_a_components_image_counts_only_where_no_child_has_it() -> None:
    parent = component("parent", {"web": WEB, "proxy": f"{HOST}/proxy:1"})
    between = component("between", {}, parent=parent)
    child = function("child", parent=between)
    stack = resources().of_stack([parent, between, child], read_unseen=True)
    assert [(use.urn, use.path) for use in stack.uses()] == [
        ("parent", "proxy"),
        ("child", "imageUri"),
    ]
    assert stack.components == {"parent", "between"}
    assert stack.graph.descendants("parent") == {"between", "child"}


def test_a_components_trouble_is_not_hidden_by_a_childs() -> None:
    kind = "kubernetes:yaml/v2:ConfigGroup"
    parent = Resource("parent", {"yaml": "a: ["}, kind)
    child = Resource("child", {"yaml": "b: ["}, kind, parent=parent)
    stack = resources().of_stack([parent, child], read_unseen=True)
    assert [(use.urn, code(use)) for use in stack.uses()] == [
        ("parent", Code.DOCUMENT_UNREADABLE),
        ("child", Code.DOCUMENT_UNREADABLE),
    ]


def test_of_a_stack_the_inputs_count_with_which_each_resource_came_up() -> None:
    found = resources()
    found.discover(function("a"))
    later = [function("a", "changed:1"), function("b")]
    stack = found.of_stack(later, read_unseen=False)
    assert targets(tuple(stack.uses())) == [("imageUri", WEB)]
    stack = found.of_stack(later, read_unseen=True)
    assert [use.urn for use in stack.uses()] == ["a", "b"]


def test_only_an_aws_provider_has_an_identity() -> None:
    provider = Provider("pulumi:providers:kubernetes", {"profile": "x"})
    pod = Resource("a", {"spec": {"containers": [{"image": WEB}]}}, POD, provider)
    (use,) = resources().discover(pod).uses
    assert use.identity == Identity()
