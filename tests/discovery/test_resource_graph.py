"""The resource graph: children and dependencies at every depth, and where a value comes from."""

from __future__ import annotations

from dataclasses import dataclass, field

from layerguard.discovery import ResourceGraph


@dataclass
class Resource:
    """A resource as the policy SDK describes it, as far as the graph looks at it."""

    urn: str
    parent: Resource | None = None
    dependencies: list[Resource] = field(default_factory=list)
    property_dependencies: dict[str, list[Resource]] = field(default_factory=dict)


def test_children_and_dependencies_are_known_at_every_depth() -> None:
    component = Resource("component")
    middle = Resource("middle", component)
    first = Resource("first", middle)
    second = Resource("second", middle, [first])
    third = Resource("third", None, [second], {"image": [second, first]})
    graph = ResourceGraph([component, middle, first, second, third])
    assert graph.descendants("component") == {"middle", "first", "second"}
    assert graph.transitive_dependencies("third") == {"second", "first"}
    assert graph.transitive_dependencies("unknown") == frozenset()
    assert graph.sources_of("third", "image[0].name") == ("second", "first")
    assert graph.sources_of("third", "other") == ()
    assert graph.sources_of("unknown", "image") == ()


def test_resources_that_depend_on_each_other_end_the_search() -> None:
    first, second = Resource("first"), Resource("second")
    first.dependencies.append(second)
    second.dependencies.append(first)
    assert ResourceGraph([first, second]).transitive_dependencies("first") == {"first", "second"}
