"""Discovery: every row of the catalog, unknown values, and what is not an image."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from layerguard.discovery import Naming, discover, split_references
from layerguard.discovery.catalog import ROWS, Role, Row
from layerguard.discovery.path import Leaf
from layerguard.discovery.tree import Mark
from layerguard.platform import Platform
from layerguard.reference import ImageReference
from layerguard.verdict import Code, Verdict
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from tests.discovery.engine_inputs import targets, uses
from tests.discovery.smallest import smallest, until_document
from tests.fakes import HOST, without_place

IMAGE = f"{HOST}/shop/web:1"
TASK = "aws:ecs/taskDefinition:TaskDefinition"
POD = "kubernetes:core/v1:Pod"
NAMED = [row for row in ROWS if row.role is Role.PULL]
_LINES = (Path(__file__).parent / "catalog.jsonl").read_text(encoding="utf-8").splitlines()
CATALOG = [json.loads(line) for line in _LINES[1:]]  # the first line says where it came from
SPLIT = (split_references.pipeline_source, split_references.pipeline_scan)


def name(row: Row) -> str:
    return f"{row.resource_type} {row.path}"


@pytest.mark.parametrize("row", NAMED, ids=name)
def test_every_row_finds_its_image_at_its_path(row: Row) -> None:
    distinct = f"{HOST}/lost/{NAMED.index(row)}:latest"
    written = f"lost/{NAMED.index(row)}" if row.reference in SPLIT else distinct
    inputs, path = smallest(row, written)
    (use,) = [each for each in uses(row.resource_type, inputs) if each.naming is Naming.PULLED]
    assert (use.path, use.text, use.resource_type) == (path, distinct, row.resource_type)
    assert use.target == ImageReference.parse(distinct)


@pytest.mark.parametrize("row", NAMED, ids=name)
def test_every_row_is_pending_where_its_value_is_unknown(row: Row) -> None:
    inputs, _ = smallest(row, UNKNOWN_STRING_VALUE)
    path = until_document(row.path)
    if path != row.path:
        # An unknown part of a document makes the whole of it unknown.
        at_document = Row(row.resource_type, path)
        inputs, path = smallest(at_document, UNKNOWN_STRING_VALUE)
    else:
        path = smallest(row, "")[1]
    (use,) = uses(row.resource_type, inputs)
    assert use.path == path
    assert use.text is None
    assert isinstance(use.target, Verdict)
    assert use.target.code is Code.UNKNOWN_IN_PREVIEW


def shape(path: str) -> str:
    """Return a path in the spelling of the catalog, which has keys of maps as ``{*}``."""
    path = path.partition(":")[0]
    path = re.sub(r'\["[^"]+"\]|\._CUSTOM_IMAGE', "{*}", path)
    path = re.sub(r"\[\w+=[^\]]+\]", "[]", path)
    path = re.sub(r"(?<=\.applicationConfiguration\[\])(\.configurations\[\])+", "", path)
    return re.sub(r"(configuration)\.(ECR)?RepositoryName", r"\1{*}", path)


@cache
def shapes(resource_type: str, role: Role) -> frozenset[str]:
    rows = (row for row in ROWS if (row.resource_type, row.role) == (resource_type, role))
    return frozenset(shape(row.path) for row in rows)


def catalog_id(entry: dict[str, str]) -> str:
    return f"{entry['token']} {entry['path']}"


@pytest.mark.parametrize(
    "entry", [each for each in CATALOG if each["role"] == "pull"], ids=catalog_id
)
def test_every_pull_of_the_catalog_has_a_row(entry: dict[str, str]) -> None:
    path = entry["path"].removesuffix("{*}")
    found = shapes(entry["token"], Role.PULL)
    assert any(each.removesuffix("{*}") == path for each in found), found


OTHER_ROLES = {"push": Role.PUSH, "pull-soft": Role.OPTIONAL}


@pytest.mark.parametrize(
    "entry", [each for each in CATALOG if each["role"] in OTHER_ROLES], ids=catalog_id
)
def test_every_push_and_every_cache_of_the_catalog_has_a_row(entry: dict[str, str]) -> None:
    assert entry["path"] in shapes(entry["token"], OTHER_ROLES[entry["role"]])


NEVER = (
    "push",
    "push-prep",
    "local",
    "informational",
    "output-ish",
    "registry-host",
    "oci-artifact",
)


@pytest.mark.parametrize(
    "entry", [each for each in CATALOG if each["role"] in NEVER], ids=catalog_id
)
@pytest.mark.parametrize(
    "text", [HOST, f"https://{HOST}", IMAGE, f"{HOST}/shop/web", f"oci://{IMAGE}"]
)
def test_what_no_runtime_pulls_is_never_a_use(entry: dict[str, str], text: str) -> None:
    row = Row(entry["token"], entry["path"])
    inputs, _ = smallest(row, text)
    assert uses(entry["token"], inputs) == ()


@pytest.mark.parametrize(
    "entry", [each for each in CATALOG if each["role"] == "pull-soft"], ids=catalog_id
)
def test_a_cache_is_optional(entry: dict[str, str]) -> None:
    inputs, path = smallest(Row(entry["token"], entry["path"]), IMAGE)
    if entry["path"].endswith(".raw"):
        inputs, path = smallest(Row(entry["token"], entry["path"] + ":cache"), IMAGE)
    (use,) = uses(entry["token"], inputs)
    assert (use.path, str(use.target), use.naming) == (path, IMAGE, Naming.OPTIONAL)


AMD64, ARM64, UNDECIDED = Platform("linux", "amd64"), Platform("linux", "arm64"), None
# The platforms of the smallest inputs, by the beginning of the catalog's column.
PLATFORMS = {
    "AWS-managed rule evaluator; amd64": AMD64,
    "Amplify build fleet": AMD64,
    "CodeBuild": UNDECIDED,
    "Compute environment instance types": UNDECIDED,
    "EC2/EKS only": UNDECIDED,
    "EKS node arch": UNDECIDED,
    "Environment instance type arch": UNDECIDED,
    "Infrastructure configuration": UNDECIDED,
    "Instance type that runs it": UNDECIDED,
    "Lightsail: linux/amd64": AMD64,
    "Linux (operatingSystem=AMAZON_LINUX_2023); arch": UNDECIDED,
    "Manifests[*].Platform": UNDECIDED,
    "No runtimePlatform property": UNDECIDED,
    "Node that schedules the pod": UNDECIDED,
    "Studio": AMD64,
    "architecture (X86_64 default": AMD64,
    "architectures[0]; default x86_64": AMD64,
    "as above": AMD64,
    "build.platform": UNDECIDED,
    "builder host": UNDECIDED,
    "capacity provider": UNDECIDED,
    "compute environment": UNDECIDED,
    "constraint ${attr.cpu.arch}": UNDECIDED,  # of a Nomad job, which is not read for it
    "daemon": UNDECIDED,
    "environment.type": UNDECIDED,
    "imageConfiguration.build.architecture (amd64 def": AMD64,
    "infrastructure instance types": UNDECIDED,
    "linux/amd64": AMD64,
    "linux/arm64": ARM64,
    "managed (amd64)": AMD64,
    "managed": UNDECIDED,
    "n/a": UNDECIDED,
    "platformCapabilities=FARGATE": UNDECIDED,
    "platforms[] (list; default builder host)": UNDECIDED,
    "resource `platform` if set": UNDECIDED,
    "runtimePlatform.cpuArchitecture": UNDECIDED,
    "swarm node": UNDECIDED,
    "taskDefinitionArgs.runtimePlatform": UNDECIDED,
}
# The type itself is that of Fargate.
FARGATE_TYPES = {"awsx:ecs:FargateService", "awsx:ecs:FargateTaskDefinition"}


@pytest.mark.parametrize("row", NAMED, ids=name)
def test_every_row_has_the_platform_of_the_catalog(row: Row) -> None:
    entries = [
        each
        for each in CATALOG
        if each["token"] == row.resource_type
        and each["role"] == "pull"
        and each["path"].removesuffix("{*}") == shape(row.path).removesuffix("{*}")
    ]
    if not entries:
        # Only rows inside of a document, and those of files, are not in the catalog themselves.
        assert ":" in row.path or row.resource_type.startswith("layerguard:file:")
        return
    column = entries[0]["platform"]
    begun = max((each for each in PLATFORMS if column.startswith(each)), key=len)
    expected = AMD64 if row.resource_type in FARGATE_TYPES else PLATFORMS[begun]
    inputs, path = smallest(row, "shop/web" if row.reference in SPLIT else IMAGE)
    found = {use.path: use.platform for use in uses(row.resource_type, inputs)}
    assert found[path] == expected


def test_rows_are_distinct() -> None:
    keys = [(row.resource_type, row.path, row.role) for row in ROWS]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("resource_type", "inputs"),
    [
        ("custom:index:Thing", {"image": IMAGE}),
        (
            "kubernetes:argoproj.io/v1alpha1:Rollout",
            {"spec": {"template": {"spec": {"containers": [{"image": IMAGE}]}}}},
        ),
        ("kubernetes:helm.sh/v3:Release", {"values": {"web": {"image": IMAGE}}}),
        ("my:index:Component", {"nested": [{"deep": {"ref": IMAGE}}]}),
        ("aws:sagemaker/domain:Domain", {"a": f"{HOST}/shop/web@sha256:{'0' * 64}"}),
    ],
)
def test_any_whole_reference_is_a_use_of_any_resource(
    resource_type: str, inputs: dict[str, Any]
) -> None:
    (use,) = uses(resource_type, inputs)
    assert isinstance(use.target, ImageReference)
    assert use.naming is Naming.FOUND


@pytest.mark.parametrize(
    ("resource_type", "inputs"),
    [
        ("aws:lambda/function:Function", {"environment": {"variables": {"NEXT": IMAGE}}}),
        ("aws:ec2/instance:Instance", {"tags": {"image": IMAGE}}),
        ("aws:ssm/parameter:Parameter", {"value": IMAGE}),
        ("aws:cloudformation/stack:Stack", {"parameters": {"Image": IMAGE}}),
        (
            "aws-native:ecs:TaskDefinition",
            {"containerDefinitions": [{"environment": [{"name": "NEXT", "value": IMAGE}]}]},
        ),
        ("custom:index:Thing", {"description": IMAGE}),
        (POD, {"metadata": {"annotations": {"image": IMAGE}}}),
        (POD, {"spec": {"containers": [{"env": [{"name": "image", "value": IMAGE}]}]}}),
        ("kubernetes:core/v1:ConfigMap", {"data": {"image": IMAGE}}),
        ("aws:apprunner/service:Service", {"x": {"runtimeEnvironmentVariables": {"A": IMAGE}}}),
        # Variables of continuous integration, and parameters of pipelines
        ("github:index/actionsVariable:ActionsVariable", {"value": IMAGE}),
        ("github:index/actionsSecret:ActionsSecret", {"plaintextValue": IMAGE}),
        ("gitlab:index/projectVariable:ProjectVariable", {"key": "A", "value": IMAGE}),
        ("kubernetes:tekton.dev/v1:PipelineRun", {"spec": {"params": [{"value": IMAGE}]}}),
        ("kubernetes:tekton.dev/v1:Task", {"spec": {"params": [{"default": IMAGE}]}}),
        # Destinations of builds
        ("kubernetes:shipwright.io/v1beta1:Build", {"spec": {"output": {"image": IMAGE}}}),
        ("kubernetes:build.openshift.io/v1:BuildConfig", {"spec": {"output": {"to": {"name": IMAGE}}}}),
        ("kubernetes:kpack.io/v1alpha2:Image", {"spec": {"tag": IMAGE}}),
        ("custom:index:Kaniko", {"destination": IMAGE}),
    ],
)  # fmt: skip
def test_a_reference_in_text_that_is_only_handed_on_is_carried(
    resource_type: str, inputs: dict[str, Any]
) -> None:
    (use,) = uses(resource_type, inputs)
    assert (str(use.target), use.naming) == (IMAGE, Naming.CARRIED)


@pytest.mark.parametrize("key", ["cacheFrom", "cacheFroms", "cacheTo"])
def test_a_cache_of_any_resource_is_optional(key: str) -> None:
    (use,) = uses("custom:index:Build", {"build": {key: [IMAGE]}})
    assert use.naming is Naming.OPTIONAL


def test_an_unknown_value_spoils_only_the_image_it_hides() -> None:
    found = uses(
        "aws-native:ecs:TaskDefinition",
        {
            "containerDefinitions": [
                {"name": "web", "image": UNKNOWN_STRING_VALUE},
                {"name": UNKNOWN_STRING_VALUE, "image": IMAGE},
                UNKNOWN_STRING_VALUE,
                {"name": "proxy", "image": f"{HOST}/shop/proxy:1", "cpu": UNKNOWN_STRING_VALUE},
            ],
            "family": UNKNOWN_STRING_VALUE,
        },
    )
    assert targets(found) == [
        ("containerDefinitions[0].image", "unknown-in-preview"),
        ("containerDefinitions[1].image", IMAGE),
        ("containerDefinitions[2]", "unknown-in-preview"),
        ("containerDefinitions[3].image", f"{HOST}/shop/proxy:1"),
    ]
    assert [use.container for use in found] == ["web", None, None, "proxy"]


def test_one_unknown_value_that_hides_several_images_is_one_use() -> None:
    assert targets(uses(POD, {"spec": UNKNOWN_STRING_VALUE})) == [("spec", "unknown-in-preview")]
    assert targets(uses(TASK, {"containerDefinitions": UNKNOWN_STRING_VALUE})) == [
        ("containerDefinitions", "unknown-in-preview")
    ]


def test_the_keys_of_the_classic_providers_documents_match_in_any_case() -> None:
    definitions = json.dumps([{"Name": "web", "Image": IMAGE}])
    (use,) = uses(TASK, {"containerDefinitions": definitions})
    assert (use.path, use.container) == ("containerDefinitions[0].image", "web")


def test_a_document_that_does_not_parse_is_undetermined_and_its_text_is_not_shown() -> None:
    (use,) = uses(TASK, {"containerDefinitions": "[{secret: hunter2"})
    assert (use.path, use.text) == ("containerDefinitions", None)
    assert isinstance(use.target, Verdict)
    assert use.target.code is Code.DOCUMENT_UNREADABLE
    assert "hunter2" not in repr(use)


def test_other_registries_are_skipped_and_broken_references_are_not() -> None:
    containers = [
        {"image": "nginx:1.27"},
        {"image": "public.ecr.aws/nginx/nginx:1.27"},
        {"image": f"{HOST}.evil.example/shop/web:1"},
        {"image": f"{HOST}/Shop"},
        {"image": ""},
        {"image": "{{ .Values.image }}"},
    ]
    assert [code for _, code in targets(uses(POD, {"spec": {"containers": containers}}))] == [
        "not-private-ecr",
        "not-private-ecr",
        "not-private-ecr",
        "reference-invalid",
        "reference-unclear",
        "reference-invalid",
    ]


@pytest.mark.parametrize(
    ("resource_type", "inputs"),
    [
        ("aws:ecr/repository:Repository", {"name": "shop/web"}),
        ("aws:ecr/repository:Repository", {"arn": "arn:aws:ecr:eu-west-1:123456789012:repository/shop/web"}),
        ("aws:ec2/instance:Instance",     {"ami": "ami-0123456789abcdef0"}),
        ("aws:ec2/instance:Instance",     {"ami": f"ami for {IMAGE}"}),
        ("custom:index:Thing",            {"image": "nginx:1.27", "images": ["public.ecr.aws/nginx/nginx:1.27"]}),
        ("custom:index:Thing",            {"registry": HOST, "url": f"https://{HOST}", "repositoryUrl": f"{HOST}/shop/web"}),
        ("custom:index:Thing",            {"image": IMAGE.replace("amazonaws.com", "amazonaws.com.evil.example")}),
        (TASK,                            {"family": "web", "containerDefinitions": json.dumps([{"command": [IMAGE]}])}),
        (POD,                             {"spec": {"containers": [{"image": 5}, {"image": None}, None, "x"]}}),
        (POD,                             {"spec": []}),
    ],
)  # fmt: skip
def test_nothing_else_is_an_image_use(resource_type: str, inputs: dict[str, Any]) -> None:
    assert uses(resource_type, inputs) == ()


def broken(*_: object) -> Any:
    raise RuntimeError("planted")


@pytest.mark.parametrize(
    "row",
    [
        Row("custom:index:Thing", "image", platform=broken),
        Row("custom:index:Thing", "image", reference=broken),
        Row("custom:index:Thing", "image[wrong"),
    ],
)
def test_a_bug_in_one_row_hides_no_image_of_another_nor_of_the_strings(row: Row) -> None:
    other = Row("custom:index:Thing", "others[].image")
    inputs = {"image": IMAGE, "others": [{"image": "nginx:1"}], "more": {"deep": IMAGE}}
    found = targets(uses("custom:index:Thing", inputs, rows=[row, other]))
    assert found == [
        ("others[0].image", "not-private-ecr"),
        ("image", IMAGE),
        ("more.deep", IMAGE),
        (row.path, "internal-error"),
    ]


def test_a_bug_at_one_place_hides_no_other_place_of_the_same_row() -> None:
    def platform(leaf: Leaf) -> Platform | None:
        return broken() if leaf.value == IMAGE else None

    row = Row("custom:index:Thing", "all[]", platform=platform)
    found = uses("custom:index:Thing", {"all": [IMAGE, "nginx:1"]}, rows=[row])
    assert targets(found) == [
        ("all[1]", "not-private-ecr"),
        ("all[0]", IMAGE),
        ("all[0]", "internal-error"),
    ]
    verdict = found[-1].target
    assert isinstance(verdict, Verdict)
    assert without_place(verdict.reason) == (
        "This is a bug of Layerguard 0.1.0, in reading a resource of type custom:index:Thing: "
        "RuntimeError: planted"
    )


@pytest.mark.parametrize("mark", Mark)
def test_a_mark_is_a_verdict_in_the_words_of_its_code(mark: Mark) -> None:
    (use,) = discover("urn", POD, {"spec": {"containers": [{"image": mark}]}})
    assert isinstance(use.target, Verdict)
    code = use.target.code
    assert (use.target.reason, use.target.next_step) == (code.meaning, code.next_step)


JOBSPEC = f"""
job "web" {{
  # image = "{HOST}/commented:1"
  group "web" {{
    task "web" {{
      config {{ image = "{IMAGE}" }}
      env {{ NEXT = "{HOST}/next:1" }}
    }}
    task "job" {{
      config {{ image = "{HOST}/job:${{var.tag}}" }}
    }}
    task "proxy" {{
      config {{ image = "nginx:1.27" }}
    }}
  }}
}}
"""


def test_a_nomad_jobs_quoted_references_are_found_where_they_are_written() -> None:
    found = uses("nomad:index/job:Job", {"jobspec": JOBSPEC})
    assert [(use.naming, *target) for use, target in zip(found, targets(found), strict=True)] == [
        (Naming.PULLED, 'jobspec.image["line 6, column 16"]', IMAGE),
        (Naming.PULLED, 'jobspec.image["line 10, column 16"]', "expression-unresolved"),
        (Naming.CARRIED, 'jobspec.other["line 7, column 20"]', f"{HOST}/next:1"),
    ]


def test_a_nomad_job_in_json_is_read_as_json() -> None:
    task = {"Config": {"image": IMAGE}, "Env": {"NEXT": f"{HOST}/next:1"}}
    job = {"Job": {"TaskGroups": [{"Tasks": [task]}]}}
    found = uses("nomad:index/job:Job", {"jobspec": json.dumps(job)})
    path = "jobspec.Job.TaskGroups[0].Tasks[0]"
    assert [(use.naming, use.path) for use in found] == [
        (Naming.PULLED, f"{path}.Config.image"),
        (Naming.CARRIED, f"{path}.Env.NEXT"),
    ]


PRINTED = (
    "[object Object]",
    "Calling [toString] on an [Output<T>] is not supported.",
    "<pulumi.output.Output object at 0x7f00>",
    "Calling __str__ on an Output[T] is not supported.",
)


@pytest.mark.parametrize("text", PRINTED)
@pytest.mark.parametrize(
    ("resource_type", "path"),
    [
        ("nomad:index/job:Job", "jobspec"),
        ("aws:ecs/taskDefinition:TaskDefinition", "containerDefinitions"),
        ("kubernetes:yaml/v2:ConfigGroup", "yaml"),
    ],
)
def test_a_printed_value_is_no_document_of_any_kind(
    resource_type: str, path: str, text: str
) -> None:
    found = uses(resource_type, {path: text})
    assert set(targets(found)) == {(path, "document-unreadable")}
