"""No input of n bytes costs more than about n log n, and what expands has a bound.

Each case is large enough that a square of its size would take minutes or gigabytes; the budget is
one that only this misses. Processor time, because other work on the machine does not count.
"""

from __future__ import annotations

import base64
import gzip
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from layerguard.discovery import discover
from layerguard.discovery.documents import READERS
from layerguard.discovery.documents.unreadable import DocumentUnreadable
from layerguard.discovery.tree import Tree, plain

from tests.discovery.engine_inputs import targets
from tests.fakes import HOST

WEB = f"{HOST}/shop/web:1"
BUDGET = 10.0
"""Seconds of processor time."""


@contextmanager
def within_budget() -> Iterator[None]:
    began = time.process_time()
    yield
    assert time.process_time() - began < BUDGET


def bomb(first: str, level: Callable[[int], str], levels: int) -> str:
    return first + "".join(level(number) for number in range(1, levels))


def packed(text: str) -> str:
    return base64.b64encode(gzip.compress(text.encode())).decode()


def nested_messages(depth: int) -> str:
    def head(level: int) -> str:
        return f'Content-Type: multipart/mixed; boundary="b{level}"\n\n--b{level}\n'

    leaf = "Content-Type: text/cloud-config\n\n#cloud-config\na: 1\n"
    closing = "".join(f"--b{level}--\n" for level in reversed(range(depth)))
    return "".join(map(head, range(depth))) + leaf + closing


