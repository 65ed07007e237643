"""CloudFormation templates: the images in them, with the functions that can be resolved."""

from __future__ import annotations

import json
from typing import Any

import pytest
from layerguard.discovery import ImageUse, Naming
from layerguard.discovery.placement import Placement
from layerguard.platform import Platform
from layerguard.verdict import Verdict

from tests.discovery.engine_inputs import targets, uses
from tests.fakes import HOST

STACK = "aws:cloudformation/stack:Stack"
HERE = Placement("123456789012", "eu-west-1")

TEMPLATE = f"""
AWSTemplateFormatVersion: 2010-09-09
Parameters:
  Tag: {{Type: String, Default: "1.4"}}
Mappings:
  Images: {{proxy: {{tag: "2"}}}}
Resources:
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      RequiresCompatibilities: [FARGATE]
      RuntimePlatform: {{CpuArchitecture: ARM64}}
      ContainerDefinitions:
        - {{Name: web, Image: !Sub "${{AWS::AccountId}}.dkr.ecr.${{AWS::Region}}.${{AWS::URLSuffix}}/shop/web:${{Tag}}"}}
        - Name: proxy
          Image: !Join ["", [{HOST}, "/shop/proxy:", !FindInMap [Images, proxy, tag]]]
        - {{Name: job, Image: !Ref Unknown}}
  Worker:
    Type: AWS::Lambda::Function
    Properties:
      Architectures: [arm64]
      Code: {{ImageUri: !Sub ["{HOST}/worker:${{Version}}", {{Version: !Ref Tag}}]}}
      Environment: {{Variables: {{NEXT: "{HOST}/next:1"}}}}
      Role: !GetAtt Role.Arn
  Served:
    Type: AWS::Serverless::Function
    Properties: {{ImageUri: "{HOST}/served:1"}}
Outputs:
  Image: {{Value: "{HOST}/never:1"}}
"""


def of_stack(body: object, placement: Placement = HERE, **inputs: Any) -> dict[str, ImageUse]:
    found = uses(STACK, {"templateBody": body, **inputs}, placement)
    return {use.path: use for use in found}


def targets_of(body: object, placement: Placement = HERE, **inputs: Any) -> dict[str, str]:
    return dict(targets(uses(STACK, {"templateBody": body, **inputs}, placement)))


TASK = "templateBody.Resources.Task.Properties.ContainerDefinitions"


def test_a_templates_images_are_found_where_cloudformation_has_them() -> None:
    found = of_stack(TEMPLATE)
    assert targets_of(TEMPLATE) == {
        f"{TASK}[0].Image": f"{HOST}/shop/web:1.4",
        f"{TASK}[1].Image": f"{HOST}/shop/proxy:2",
        f"{TASK}[2].Image": "expression-unresolved",
        "templateBody.Resources.Worker.Properties.Code.ImageUri": f"{HOST}/worker:1.4",
        "templateBody.Resources.Worker.Properties.Environment.Variables.NEXT": f"{HOST}/next:1",
        "templateBody.Resources.Served.Properties.ImageUri": f"{HOST}/served:1",
    }
    assert found[f"{TASK}[0].Image"].container == "web"
    assert found[f"{TASK}[0].Image"].platform == Platform("linux", "arm64")
    worker = found["templateBody.Resources.Worker.Properties.Code.ImageUri"]
    assert (worker.platform, worker.runtime.name) == (Platform("linux", "arm64"), "AWS Lambda")


def test_a_parameter_that_the_stack_gives_wins_over_its_default() -> None:
    found = targets_of(TEMPLATE, parameters={"Tag": "2.0"})
    assert found[f"{TASK}[0].Image"] == f"{HOST}/shop/web:2.0"


def test_without_an_account_the_expression_stays_one() -> None:
    found = targets_of(TEMPLATE, Placement(None, "eu-west-1"))
    assert found[f"{TASK}[0].Image"] == "expression-unresolved"
    assert found[f"{TASK}[1].Image"] == f"{HOST}/shop/proxy:2"


def test_a_stack_set_is_deployed_elsewhere() -> None:
    found = uses("aws:cloudformation/stackSet:StackSet", {"templateBody": TEMPLATE}, HERE)
    verdicts = {use.path: use for use in found}
    assert isinstance(verdicts[f"{TASK}[0].Image"].target, Verdict)
    assert verdicts[f"{TASK}[1].Image"].placement == Placement()


def test_a_template_in_json_reads_the_same() -> None:
    template = {
        "Resources": {
            "Task": {
                "Type": "AWS::ECS::TaskDefinition",
                "Properties": {
                    "ContainerDefinitions": [
                        {
                            "Image": {
                                "Fn::Sub": "${AWS::AccountId}.dkr.ecr.${AWS::Region}.amazonaws.com/web:1"
                            }
                        }
                    ]
                },
            }
        }
    }
    assert targets_of(json.dumps(template)) == {f"{TASK}[0].Image": f"{HOST}/web:1"}
    assert targets_of(template) == {f"{TASK}[0].Image": f"{HOST}/web:1"}


@pytest.mark.parametrize("body", ["a: [", "\t- a\n b", "{", "a: &a [*a]", "!Sub\n - !"])
def test_a_template_that_does_not_parse_is_unreadable_at_its_property(body: str) -> None:
    assert targets_of(body) in ({"templateBody": "document-unreadable"}, {})


