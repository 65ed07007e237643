"""Who of the stack puts an image there, before and during the update."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from layerguard.discovery import ImageUse
from layerguard.discovery.provisions import Provides, Provision
from layerguard.discovery.resource_graph import ResourceGraph
from layerguard.enforcement.finding import Finding
from layerguard.enforcement.provenance import (
    before_the_update,
    depending_on,
    during_the_update,
    is_pushed,
)
from layerguard.verdict import Code, Verdict

from tests.fakes import use

PUSH = Provision("build", Provides.IMAGE, "123456789012", "eu-west-1", "shop/web", "1")
REPOSITORY = Provision("repository", Provides.REPOSITORY, None, None, "shop/web")


def judged(code: Code, rest: str = "shop/web:1") -> Finding:
    return Finding(use(rest), Verdict(code, "It is not there.", "push it"))


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (Code.IMAGE_NOT_FOUND, Code.PUSHED_BY_THIS_STACK),
        (Code.REPOSITORY_NOT_FOUND, Code.PUSHED_BY_THIS_STACK),
        (Code.LAYER_MISSING, Code.PUSHED_BY_THIS_STACK),
        (Code.RUNTIME_REJECTS, Code.RUNTIME_REJECTS),
        (Code.ACCESS_DENIED, Code.ACCESS_DENIED),
        (Code.AVAILABLE, Code.AVAILABLE),
    ],
)
def test_a_push_may_mend_what_is_not_there_and_nothing_else(code: Code, expected: Code) -> None:
    after = before_the_update(judged(code), [REPOSITORY, PUSH], frozenset({"build"}))
    assert after.verdict.code is expected


def test_a_repository_mends_only_its_own_absence() -> None:
    after = before_the_update(judged(Code.REPOSITORY_NOT_FOUND), [REPOSITORY], frozenset())
    assert after.verdict.code is Code.REPOSITORY_CREATED_BY_THIS_STACK
    assert "repository creates the repository" in after.verdict.reason
    same = judged(Code.IMAGE_NOT_FOUND)
    assert before_the_update(same, [REPOSITORY], frozenset()) is same
    other = judged(Code.IMAGE_NOT_FOUND, "shop/web:2")
    assert before_the_update(other, [PUSH], frozenset()) is other


def test_the_dependency_that_is_missing_is_said_before_and_during() -> None:
    waiting = before_the_update(judged(Code.IMAGE_NOT_FOUND), [PUSH], frozenset({"build"}))
    assert waiting.verdict.next_step.startswith("nothing to do")
    racing = before_the_update(judged(Code.IMAGE_NOT_FOUND), [PUSH], frozenset())
    assert racing.verdict.next_step.startswith("let the resource depend on build")
    stopped = during_the_update(judged(Code.IMAGE_NOT_FOUND), [PUSH])
    assert stopped.verdict.code is Code.IMAGE_NOT_FOUND
    assert "build pushes the image, and it is not there now" in stopped.verdict.reason
    assert stopped.verdict.next_step.startswith("if the resource does not depend on build")


def test_an_image_that_the_stack_pushes_may_change_on_the_way() -> None:
    assert is_pushed(use().target, [REPOSITORY, PUSH])
    assert not is_pushed(use().target, [REPOSITORY])
    assert not is_pushed(Verdict(Code.UNKNOWN_IN_PREVIEW, ""), [PUSH])


@dataclass
class Resource:
    urn: str
    parent: Resource | None = None
    dependencies: list[Resource] = field(default_factory=list)
    property_dependencies: dict[str, list[Resource]] = field(default_factory=dict)


def at(urn: str, path: str) -> ImageUse:
    return ImageUse(urn, "type", path, None, None, Verdict(Code.UNKNOWN_IN_PREVIEW, "Later."), None)


def test_a_stack_knows_children_and_dependencies_at_every_depth() -> None:
    component = Resource("component")
    middle = Resource("middle", component)
    first = Resource("first", middle)
    second = Resource("second", middle, [first])
    third = Resource("third", None, [second], {"image": [second, first]})
    stack = ResourceGraph([component, middle, first, second, third])
    assert stack.below("component") == {"middle", "first", "second"}
    assert stack.transitive_dependencies("third") == {"second", "first"}
    assert stack.transitive_dependencies("unknown") == frozenset()
    assert stack.sources(at("third", "image[0].name")) == ("second", "first")
    assert stack.sources(at("third", "other")) == ()
    assert stack.sources(at("unknown", "image")) == ()


def test_resources_that_wait_for_each_other_end_the_search() -> None:
    first, second = Resource("first"), Resource("second")
    first.dependencies.append(second)
    second.dependencies.append(first)
    assert ResourceGraph([first, second]).transitive_dependencies("first") == {"first", "second"}


def test_an_unknown_value_names_what_it_comes_from() -> None:
    unknown = Finding(at("third", "image"), Verdict(Code.UNKNOWN_IN_PREVIEW, "Later."))
    after = depending_on(unknown, ["second", "first"])
    assert after.verdict.reason == "Later. It depends on first, second."
    assert depending_on(unknown, []) is unknown
    known = judged(Code.AVAILABLE)
    assert depending_on(known, ["first"]) is known
