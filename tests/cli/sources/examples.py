"""An example of each kind of file that an audit reads, each with one image of shop/web."""

from __future__ import annotations

import json
from typing import Any

from layerguard_cli.sources.source import SourceKind

from tests.cli.sources.states import HOST, export, state

WEB = f"{HOST}/shop/web:1"
CONTAINER = {"name": "web", "image": WEB}
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web"},
    "spec": {"containers": [CONTAINER]},
}
FUNCTION = {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"ImageUri": WEB}}}
TERRAFORM = {
    "address": "aws_lambda_function.web",
    "mode": "managed",
    "type": "aws_lambda_function",
    "name": "web",
}
MODULE = {"resources": [{**TERRAFORM, "values": {"image_uri": WEB}}]}

# The name of the file is only for people: the content decides.
EXAMPLES: dict[SourceKind, dict[str, Any]] = {
    SourceKind.BATCH_JOB: {
        "register-job-definition.json": {"jobDefinitionName": "web", "type": "container", "containerProperties": {"image": WEB}},
        "describe-job-definitions.json": {"jobDefinitions": [{"jobDefinitionName": "web", "containerProperties": {"image": WEB}}]},
        "nodes.json": {"jobDefinitionName": "web", "type": "multinode", "nodeProperties": {"nodeRangeProperties": [{"container": {"image": WEB}}]}},
        "describe-jobs.json": {"jobs": [{"jobDefinition": "web:1", "container": {"image": WEB}}]},
    },
    SourceKind.CDK_ASSEMBLY: {},
    SourceKind.CLOUDFORMATION: {
        "template.json": {"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Web": FUNCTION}},
        "template.yaml": f"Resources:\n  Web:\n    Type: AWS::Lambda::Function\n    Properties:\n      Code: {{ImageUri: !Sub '{WEB}'}}\n",
        "sam.yaml": f"AWSTemplateFormatVersion: 2010-09-09\nTransform: AWS::Serverless-2016-10-31\nResources:\n  Web:\n    Type: AWS::Serverless::Function\n    Properties: {{PackageType: Image, ImageUri: '{WEB}'}}\n",
        "get-template.json": {"TemplateBody": {"Resources": {"Web": FUNCTION}}, "StagesAvailable": ["Original"]},
        "get-template-yaml.json": {"TemplateBody": json.dumps({"Resources": {"Web": FUNCTION}})},
    },
    SourceKind.COMPOSE: {
        "docker-compose.yml": f"services:\n  web:\n    image: {WEB}\n",
        "compose.yaml": f"name: shop\nservices:\n  web: {{image: '{HOST}/shop/web:${{TAG:-1}}', platform: linux/arm64}}\n  db: {{build: .}}\n",
    },
    SourceKind.DOCKERRUN: {
        "Dockerrun.aws.json": {"AWSEBDockerrunVersion": "1", "Image": {"Name": WEB}},
        "Dockerrun-2.aws.json": {"AWSEBDockerrunVersion": 2, "containerDefinitions": [CONTAINER]},
    },
    SourceKind.ECS_TASK: {
        "register-task-definition.json": {"family": "web", "containerDefinitions": [CONTAINER]},
        "describe-task-definition.json": {"taskDefinition": {"family": "web", "containerDefinitions": [CONTAINER]}, "tags": []},
        "taskdef.yaml": f"family: web\ncontainerDefinitions:\n- {{name: web, image: '{WEB}'}}\n",
        "task-definitions.json": [{"family": "web", "containerDefinitions": [CONTAINER]}],
    },
    SourceKind.HELM_VALUES: {
        "values.yaml": f"image:\n  repository: {HOST}/shop/web\n  tag: '1'\n",
        "values.json": {"global": {"imageRegistry": HOST}, "web": {"image": {"repository": "shop/web", "tag": "1"}}},
    },
    SourceKind.IMAGE_DEFINITIONS: {
        "imagedefinitions.json": [{"name": "web", "imageUri": WEB}],
        "imageDetail.json": {"ImageURI": WEB},
    },
    SourceKind.KUBERNETES: {
        "pod.json": POD,
        "pods.json": [POD],
        "pods.yaml": f"- {json.dumps(POD)}\n",
        "list.json": {"apiVersion": "v1", "kind": "List", "items": [POD]},
        "stream.yaml": f"{json.dumps(POD)}\n---\n# nothing\n",
    },
    SourceKind.KUSTOMIZATION: {
        "kustomization.yaml": f"resources: [base]\nimages:\n- {{name: web, newName: {HOST}/shop/web, newTag: '1'}}\n",
        "retagged.yaml": f"apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nimages:\n- {{name: {HOST}/shop/web, newTag: '1'}}\n",
        "component.yaml": f"apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nimages:\n- {{name: web, newName: {HOST}/shop/web, newTag: '1'}}\n",
    },
    SourceKind.PREVIEW: {
        "preview.json": {"steps": [{"op": "create", "urn": state("web", WEB)["urn"], "newState": state("web", WEB)}], "changeSummary": {"create": 1}},
    },
    SourceKind.PULUMI_CHECKPOINT: {
        "dev.json": {"version": 3, "checkpoint": {"stack": "dev", "latest": export(state("web", WEB))["deployment"]}},
    },
    SourceKind.REFERENCES: {"references.txt": f"# night shift\n{WEB}\n"},
    SourceKind.STACK_EXPORT: {"export.json": export(state("web", WEB))},
    SourceKind.STATE_MACHINE: {
        "definition.asl.json": {"StartAt": "a", "States": {"a": {"Type": "Task", "Parameters": {"Image": WEB}, "End": True}}},
        "describe-state-machine.json": {"stateMachineArn": "arn:aws:states:eu-west-1:123456789012:stateMachine:a", "definition": json.dumps({"StartAt": "a", "States": {"a": {"Image": WEB}}})},
    },
    SourceKind.TERRAFORM_PLAN: {
        "plan.json": {"format_version": "1.2", "terraform_version": "1.9.0", "planned_values": {"root_module": {"child_modules": [MODULE]}}},
    },
    SourceKind.TERRAFORM_STATE: {
        "terraform.tfstate": {"version": 4, "terraform_version": "1.9.0", "resources": [{**TERRAFORM, "instances": [{"attributes": {"image_uri": WEB}}]}]},
        "show.json": {"format_version": "1.0", "terraform_version": "1.9.0", "values": {"root_module": MODULE}},
    },
}  # fmt: skip


def text_of(example: Any) -> str:
    return example if isinstance(example, str) else json.dumps(example)
