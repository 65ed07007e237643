"""Images of resources that no row knows: by the names around them, and in documents in strings."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from layerguard.discovery import Naming, discover
from layerguard.discovery.member_names import CONTAINERS, plain_name
from layerguard.discovery.spellings import as_in_catalog
from layerguard.discovery.tree import HIDDEN
from layerguard.enforcement import Run, may_block
from layerguard.verdict import Code, Verdict
from pulumi import StringAsset
from pulumi_policy import Secret

from tests.discovery.engine_inputs import targets, tree, uses
from tests.fakes import HOST

REPOSITORY = f"{HOST}/shop/web"
IMAGE = f"{REPOSITORY}:1"
DIGEST = f"sha256:{'a' * 64}"
CUSTOM = "custom:index:Thing"
DYNAMIC = "pulumi-nodejs:dynamic:Resource"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
ROLLOUT = "kubernetes:argoproj.io/v1alpha1:Rollout"
WORKFLOW = "kubernetes:argoproj.io/v1alpha1:Workflow"
BUCKET_OBJECT = "aws:s3/bucketObject:BucketObject"
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web"},
    "spec": {"containers": [{"name": "web", "image": IMAGE}]},
}


def containers(*images: str) -> list[dict[str, str]]:
    return [{"name": "web", "image": image} for image in images]


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def codes(resource_type: str, inputs: dict[str, Any]) -> list[str]:
    return [target for _, target in targets(uses(resource_type, inputs))]


@pytest.mark.parametrize(
    ("resource_type", "inputs", "path"),
    [
        (ROLLOUT, {"spec": {"template": {"spec": {"containers": containers(REPOSITORY)}}}}, "spec.template.spec.containers[0].image"),
        (ROLLOUT, {"spec": {"template": {"spec": {"initContainers": containers(REPOSITORY)}}}}, "spec.template.spec.initContainers[0].image"),
        (WORKFLOW, {"spec": {"templates": [{"container": {"image": REPOSITORY}}]}}, "spec.templates[0].container.image"),
        (WORKFLOW, {"spec": {"templates": [{"script": {"image": REPOSITORY}}]}}, "spec.templates[0].script.image"),
        (WORKFLOW, {"spec": {"templates": [{"sidecars": containers(REPOSITORY)}]}}, "spec.templates[0].sidecars[0].image"),
        ("kubernetes:tekton.dev/v1:Task", {"spec": {"steps": containers(REPOSITORY)}}, "spec.steps[0].image"),
        ("kubernetes:tekton.dev/v1:Task", {"spec": {"stepTemplate": {"image": REPOSITORY}}}, "spec.stepTemplate.image"),
        ("kubernetes:serving.knative.dev/v1:Service", {"spec": {"template": {"spec": {"containers": containers(REPOSITORY)}}}}, "spec.template.spec.containers[0].image"),
        ("kubernetes:keda.sh/v1alpha1:ScaledJob", {"spec": {"jobTargetRef": {"template": {"spec": {"containers": containers(REPOSITORY)}}}}}, "spec.jobTargetRef.template.spec.containers[0].image"),
        ("kubernetes:ray.io/v1:RayCluster", {"spec": {"workerGroupSpecs": [{"template": {"spec": {"containers": containers(REPOSITORY)}}}]}}, "spec.workerGroupSpecs[0].template.spec.containers[0].image"),
        ("kubernetes:flink.apache.org/v1beta1:FlinkDeployment", {"spec": {"podTemplate": {"spec": {"containers": containers(REPOSITORY)}}}}, "spec.podTemplate.spec.containers[0].image"),
        ("kubernetes:serving.kserve.io/v1beta1:InferenceService", {"spec": {"predictor": {"containers": containers(REPOSITORY)}}}, "spec.predictor.containers[0].image"),
        ("kubernetes:apps.openshift.io/v1:DeploymentConfig", {"spec": {"template": {"spec": {"containers": containers(REPOSITORY)}}}}, "spec.template.spec.containers[0].image"),
        ("kubernetes:ecs.services.k8s.aws/v1alpha1:TaskDefinition", {"spec": {"containerDefinitions": containers(REPOSITORY)}}, "spec.containerDefinitions[0].image"),
    ],
)  # fmt: skip
def test_the_image_of_a_container_of_any_kind_needs_no_tag(
    resource_type: str, inputs: dict[str, Any], path: str
) -> None:
    (use,) = uses(resource_type, inputs)
    assert (use.path, str(use.target), use.naming) == (path, REPOSITORY, Naming.FOUND)
    assert may_block(use, Run())


@pytest.mark.parametrize(
    ("resource_type", "inputs"),
    [
        (DYNAMIC, {"imageUri": REPOSITORY}),
        (DYNAMIC, {"nested": [{"containerImage": REPOSITORY}]}),
        (CUSTOM, {"image_uri": REPOSITORY}),
        (CUSTOM, {"images": [REPOSITORY]}),
        (CUSTOM, {"image": {"uri": REPOSITORY}}),
        # What makes containers of it is not known.
        ("my:index:App", {"containers": containers(REPOSITORY)}),
        ("kubernetes:lambda.services.k8s.aws/v1alpha1:Function", {"spec": {"code": {"imageURI": REPOSITORY}}}),
        ("kubernetes:sparkoperator.k8s.io/v1beta2:SparkApplication", {"spec": {"driver": {"image": REPOSITORY}}}),
        ("kubernetes:monitoring.coreos.com/v1:Prometheus", {"spec": {"image": REPOSITORY}}),
        ("kubernetes:build.openshift.io/v1:BuildConfig", {"spec": {"strategy": {"dockerStrategy": {"from": {"kind": "DockerImage", "name": REPOSITORY}}}}}),
        (WORKFLOW, {"spec": {"arguments": {"parameters": [{"name": "web-image", "value": REPOSITORY}]}}}),
    ],
)  # fmt: skip
def test_any_other_image_without_a_tag_is_only_a_warning(
    resource_type: str, inputs: dict[str, Any]
) -> None:
    (use,) = uses(resource_type, inputs)
    assert (str(use.target), use.naming) == (REPOSITORY, Naming.CARRIED)
    assert not may_block(use, Run())


@pytest.mark.parametrize(
    ("resource_type", "inputs"),
    [
        (CUSTOM, {"repositoryUrl": REPOSITORY, "imageRegistry": HOST, "chart": REPOSITORY}),
        (CUSTOM, {"targetImage": REPOSITORY, "outputImage": REPOSITORY, "destinationImageUri": REPOSITORY}),
        (CUSTOM, {"image": "nginx", "imageUri": f"{HOST}.evil.example/shop/web"}),
        (CUSTOM, {"image": f"oci://{REPOSITORY}"}),
        # Patterns, which an admission controller compares images with
        ("kubernetes:kyverno.io/v1:ClusterPolicy", {"spec": {"rules": [{"validate": {"pattern": {"spec": {"containers": [{"image": f"{HOST}/*"}]}}}, "verifyImages": [{"imageReferences": [f"{HOST}/*:*"]}]}]}}),
        (CUSTOM, {"env": {"IMAGE": REPOSITORY}, "tags": {"image": REPOSITORY}}),
        ("kubernetes:shipwright.io/v1beta1:Build", {"spec": {"output": {"image": REPOSITORY}}}),
        # It looks what tags there are, and pulls nothing.
        ("kubernetes:image.toolkit.fluxcd.io/v1beta2:ImageRepository", {"kind": "ImageRepository", "spec": {"image": REPOSITORY}}),
        (WORKFLOW, {"spec": {"arguments": {"parameters": [{"name": "repo", "value": REPOSITORY}]}}}),
    ],
)  # fmt: skip
def test_a_repository_that_no_name_calls_an_image_is_none(
    resource_type: str, inputs: dict[str, Any]
) -> None:
    assert uses(resource_type, inputs) == ()


@pytest.mark.parametrize(
    "image",
    [
        f"{REPOSITORY}:{{{{tag}}}}",
        f"{REPOSITORY}:{{{{ inputs.parameters.tag }}}}",
        f"{HOST}/{{{{ name }}}}",
        "{{ account }}.dkr.ecr.eu-west-1.amazonaws.com/shop/web:1",
        f"${{REGISTRY:-{HOST}}}/shop/web:1",
    ],
)
@pytest.mark.parametrize("resource_type", [WORKFLOW, CUSTOM])
def test_an_expression_in_an_image_is_spoken_of(resource_type: str, image: str) -> None:
    (use,) = uses(resource_type, {"containers": containers(image)})
    assert isinstance(use.target, Verdict)
    assert (use.target.code, use.text) == (Code.EXPRESSION_UNRESOLVED, image)


@given(st.sampled_from(sorted(CONTAINERS)), st.sampled_from(["image", "Image"]), st.booleans())
def test_names_are_compared_in_any_spelling(holder: str, key: str, is_listed: bool) -> None:
    spelled = "_".join(holder).upper()
    assert plain_name(spelled) == holder
    inner = {key: REPOSITORY}
    found = uses(ROLLOUT, {"spec": {spelled: [inner] if is_listed else inner}})
    assert [use.naming for use in found] == [Naming.FOUND]


@pytest.mark.parametrize(
    ("resource_type", "inputs"),
    [
        # What runs a command anew, which may be the one that pushes the image
        ("command:local:Command", {"create": "./push.sh", "triggers": [IMAGE]}),
        ("command:local:Command", {"create": "./push.sh", "stdin": IMAGE}),
        ("random:index/randomId:RandomId", {"byteLength": 4, "keepers": {"image": IMAGE}}),
        ("pulumi:terraform:null_resource", {"triggers": {"image": IMAGE}}),
        ("pulumi:terraform:terraform_data", {"triggers_replace": [IMAGE]}),
        ("terraform:index/data:Data", {"input": {"image": IMAGE}}),
        # Where a copy writes to
        ("skopeo2:index/copy:Copy", {"sourceImage": "docker://nginx:1", "destinationImage": f"docker://{IMAGE}"}),
        ("aws:cloudformation/stack:Stack", {"templateBody": json.dumps({"Resources": {"Copy": {"Type": "Custom::CDKECRDeployment", "Properties": {"DestImage": f"docker://{IMAGE}"}}}})}),
        # What an admission controller compares images with
        ("kubernetes:kyverno.io/v1:ClusterPolicy", {"spec": {"rules": [{"verifyImages": [{"imageReferences": [IMAGE]}]}]}}),
        ("kubernetes:constraints.gatekeeper.sh/v1beta1:K8sAllowedRepos", {"spec": {"parameters": {"exemptImages": [IMAGE]}}}),
        ("kubernetes:policy.sigstore.dev/v1beta1:ClusterImagePolicy", {"spec": {"images": [{"glob": IMAGE}]}}),
        # A file, the arguments of a job, what an alarm looks at
        (BUCKET_OBJECT, {"content": IMAGE}),
        ("aws:glue/job:Job", {"defaultArguments": {"--image": IMAGE}}),
        ("aws:cloudwatch/metricAlarm:MetricAlarm", {"dimensions": {"image": IMAGE}}),
    ],
)  # fmt: skip
def test_a_whole_reference_that_nothing_is_sure_to_pull_is_only_a_warning(
    resource_type: str, inputs: dict[str, Any]
) -> None:
    known, read = as_in_catalog(resource_type, tree(inputs))
    (use,) = discover("urn", known, read)
    assert (str(use.target), use.naming) == (IMAGE, Naming.CARRIED)
    assert not may_block(use, Run())


@pytest.mark.parametrize("text", [f"{IMAGE}\n", f"{IMAGE}\r\n"])
def test_a_whole_reference_with_a_line_break_behind_it_is_spoken_of(text: str) -> None:
    (use,) = uses(CUSTOM, {"ref": text})
    assert isinstance(use.target, Verdict)
    assert (use.path, use.target.code, use.naming) == (
        "ref",
        Code.REFERENCE_INVALID,
        Naming.CARRIED,
    )


def test_what_a_cluster_notes_about_who_wrote_what_is_not_read() -> None:
    fields = [{"manager": "kubectl", "fieldsV1": {"f:image": IMAGE}}]
    assert uses(ROLLOUT, {"metadata": {"managedFields": fields}}) == ()


TEXT = yaml.safe_dump(POD)
DEFINITIONS = json.dumps(containers(IMAGE))
COMPOSE = f"services:\n  web:\n    image: {IMAGE}\n"
IN_POD = "spec.containers[0].image"


@pytest.mark.parametrize(
    ("resource_type", "inputs", "path"),
    [
        # Container definitions and pipelines in JSON
        ("aws:cloudwatch/eventTarget:EventTarget", {"input": json.dumps({"overrides": containers(IMAGE)})}, "input.overrides[0].image"),
        ("aws:cloudwatch/eventTarget:EventTarget", {"inputTransformer": {"inputTemplate": f'{{"image": "{IMAGE}", "id": <id>}}'}}, "inputTransformer.inputTemplate.image"),
        ("kubernetes:ecs.aws.upbound.io/v1beta1:TaskDefinition", {"spec": {"forProvider": {"containerDefinitions": DEFINITIONS}}}, "spec.forProvider.containerDefinitions[0].image"),
        ("kubernetes:sagemaker.services.k8s.aws/v1alpha1:Pipeline", {"spec": {"pipelineDefinition": json.dumps({"Steps": [{"Arguments": {"TrainingImage": IMAGE}}]})}}, "spec.pipelineDefinition.Steps[0].Arguments.TrainingImage"),
        (CUSTOM, {"taskDefinition": StringAsset(DEFINITIONS)}, "taskDefinition[0].image"),
        # Manifests
        (CONFIG_MAP, {"data": {"pod.yaml": TEXT}}, f'data["pod.yaml"].{IN_POD}'),
        (CONFIG_MAP, {"data": {"pod.yaml": f"# a pod\n---\n{TEXT}"}}, f'data["pod.yaml"].{IN_POD}'),
        (CONFIG_MAP, {"data": {"pods.yaml": f"a: 1\n---\n{TEXT}"}}, f'data["pods.yaml"][1].{IN_POD}'),
        (CONFIG_MAP, {"data": {"pod.json": json.dumps(POD)}}, f'data["pod.json"].{IN_POD}'),
        (CONFIG_MAP, {"binaryData": {"pod": in_base64(TEXT)}}, f"binaryData.pod.{IN_POD}"),
        ("kubernetes:core/v1:Secret", {"data": {"pod": in_base64(TEXT)}}, f"data.pod.{IN_POD}"),
        ("kubernetes:core/v1:Secret", {"data": {"image": in_base64(IMAGE)}}, "data.image"),
        ("kubernetes:core/v1:Secret", {"stringData": {"pod": TEXT}}, f"stringData.pod.{IN_POD}"),
        (CONFIG_MAP, {"data": {"outer": yaml.safe_dump({"data": {"inner": TEXT}})}}, f"data.outer.data.inner.{IN_POD}"),
        ("kubernetes:yaml/v2:ConfigGroup", {"yaml": yaml.safe_dump({"kind": "ConfigMap", "data": {"pod": TEXT}})}, f"yaml[0].data.pod.{IN_POD}"),
        # Values and patches
        ("kubernetes:argoproj.io/v1alpha1:Application", {"spec": {"source": {"helm": {"values": f"image: {IMAGE}"}}}}, "spec.source.helm.values.image"),
        ("kubernetes:helm.cattle.io/v1:HelmChart", {"spec": {"valuesContent": f"image: {IMAGE}"}}, "spec.valuesContent.image"),
        ("kubernetes:kustomize.toolkit.fluxcd.io/v1:Kustomization", {"spec": {"patches": [{"patch": TEXT}]}}, f"spec.patches[0].patch.{IN_POD}"),
        ("kubernetes:kustomize.toolkit.fluxcd.io/v1:Kustomization", {"spec": {"patches": [{"patch": json.dumps([{"op": "add", "path": "/spec/image", "value": IMAGE}])}]}}, "spec.patches[0].patch[0].value"),
        # Files
        (BUCKET_OBJECT, {"content": COMPOSE}, "content.services.web.image"),
        (BUCKET_OBJECT, {"content": StringAsset(COMPOSE)}, "content.services.web.image"),
        ("aws:s3/bucketObjectv2:BucketObjectv2", {"contentBase64": in_base64(COMPOSE)}, "contentBase64.services.web.image"),
        (BUCKET_OBJECT, {"content": json.dumps({"AWSEBDockerrunVersion": "1", "Image": {"Name": IMAGE}})}, "content.Image.Name"),
        (BUCKET_OBJECT, {"content": f"# syntax=docker/dockerfile:1\n# a build\nFROM {IMAGE} AS base\n"}, "content[1].image"),
        # Commands
        ("aws:ec2/instance:Instance", {"userData": f"#!/bin/sh\ndocker pull {IMAGE}\n"}, 'userData.commands["line 2, column 13"].image'),
        ("aws:ec2/launchTemplate:LaunchTemplate", {"userData": in_base64(f"#!/bin/sh\ndocker run -d -p 80:80 {IMAGE} serve\n")}, 'userData.commands["line 2, column 24"].image'),
        ("aws:ec2/instance:Instance", {"userData": f"#cloud-config\nruncmd:\n- docker run {IMAGE}\n"}, 'userData.runcmd[0].commands["line 1, column 12"].image'),
        ("aws:ec2/instance:Instance", {"userData": f"#cloud-config\nruncmd:\n- [docker, pull, '{IMAGE}']\n"}, "userData.runcmd[0][2]"),
        ("kubernetes:karpenter.k8s.aws/v1:EC2NodeClass", {"spec": {"userData": f"#!/bin/sh\nctr images pull {IMAGE}\n"}}, 'spec.userData.commands["line 2, column 17"].image'),
        ("kubernetes:core/v1:Pod", {"spec": {"containers": [{"args": [f"--reloader={IMAGE}"]}]}}, 'spec.containers[0].args[0].commands["line 1, column 12"]'),
        (BUCKET_OBJECT, {"content": f"IMAGE={IMAGE}\n"}, 'content.commands["line 1, column 7"]'),
        ("command:remote:Command", {"create": f"cd /srv && docker run {IMAGE}"}, 'create.commands["line 1, column 23"].image'),
        ("aws:ssm/association:Association", {"parameters": {"commands": f"docker pull {IMAGE}"}}, 'parameters.commands.commands["line 1, column 13"].image'),
        ("aws:cloudformation/stack:Stack", {"templateBody": json.dumps({"Resources": {"I": {"Type": "AWS::EC2::Instance", "Properties": {"UserData": {"Fn::Base64": f"#!/bin/sh\ndocker pull {IMAGE}"}}}}})}, 'templateBody.Resources.I.Properties.UserData.commands["line 2, column 13"].image'),
    ],
)  # fmt: skip
def test_a_document_in_a_string_is_read_and_stops_nothing(
    resource_type: str, inputs: dict[str, Any], path: str
) -> None:
    (use,) = [each for each in uses(resource_type, inputs) if HOST in str(each.text)]
    assert (use.path, str(use.target), use.naming) == (path, IMAGE, Naming.CARRIED)
    assert not may_block(use, Run())


@pytest.mark.parametrize(
    ("resource_type", "inputs"),
    [
        (CUSTOM, {"description": COMPOSE, "notes": f"docker pull {IMAGE}"}),
        (CONFIG_MAP, {"data": {"README.md": f"docker pull {IMAGE}", "NOTES.txt": COMPOSE}}),
        (ROLLOUT, {"metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": json.dumps(POD)}}}),
        ("kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition", {"spec": {"versions": [{"schema": {"openAPIV3Schema": {"properties": {"image": {"default": IMAGE, "example": IMAGE, "description": COMPOSE}}}}}]}}),
        (CUSTOM, {"text": f"The image {IMAGE} is the one that we use.\nIt is pulled at night."}),
        (CUSTOM, {"text": f"image: nginx # not {IMAGE}\n"}),
        (CUSTOM, {"text": f"# image: {IMAGE}\n"}),
        (CUSTOM, {"policy": json.dumps({"Resource": f"arn:aws:s3:::{HOST}"})}),
    ],
)  # fmt: skip
def test_texts_for_people_and_schemas_name_no_image(
    resource_type: str, inputs: dict[str, Any]
) -> None:
    assert uses(resource_type, inputs) == ()


@pytest.mark.parametrize(
    "text",
    [f'{{"repository": "{REPOSITORY}"', f"a: [\nrepository: {REPOSITORY}\n"],
)
def test_what_is_meant_as_a_document_and_does_not_parse_is_spoken_of(text: str) -> None:
    (use,) = uses(CUSTOM, {"config": text})
    assert isinstance(use.target, Verdict)
    assert (use.path, use.target.code, use.naming) == (
        "config",
        Code.DOCUMENT_UNREADABLE,
        Naming.CARRIED,
    )


def test_a_template_that_does_not_parse_is_read_by_its_lines() -> None:
    text = f"spec:\n{{{{- if .Values.on }}}}\n  image: {REPOSITORY}:{{{{ .Values.tag }}}}\n{{{{ end }}}}"
    assert targets(uses(CONFIG_MAP, {"data": {"web.yaml": text}})) == [
        ('data["web.yaml"].commands["line 3, column 10"].image', "expression-unresolved")
    ]


def test_settings_in_toml_and_hcl_are_read_by_their_lines() -> None:
    text = f'[[runners]]\n  [runners.docker]\n    image = "{IMAGE}"\n'
    assert targets(uses(CUSTOM, {"config": text})) == [
        ('config.commands["line 3, column 14"].image', IMAGE)
    ]


def test_documents_in_documents_are_read_until_they_are_too_deep() -> None:
    def nested(levels: int) -> str:
        text = TEXT
        for _ in range(levels - 1):
            text = yaml.safe_dump({"inner": text})
        return text

    assert codes(CUSTOM, {"a": nested(3)}) == [IMAGE]
    assert codes(CUSTOM, {"a": nested(4)}) == ["document-unreadable"]


def test_a_document_that_a_row_reads_is_read_once() -> None:
    definitions = json.dumps([{"image": IMAGE, "environment": [{"name": "NEXT", "value": IMAGE}]}])
    found = uses("aws:ecs/taskDefinition:TaskDefinition", {"containerDefinitions": definitions})
    assert [(use.path, use.naming) for use in found] == [
        ("containerDefinitions[0].image", Naming.PULLED)
    ]


@pytest.mark.parametrize("text", [TEXT, in_base64(TEXT), f"docker pull {IMAGE}"])
def test_an_image_in_a_secret_document_is_a_secret(text: str) -> None:
    (use,) = uses(CUSTOM, {"config": Secret(text)})
    assert (str(use.target), use.is_secret) == (IMAGE, True)


def test_a_secret_that_is_not_shown_in_a_document_hides_only_its_own_image() -> None:
    text = json.dumps(containers(f"{HOST}/{HIDDEN}:1", IMAGE))
    assert codes(CUSTOM, {"config": text}) == ["secret-not-shown", IMAGE]