def test_aliases_that_would_unfold_without_end_do_not_parse() -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(
        f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}, *a{n - 1}]\n" for n in range(1, 30)
    )
    assert targets_of(bomb) == {"templateBody": "document-unreadable"}
    assert targets_of("a: &a [*a]") == {"templateBody": "document-unreadable"}


def test_a_resource_of_cloud_control_is_read_like_one_of_a_template() -> None:
    desired = json.dumps({"Code": {"ImageUri": f"{HOST}/worker:1"}, "Architectures": ["arm64"]})
    (use,) = uses(
        "aws:cloudcontrol/resource:Resource",
        {"typeName": "AWS::Lambda::Function", "desiredState": desired},
    )
    assert (use.path, use.platform) == ("desiredState.Code.ImageUri", Platform("linux", "arm64"))
    (use,) = uses(
        "aws-native:index:ExtensionResource",
        {
            "type": "AWS::AppRunner::Service",
            "properties": {
                "SourceConfiguration": {"ImageRepository": {"ImageIdentifier": f"{HOST}/web"}}
            },
        },
    )
    assert use.path == "properties.SourceConfiguration.ImageRepository.ImageIdentifier"


@pytest.mark.parametrize(
    ("parameter", "image"),
    [
        ("{Type: String}", "'{{resolve:ssm:/shop/image}}'"),
        ("{Type: 'AWS::SSM::Parameter::Value<String>', Default: /shop/image}", "!Ref Image"),
    ],
)
def test_an_image_that_cloudformation_looks_up_elsewhere_is_an_expression(
    parameter: str, image: str
) -> None:
    body = f"""
Parameters: {{Image: {parameter}}}
Resources:
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties: {{ContainerDefinitions: [{{Image: {image}}}]}}
"""
    assert list(targets_of(body).values()) == ["expression-unresolved"]


WORKER, OTHER = f"{HOST}/worker:1", f"{HOST}/worker:2"
CONDITIONS = {
    "IsProduction": {"Fn::Equals": [{"Ref": "Stage"}, "production"]},
    "IsNotProduction": {"Fn::Not": [{"Condition": "IsProduction"}]},
    "Both": {"Fn::And": [{"Condition": "IsProduction"}, {"Condition": "IsNotProduction"}]},
    "Either": {"Fn::Or": [{"Condition": "IsProduction"}, {"Condition": "IsNotProduction"}]},
    "Elsewhere": {"Fn::Equals": [{"Ref": "AWS::Partition"}, "aws"]},
    "FalseAnyway": {"Fn::And": [{"Condition": "Elsewhere"}, {"Condition": "Both"}]},
    "TrueAnyway": {"Fn::Or": [{"Condition": "Elsewhere"}, {"Condition": "Either"}]},
    "Switch": {"Fn::Equals": [True, "true"]},
    "Itself": {"Fn::Not": [{"Condition": "Itself"}]},
    **{f"C{n}": {"Fn::Not": [{"Condition": f"C{n + 1}"}]} for n in range(2_000)},
}


def conditional(condition: str, body: object) -> str:
    resource = {"Type": "AWS::Lambda::Function", "Condition": condition, "Properties": body}
    parameters = {"Stage": {"Default": "test"}}
    template = {"Parameters": parameters, "Conditions": CONDITIONS, "Resources": {"F": resource}}
    return json.dumps(template)


@pytest.mark.parametrize(
    ("condition", "naming"),
    [
        ("IsProduction", Naming.DORMANT),
        ("IsNotProduction", Naming.PULLED),
        ("Both", Naming.DORMANT),
        ("Either", Naming.PULLED),
        ("Elsewhere", Naming.DORMANT),
        ("FalseAnyway", Naming.DORMANT),
        ("TrueAnyway", Naming.PULLED),
        ("Switch", Naming.DORMANT),
        ("Itself", Naming.DORMANT),
        ("C0", Naming.DORMANT),
        ("Nowhere", Naming.DORMANT),
    ],
)
def test_a_resource_that_may_not_be_made_stops_nothing(condition: str, naming: Naming) -> None:
    body = {"Code": {"ImageUri": WORKER}}
    (use,) = of_stack(conditional(condition, body)).values()
    assert (str(use.target), use.naming) == (WORKER, naming)


def test_a_condition_counts_with_the_parameters_of_the_stack() -> None:
    body = {"Code": {"ImageUri": WORKER}}
    template = conditional("IsProduction", body)
    (use,) = of_stack(template, parameters={"Stage": "production"}).values()
    assert use.naming is Naming.PULLED


@pytest.mark.parametrize(
    ("condition", "target"),
    [
        ("IsProduction", OTHER),
        ("IsNotProduction", WORKER),
        ("Elsewhere", "expression-unresolved"),
    ],
)
def test_what_a_known_condition_chooses_is_the_image(condition: str, target: str) -> None:
    either = {"Fn::If": [condition, WORKER, OTHER]}
    (found,) = targets_of(conditional("Either", {"Code": {"ImageUri": either}})).values()
    assert found == target


def test_the_resources_of_a_loop_are_read() -> None:
    function = {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"ImageUri": WORKER}}}
    loop = {"Fn::ForEach::Functions": ["Name", ["a", "b"], {"F${Name}": function}]}
    (use,) = of_stack({"Transform": "AWS::LanguageExtensions", "Resources": loop}).values()
    assert (str(use.target), use.naming) == (WORKER, Naming.DORMANT)
    assert use.path == (
        'templateBody.Resources["Fn::ForEach::Functions"][2]["F${Name}"].Properties.Code.ImageUri'
    )