N = 200_000
DOCUMENTS = {
    "arguments in arguments": ("dockerfile", bomb("ARG a0=xx\n", lambda n: f"ARG a{n}=$a{n - 1}$a{n - 1}\n", 40) + "FROM $a39"),
    "one argument in many": ("dockerfile", f"ARG a={'x' * N}\n" + "".join(f"ARG b{n}=$a-\n" for n in range(N // 10)) + "FROM a"),
    "an argument many times": ("dockerfile", f"ARG a={'x' * N}\nFROM {'$a' * N}"),
    "triggers of triggers": ("dockerfile", "FROM a\n" + "ONBUILD " * N),
    "blanks of a heredoc": ("dockerfile", f"FROM a\nRUN <<{' ' * N}a<"),
    "flags": ("dockerfile", "FROM a\nRUN " + '--mount=type=cache,"' * (N // 20)),
    "open quotes": ("dockerfile", "FROM a\nRUN " + "\\\"'" * (N // 3)),
    "blanks of a directive": ("dockerfile", f"#{' ' * N}x\n#{' ' * N}syntax{' ' * N}"),
    "stages": ("dockerfile", "".join(f"FROM s{n} AS s{n + 1}\nCOPY --from=s{n} / /\n" for n in range(N // 40))),
    "a long word": ("spark", "--conf a=" + "x" * N),
    "open quotes of arguments": ("spark", "\\'" * N + "'" + "\\\"" * N),
    "blanks of user data": ("user-data", " " * N + "#"),
    "empty lines of user data": ("user-data", "\n" * N + "[x"),
    "packed blanks": ("user-data", packed("#cloud-config\n" + " " * 900_000)),
    "packed without end": ("user-data", packed("#cloud-config\n" + " " * 90_000_000)),
    "messages in messages": ("user-data", nested_messages(N // 60)),
    "parts of a message": ("user-data", 'Content-Type: multipart/mixed; boundary="b"\n\n' + "--b\n\n" * (N // 5)),
    "parameters of a header": ("user-data", 'Content-Type: multipart/mixed; x="' + ";" * N + "\n\n"),
    "folded lines of a header": ("user-data", "Content-Type: x\n" + " \n" * N),
    "aliases": ("yaml", bomb("a0: &a0 [x]\n", lambda n: f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n", 30)),
    "merges": ("yaml", bomb("a0: &a0 {x: 1}\n", lambda n: f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n", 30)),
    "aliases in a stream": ("yaml-stream", f"---\na: &a [{'x, ' * 300}]\nb: [{'*a, ' * 300}]\n" * 300),
    "a number of many digits": ("yaml", "a: 1" + "0" * N),
    "a number of many sixties": ("yaml", "a: 1" + ":1" * N),
    "a fraction of many sixties": ("yaml", "a: 1" + ":1" * N + ".5"),
    "a number of JSON of many digits": ("json", "[1" + "0" * 10 * N + "]"),
    "a bar of comments": ("yaml-stream", ("#" * 80 + "\n\n") * (N // 10) + "a: 1"),
    "one long bar": ("yaml-stream", "#" * 10 * N + "\na: 1"),
    "brackets": ("yaml", "[" * N),
    "dashes": ("yaml", "- " * N),
    "brackets of JSON": ("json", "[" * N),
    "quotes of a job": ("nomad", 'a = "' + '\\"' * N + "\\"),
    "comments of a job": ("nomad", "/* " * N),
    "heredocs of a job": ("nomad", "<<A\n" * N),
    "strings of a job": ("nomad", "image = '' " * (N // 10)),
    "blanks of a job": ("nomad", f"image{' ' * N}image ={' ' * N}"),
}  # fmt: skip


@pytest.mark.parametrize(("reader", "text"), DOCUMENTS.values(), ids=DOCUMENTS)
def test_a_document_costs_no_more_than_its_size(reader: str, text: str) -> None:
    with within_budget(), suppress(DocumentUnreadable):
        READERS[reader](text, ({},))


def stack(**template: Any) -> tuple[str, Any]:
    return "aws:cloudformation/stack:Stack", {"templateBody": json.dumps(template)}


def function(image: Any, **more: Any) -> tuple[str, Any]:
    resource = {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"ImageUri": image}}}
    return stack(Resources={"F": resource}, **more)


def substitutions(levels: int) -> Any:
    image: Any = "xx"
    for _ in range(levels):
        image = {"Fn::Sub": ["${a}${a}", {"a": image}]}
    return image


def join(levels: int) -> Any:
    image: Any = "xx"
    for _ in range(levels):
        image = {"Fn::Join": [image, ["", "", "", ""]]}
    return image


def deep(levels: int) -> str:
    return f'{{"Resources": {{"F": {{"Type": "T", "Properties": {"[" * levels}{"]" * levels}}}}}}}'


def pods(containers: int, **spec: Any) -> tuple[str, Any]:
    return "kubernetes:core/v1:Pod", {
        "spec": {"containers": [{"image": f"x{number}"} for number in range(containers)], **spec}
    }


def affinity(terms: int) -> Any:
    expressions = [{"key": f"k{n}", "operator": "In", "values": ["x"]} for n in range(terms)]
    required = {"nodeSelectorTerms": [{"matchExpressions": expressions}] * 2}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}


def chart(images: int, registry: str) -> tuple[str, Any]:
    values = {f"i{n}": {"image": {"repository": "web", "tag": "1"}} for n in range(images)}
    return "kubernetes:helm.sh/v3:Release", {
        "values": {"global": {"imageRegistry": registry}, **values}
    }


def task(**properties: Any) -> Any:
    containers = [{"Image": "x"}] * M
    properties = {**properties, "ContainerDefinitions": containers}
    return stack(Resources={"T": {"Type": "AWS::ECS::TaskDefinition", "Properties": properties}})


def batch_nodes(instance_types: list[str]) -> tuple[str, Any]:
    containers = {"taskProperties": [{"containers": [{"image": "x"}] * M}]}
    nodes = [{"instanceTypes": instance_types, "ecsProperties": containers}]
    return "aws-native:batch:JobDefinition", {"nodeProperties": {"nodeRangeProperties": nodes}}


def pipeline(role: str, region: str) -> tuple[str, Any]:
    action = {"provider": "ECR", "configuration": {"RepositoryName": "shop/web"}}
    stages = [{"actions": [action] * M}]
    inputs = {"roleArn": role, "region": region, "stages": stages}
    return "aws:codepipeline/pipeline:Pipeline", inputs


def nested(depth: int, text: str = WEB) -> Tree:
    value: Tree = [text]
    for _ in range(depth):
        value = [text, value]
    return value


def parameters(images: int) -> tuple[str, Any]:
    names = (f"a{n}.image.{part}" for n in range(images) for part in ("repository", "tag"))
    listed = [{"name": name, "value": f"{HOST}/web"} for name in names]
    return "kubernetes:argoproj.io/v1alpha1:Application", {"parameters": listed}


def string(*texts: str) -> tuple[str, Any]:
    return "aws:x/y:Z", {"strings": texts}


M = 5_000
SHORT_BOMBS = ["&a [*a]", "&a {<<: *a}", "a: &a [b, b]\nc: [*a, *a]"]
RESOURCES = {
    "texts in texts": function(substitutions(32)),
    "separators in separators": function(join(32)),
    "a long default in many places": function({"Fn::Join": ["", [{"Ref": "P"}] * M]}, Parameters={"P": {"Default": "x" * N}}),
    "a list in many places": function([{"Ref": "P"}] * M, Parameters={"P": {"Default": ["x"] * M}}),
    "a map in many places": function([{"Fn::FindInMap": ["a", "b", "c"]}] * M, Mappings={"a": {"b": {"c": [WEB] * M}}}),
    "a map that has no such key": function([{"Fn::FindInMap": ["z", "b", "c"]}] * M, Mappings={f"a{n}": {} for n in range(M)}),
    "open braces": function({"Fn::Sub": "${" * N}),
    "a deep template": ("aws:cloudformation/stack:Stack", {"templateBody": deep(900)}),
    "properties in any case": task(**{f"p{n}": n for n in range(M)}),
    "a task's launch types": task(RequiresCompatibilities=["EC2"] * M),
    "a pod's node affinity": pods(M, affinity=affinity(M)),
    "a batch job's instance types": batch_nodes(["m7g.large"] * M),
    "places that are never pulled": ("kubernetes:core/v1:PodList", {"items": [{"status": {"a": WEB}, "spec": {"b": WEB}}] * M}),
    "many short documents of aliases": ("kubernetes:helm.sh/v3:Release", {"valueYamlFiles": SHORT_BOMBS * (M // 5)}),
    "much packed user data": ("aws:ec2/spotFleetRequest:SpotFleetRequest", {"launchSpecifications": [{"userData": packed("#cloud-config\n" + "- a\n" * N)}] * M}),
    "a chart's registry": chart(M, "x" * N),
    "references in lists in lists": ("aws:x/y:Z", {"a": nested(8_000)}),
    "documents in lists in lists": ("aws:x/y:Z", {"a": nested(8_000, f"image: {WEB}")}),
    "other texts in lists in lists": ("aws:x/y:Z", {"a": nested(8_000, f"It is {WEB}.")}),
    "documents in documents": string(json.dumps([json.dumps([json.dumps([WEB] * 900)] * 10)] * 10)),
    "many small documents": string(*[f"image: {WEB}{n}" for n in range(M)]),
    "aliases in many small documents": string(*[f"image: {WEB}\na: &a [b, b]\nc: [*a, *a]"] * M),
    "one large document after another": string(*[f"a: {'x' * N}\nimage: {WEB}"] * 100),
    "brackets behind an image": string(f"image: {WEB}\n" + "[" * N),
    "dashes of a list": string("- " * N + WEB),
    "dashes of a line that does not parse": string("a: [\n" + "- " * N + WEB),
    "empty lines above a document": string("\n" * N + WEB),
    "blanks above a comment": string((" " * 1_000 + "#\n") * (N // 1_000) + WEB),
    "tools without an end": string("docker run " * (N // 10) + WEB),
    "separators without an end": string(": " * N + WEB),
    "assignments without an end": string("a=" * N + WEB),
    "lines that go on": string("\\\n" * N + f"docker pull {WEB}"),
    "base64 of much": string(*[base64.b64encode((" " * N + WEB).encode()).decode()] * 10),
    "dotted parameters": parameters(M),
    "parameters with names of many parts": ("aws:x/y:Z", {"set": {f"{'a.' * 200}{n}": WEB for n in range(M)}}),
    "a pipeline's role": pipeline(f"arn:{'a' * N}", "eu-west-1"),
    "a pipeline's region": pipeline("arn:aws:iam::123456789012:role/p", "r" * N),
}  # fmt: skip


@pytest.mark.parametrize(("resource_type", "inputs"), RESOURCES.values(), ids=RESOURCES)
def test_a_resource_costs_no_more_than_its_size(resource_type: str, inputs: Any) -> None:
    with within_budget():
        found = discover("urn", resource_type, plain(inputs))
    assert "internal-error" not in dict(targets(found)).values()


@pytest.mark.parametrize("text", [WEB, f"image: {WEB}", f"It is {WEB}."])
def test_references_that_are_too_many_to_name_are_spoken_of(text: str) -> None:
    found = discover("urn", "aws:x/y:Z", {"a": nested(8_000, text)})
    assert dict(targets(found))["(all inputs)"] == "document-unreadable"


def calls_in(work: Callable[[], object]) -> int:
    """Return how many functions of Python are called, which no other work on a machine changes."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls


PLAIN = {
    "bucket": "logs",
    "policy": json.dumps({"Resource": "arn:aws:s3:::logs/*" * 9}),
    "tags": {"a": "b"},
}


def test_a_resource_without_an_image_takes_no_more_steps_for_documents_that_may_be_in_it() -> None:
    def read(text: str) -> int:
        inputs = plain({**PLAIN, "text": text})
        return calls_in(lambda: discover("urn", "aws:s3/bucket:Bucket", inputs))

    short = read("a" * 100)
    assert read("image: nginx:1\n" * 10_000) == read("FROM nginx\n" * 10_000) == short
