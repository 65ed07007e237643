"""Every kind of file is recognised by its content; docs/sources.md says where its images are."""

from __future__ import annotations

import gzip
import json
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerguard.discovery.catalog import ROWS
from layerguard.platform import Platform
from layerguard.reference import ImageReference
from layerguard_cli.sources.source import SourceKind, SourceUnreadable
from layerguard_sandbox.engine import ROOT

from tests.cli.sources.examples import EXAMPLES, WEB, text_of
from tests.cli.sources.states import HOST, read, summary_of

PAGE = ROOT / "docs" / "sources.md"
CASES = [(kind, name) for kind, examples in EXAMPLES.items() for name in examples]
# A stack by its name is no file, and the assembly is a folder: test_cdk_assembly.py.
WITHOUT_A_FILE = {SourceKind.STACK, SourceKind.UNREADABLE}


@pytest.mark.parametrize(("kind", "name"), CASES, ids=str)
def test_an_example_is_recognised_and_its_one_image_is_found(kind: SourceKind, name: str) -> None:
    source = read(text_of(EXAMPLES[kind][name]))
    assert source.kind is kind
    (use,) = source.uses
    assert isinstance(use.target, ImageReference)
    assert str(use.target) == WEB
    assert (source.problems, source.notes) in {((), ()), ((), (BUILT,))}


BUILT = "The image of service db is left out: it is built from the project."


