"""Kubernetes manifests, as people, helm and kubectl write them."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from layerguard.platform import Platform
from layerguard_cli.sources.source import NotASource, SourceKind, SourceUnreadable

from tests.cli.sources.states import HOST, read, summary_of

HELM = f"""\
---
# Source: shop/templates/serviceaccount.yaml
apiVersion: v1
kind: ServiceAccount
metadata:
  name: shop
---
# Source: shop/templates/configmap.yaml
apiVersion: v1
kind: ConfigMap
metadata: {{name: notes}}
data:
  notes: |
    --- this is text
---
# Source: shop/templates/deployment.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  template:
    spec:
      nodeSelector: {{kubernetes.io/arch: arm64}}
      initContainers:
        - name: migrate
          image: "{HOST}/shop/migrate:1.4.2"
      containers:
        - name: web
          image: "{HOST}/shop/web:1.4.2"
        - name: proxy
          image: nginx:1.27
---
# Source: shop/templates/empty.yaml
"""


def pod(name: str, image: str) -> dict[str, Any]:
    containers = [{"name": name, "image": image}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": containers},
    }


def rollout(image: str) -> dict[str, Any]:
    template = {"spec": {"containers": [{"name": "web", "image": image}]}}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": "web"},
        "spec": {"template": template},
    }


def test_what_helm_prints_has_the_images_of_its_pods() -> None:
    source = read(HELM)
    assert (source.name, source.kind, source.problems) == (
        "the place",
        SourceKind.KUBERNETES,
        (),
    )
    assert [summary_of(use) for use in source.uses] == [
        "Deployment/shop/web.spec.template.spec.containers[0].image: shop/web:1.4.2",
        "Deployment/shop/web.spec.template.spec.containers[1].image: not-private-ecr",
        "Deployment/shop/web.spec.template.spec.initContainers[0].image: shop/migrate:1.4.2",
    ]
    web = source.uses[0]
    assert (web.container, web.platform, web.urn) == ("web", Platform("linux", "arm64"), "")
    assert web.resource_type == "kubernetes:apps/v1:Deployment"


@pytest.mark.parametrize(
    "write",
    [json.dumps, yaml.safe_dump, lambda each: yaml.safe_dump(each, default_flow_style=True)],
)
def test_yaml_json_and_flow_style_are_the_same(write: Any) -> None:
    (use,) = read(write(pod("web", f"{HOST}/shop/web:1"))).uses
    assert summary_of(use) == "Pod/web.spec.containers[0].image: shop/web:1"


def test_a_resource_of_an_unknown_kind_is_read_for_whole_references() -> None:
    (use,) = read(rollout(f"{HOST}/shop/web:1")).uses
    assert summary_of(use) == "Rollout/web.spec.template.spec.containers[0].image: shop/web:1"
    assert use.resource_type == "kubernetes:argoproj.io/v1alpha1:Rollout"


def test_lists_are_their_items() -> None:
    items = [pod("web", f"{HOST}/shop/web:1"), rollout(f"{HOST}/shop/web:2")]
    source = read({"apiVersion": "v1", "kind": "List", "items": items})
    assert [summary_of(use) for use in source.uses] == [
        "Pod/web.spec.containers[0].image: shop/web:1",
        "Rollout/web.spec.template.spec.containers[0].image: shop/web:2",
    ]


def test_items_without_a_kind_are_of_the_kind_of_their_list() -> None:
    item = pod("web", f"{HOST}/shop/web:1")
    del item["apiVersion"], item["kind"]
    source = read({"apiVersion": "v1", "kind": "PodList", "items": [item]})
    assert [summary_of(use) for use in source.uses] == [
        "Pod/web.spec.containers[0].image: shop/web:1"
    ]


def test_the_status_of_a_pod_is_no_image_that_it_runs() -> None:
    running = pod("web", f"{HOST}/shop/web:1")
    running["status"] = {"containerStatuses": [{"image": f"{HOST}/shop/web:0"}]}
    assert [summary_of(use) for use in read(running).uses] == [
        "Pod/web.spec.containers[0].image: shop/web:1"
    ]


def test_documents_in_json_stand_one_behind_the_other() -> None:
    text = "\n".join(json.dumps(pod(name, f"{HOST}/shop/{name}:1")) for name in ("web", "worker"))
    assert [summary_of(use) for use in read(text).uses] == [
        "Pod/web.spec.containers[0].image: shop/web:1",
        "Pod/worker.spec.containers[0].image: shop/worker:1",
    ]


def test_a_document_that_does_not_parse_hides_none_of_the_others() -> None:
    source = read(f"a: [\n---\n{yaml.safe_dump(pod('web', f'{HOST}/shop/web:1'))}---\nlist:\n- x\n")
    assert [summary_of(use) for use in source.uses] == [
        "Pod/web.spec.containers[0].image: shop/web:1"
    ]
    assert source.problems == ()
    assert source.notes == (
        "Document 1 is not YAML.",
        "Document 3 is of no kind that an audit reads.",
    )


def test_a_document_that_is_left_out_and_names_ecr_is_a_problem() -> None:
    image = f"{HOST}/shop/web:1"
    source = read(f"{{{{ if }}}} {image}\n---\n{yaml.safe_dump(pod('web', image))}---\n- {image}\n")
    assert len(source.uses) == 1
    assert source.problems == (
        "Document 1 is not YAML. It names a host of ECR.",
        "Document 3 is of no kind that an audit reads. It names a host of ECR.",
    )
    assert source.notes == ()


def test_a_manifest_that_names_a_host_and_no_image_is_noted() -> None:
    source = read({"apiVersion": "v1", "kind": "ConfigMap", "data": {"REGISTRY": HOST}})
    assert (source.uses, source.problems) == ((), ())
    assert source.notes == ("Document 1 names a host of ECR, and no image there was found.",)


def test_directives_and_a_document_on_the_line_of_its_marker_are_yaml() -> None:
    text = f"%YAML 1.1\n--- {json.dumps(pod('web', f'{HOST}/shop/web:1'))}\n...\n"
    source = read(text)
    assert [summary_of(use) for use in source.uses] == [
        "Pod/web.spec.containers[0].image: shop/web:1"
    ]
    assert source.problems == ()


BARS = {
    "a bar": "#" * 80 + "\n",
    "a bar between blank lines": "\n" * 50 + "#" * 80 + "\n" + "\n" * 50,
    "a box": ("#" * 80 + "\n# Istio" + " " * 71 + "#\n") * 50,
    "many blank lines": "  \r\n" * 100_000,
    "a megabyte of bar": "#" * 1_000_000 + "\n",
    "a megabyte of blanks": " " * 1_000_000 + "\n",
}


@pytest.mark.parametrize("bar", BARS.values(), ids=BARS)
def test_comments_and_blank_lines_before_the_first_key_cost_their_length(bar: str) -> None:
    text = f"{bar}{yaml.safe_dump(pod('web', f'{HOST}/shop/web:1'))}\n---\n{bar}"
    began = time.process_time()
    source = read(text)
    assert time.process_time() - began < 2  # a square of any of these would take minutes
    assert [summary_of(use) for use in source.uses] == [
        "Pod/web.spec.containers[0].image: shop/web:1"
    ]
    assert source.problems == ()


@given(st.text("#% \t\r\n", max_size=2_000))
def test_what_has_no_content_costs_its_length(nothing: str) -> None:
    # A tab before a token, or what stands behind "%", need not be YAML: only the time is certain.
    began = time.process_time()
    read(f"---\n{nothing}\n---\n{yaml.safe_dump(pod('web', f'{HOST}/shop/web:1'))}")
    assert time.process_time() - began < 1


@pytest.mark.parametrize("text", ["a: 1\n", "- a\n- b\n", "runtime: python\nname: shop\n", '"a"\n'])
def test_yaml_without_a_manifest_is_no_source(text: str) -> None:
    with pytest.raises(NotASource, match=r"^It is of no kind that an audit reads\.$"):
        read(text)


@pytest.mark.parametrize("text", ["a: [\n", "a: b: c\n", "{{ .Values.image }}\n"])
def test_what_is_not_even_yaml_cannot_be_read(text: str) -> None:
    with pytest.raises(SourceUnreadable, match=r"^It is not YAML\.$") as raised:
        read(text)
    assert not isinstance(raised.value, NotASource)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just(f"{HOST}/a:1"),
    lambda inside: (
        st.lists(inside, max_size=3)
        | st.dictionaries(
            st.sampled_from(["items", "kind", "apiVersion", "metadata", "name", "spec", "x"]),
            inside,
            max_size=4,
        )
    ),
)


@given(values, values, values)
def test_whatever_a_manifest_has_in_it_is_read(metadata: Any, spec: Any, items: Any) -> None:
    kinds = {"apiVersion": "apps/v1", "kind": "DeploymentList"}
    manifest = {**kinds, "metadata": metadata, "spec": spec, "items": items}
    assert read(manifest).kind is SourceKind.KUBERNETES