def table() -> dict[str, list[str]]:
    """The rows of the page's table, by the kind in their first cell."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    rows = [line.strip("|").split(" | ") for line in lines if line.startswith("| `")]
    return {cells[0].strip(" `"): [cell.strip() for cell in cells[1:]] for cells in rows}


def test_the_page_has_each_kind_once() -> None:
    assert list(table()) == sorted(each.value for each in SourceKind if each not in WITHOUT_A_FILE)


@pytest.mark.parametrize("kind", EXAMPLES, ids=str)
def test_the_page_says_as_what_a_kind_is_read_and_where_its_images_are(kind: SourceKind) -> None:
    _, resource_types, paths = table()[kind.value]
    for name, example in EXAMPLES[kind].items():
        (use,) = read(text_of(example)).uses
        if use.resource_type:
            package = use.resource_type.rpartition(":")[0]
            assert f"`{use.resource_type}`" in resource_types or f"`{package}:…`" in resource_types
        if paths.startswith("as in the stack"):
            continue
        path = use.path.rpartition(".")[2].partition("[")[0] or use.path.rpartition(".")[0]
        assert path.partition(" ")[0].partition("[")[0] in paths, (name, use.path)


def test_the_tokens_of_the_page_are_those_of_the_catalog() -> None:
    tokens = {
        word
        for _, resource_types, _ in table().values()
        for word in resource_types.split("`")
        if word.count(":") == 2 and "…" not in word
    }
    assert tokens
    assert tokens <= {row.resource_type for row in ROWS} | {
        "kubernetes:kustomize.config.k8s.io/v1beta1:Kustomization"
    }


def test_a_packed_file_is_what_is_packed_in_it() -> None:
    (use,) = read(gzip.compress(WEB.encode())).uses
    assert summary_of(use) == "line 1: shop/web:1"
    with pytest.raises(SourceUnreadable, match="does not unpack to its end"):
        read(gzip.compress(WEB.encode())[:-5])


def test_the_elements_of_a_list_that_are_no_manifests_are_told() -> None:
    example = EXAMPLES[SourceKind.KUBERNETES]["pod.json"]
    source = read([example, {"other": WEB}, {"other": 1}])
    assert [summary_of(use) for use in source.uses] == [
        "Pod/web.spec.containers[0].image: shop/web:1"
    ]
    assert source.problems == (
        "Document 2 is of no kind that an audit reads. It names a host of ECR.",
    )
    assert source.notes == ("Document 3 is of no kind that an audit reads.",)


def test_a_stream_of_several_kinds_is_all_of_them() -> None:
    parts = [text_of(EXAMPLES[kind][name]) for kind, name in CASES if name.endswith(".yaml")]
    source = read("\n---\n".join(parts))
    assert len(source.uses) == len(parts)
    assert source.problems == ()


@pytest.mark.parametrize(
    "document",
    [
        {"global": {"imageRegistry": HOST}},
        {"services": {"web": {"image": "nginx"}}, "x-registry": HOST},
        {"AWSEBDockerrunVersion": "1", "Authentication": {"Registry": HOST}},
        {
            "family": "web",
            "containerDefinitions": [{"image": "nginx", "environment": [{"value": HOST}]}],
        },
    ],
)
def test_a_file_for_images_that_names_a_host_and_no_image_of_it_is_a_problem(document: Any) -> None:
    source = read(document)
    assert source.problems == ("Document 1 names a host of ECR, and no image there was found.",)


def test_services_of_a_compose_file_have_their_platform_and_their_defaults() -> None:
    (use,) = read(EXAMPLES[SourceKind.COMPOSE]["compose.yaml"]).uses
    assert (use.platform, use.text) == (Platform("linux", "arm64"), WEB)


@pytest.mark.parametrize(
    ("image", "codes", "notes"),
    [
        ("${IMAGE}", [], ("The image of service web is left out: a variable in it is not known.",)),
        (f"{HOST}/shop/web:${{TAG}}", ["expression-unresolved"], ()),
        (f"{HOST}/shop/web", ["web"], ()),
    ],
)
def test_a_variable_of_a_compose_file_is_told(
    image: str, codes: list[str], notes: tuple[str, ...]
) -> None:
    source = read({"services": {"web": {"image": image}}})
    found = [
        "web" if isinstance(use.target, ImageReference) else use.target.code.text
        for use in source.uses
    ]
    assert (found, source.problems, source.notes) == (codes, (), notes)


@pytest.mark.parametrize(
    "name", ["pipelines", "service", "provider", "script", "stages", "openapi", "steps"]
)
def test_values_with_a_name_that_other_tools_have_are_values(name: str) -> None:
    values = {name: {"enabled": True}, "image": {"repository": f"{HOST}/shop/web", "tag": "1"}}
    assert read(json.dumps(values)).kind is SourceKind.HELM_VALUES


def test_a_placeholder_that_a_pipeline_fills_in_is_no_image() -> None:
    containers = [{"name": "web", "image": "<IMAGE1_NAME>"}, {"name": "log", "image": WEB}]
    source = read({"family": "web", "containerDefinitions": containers})
    assert [summary_of(use) for use in source.uses] == ["containerDefinitions[1].image: shop/web:1"]
    assert source.notes == ("containerDefinitions[0].image is a placeholder for an image.",)


def test_an_image_whose_tag_stands_elsewhere_is_told() -> None:
    source = read(f"images:\n- name: web\n  newName: {HOST}/shop/web\n")
    assert source.problems == (
        f"images[0] has no new tag: the manifests of its resources have the tag of {HOST}/shop/web. "
        "Audit what kustomize build prints.",
    )


@pytest.mark.parametrize(
    "document",
    [
        {"resources": ["a"], "spec": {}},
        {"Resources": {}},
        {"Resources": {"a": {"Type": "x"}}},
        {"version": 4},
        {"services": {}},
        {"services": ["web"]},
        {"jobs": {"web": {"container": {"image": WEB}}}, "on": "push"},
        {"artifacts": {}},
        {"States": {}},
        [],
        [{"image": "nginx"}],
        [1, 2],
    ],
    ids=str,
)
def test_what_only_resembles_a_kind_is_none(document: Any) -> None:
    with pytest.raises(SourceUnreadable, match="is of no kind"):
        read(document)


# Words of every kind, in any place: no document may break a reader.
WORDS = sorted(
    {
        word
        for examples in EXAMPLES.values()
        for example in examples.values()
        for word in text_of(example).replace('"', " ").replace(":", " ").split()
        if word.isidentifier()
    }
)
# A document in YAML matches names in any case.
WORDS += [word.swapcase() for word in WORDS[::3]]
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([*WORDS, WEB, HOST, "${A:-b}", "aws://1/2"])
)
values = st.recursive(
    leaves,
    lambda inside: (
        st.lists(inside, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inside, max_size=5)
    ),
    max_leaves=30,
)


@given(values)
def test_any_document_of_the_words_of_all_kinds_is_read_or_refused(value: Any) -> None:
    began = time.process_time()
    for text in (json.dumps(value), f"--- {json.dumps(value)}\n"):
        with suppress(SourceUnreadable):
            read(text)
    assert time.process_time() - began < 2


@given(st.data(), st.sampled_from(CASES))
def test_any_change_of_an_example_is_read_or_refused(
    data: st.DataObject, case: tuple[SourceKind, str]
) -> None:
    kind, name = case
    text = text_of(EXAMPLES[kind][name])
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    try:
        read(text[:start] + data.draw(st.text(max_size=5)) + text[end:])
    except SourceUnreadable as error:
        assert str(error).endswith(".")


@pytest.mark.parametrize(
    "example", [e for e in EXAMPLES.values() if e], ids=lambda each: next(iter(each))
)
def test_a_file_of_many_resources_costs_no_more_than_its_size(example: dict[str, Any]) -> None:
    """Ten thousand times the same: a square of it would take hours."""
    document = next(iter(example.values()))
    if isinstance(document, str):
        text = document if document.startswith("#") else f"{document}\n---\n" * 2_000
    else:
        text = json.dumps(_widened(document, 2_000))
    began = time.process_time()
    with suppress(SourceUnreadable):
        read(text)
    assert time.process_time() - began < 30


def _widened(value: Any, count: int) -> Any:
    """A value whose innermost lists have many times what they had."""
    if isinstance(value, dict):
        return {key: _widened(each, count) for key, each in value.items()}
    if isinstance(value, list):
        return (
            value * count if len(str(value)) < 2_000 else [_widened(each, count) for each in value]
        )
    return value
